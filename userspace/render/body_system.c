/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of classes about the kernel itself. */
#include <inttypes.h>
#include <linux/keyctl.h>
#include <string.h>

#include "base/cleanup.h"
#include "render/body.h"
#include "render/words.h"

#define TAINT_OUT_OF_TREE 12
#define TAINT_UNSIGNED	  13

static void put_module(const struct body *body, const Hinomi__Module *module)
{
	if (module->name.len)
		body_bytes(body->what, &module->name);
	else
		fputs("a module", body->what);
	if (module->arguments.len) {
		putc(' ', body->what);
		body_bytes(body->what, &module->arguments);
	}
	if (module->file) {
		fputs(" from ", body->what);
		body_bytes(body->what, &module->file->path);
	}
	if (module->taints >> TAINT_UNSIGNED & 1)
		body_note(body, STYLE_ALARM, "not signed");
	if (module->taints >> TAINT_OUT_OF_TREE & 1)
		body_note(body, STYLE_ALARM, "out of tree");
}

void say_module_load(const struct body *body, const Hinomi__Event *event)
{
	put_module(body, event->module_load);
}

void say_module_unload(const struct body *body, const Hinomi__Event *event)
{
	put_module(body, event->module_unload);
}

static void put_helpers(const struct body *body, uint32_t helpers)
{
	static const struct {
		uint32_t bit;
		const char *text;
	} words[] = {
		{1, "writes user memory"}, {2, "changes results of functions"},
		{4, "sends signals"},	   {16, "changes packets"},
		{32, "uses bpf(2)"},	   {1u << 31, "not all instructions looked at"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (helpers & words[i].bit)
			body_note(body, STYLE_ALARM, words[i].text);
}

void say_bpf(const struct body *body, const Hinomi__Event *event)
{
	static const char *const operations[] = {
		"",
		"load",
		"attach",
		"detach",
		"update link",
		"detach link",
		"open program",
		"open map",
		"open link",
	};
	const Hinomi__Bpf *bpf = event->bpf;
	unsigned operation = (unsigned)bpf->operation;

	fprintf(body->what, "%s ", operations[operation < ARRAY_SIZE(operations) ? operation : 0]);
	if (bpf->name.len)
		body_bytes(body->what, &bpf->name);
	else if (bpf->id)
		fprintf(body->what, "%" PRIu32, bpf->id);
	if (bpf->target.len) {
		fputs(" " BODY_ARROW " ", body->what);
		body_bytes(body->what, &bpf->target);
	}
	if (bpf->link_id)
		fprintf(body->note, "  link %" PRIu32, bpf->link_id);
	if (bpf->instructions)
		fprintf(body->note, "  type %" PRIu32 ", %" PRIu32 " instructions", bpf->type,
			bpf->instructions);
	if (bpf->ours)
		body_note(body, STYLE_ALARM, "of the sensor");
	put_helpers(body, bpf->helpers);
}

void say_probe(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__Probe *probe = event->probe;

	if (probe->how == HINOMI__PROBE__HOW__HOW_KPROBE)
		fputs("kprobe", body->what);
	else if (probe->pmu.len)
		body_bytes(body->what, &probe->pmu);
	else
		fprintf(body->what, "type %" PRIu32, probe->type);
	putc(' ', body->what);
	if (probe->place.len)
		body_bytes(body->what, &probe->place);
	else if (probe->how == HINOMI__PROBE__HOW__HOW_KPROBE)
		fputs("by address", body->what);
	else
		fprintf(body->what, "%" PRIu64, probe->config);
	if (probe->offset)
		fprintf(body->what, "+%#" PRIx64, probe->offset);
}

void say_cgroup_make(const struct body *body, const Hinomi__Event *event)
{
	body_bytes(body->what, &event->cgroup_make->path);
}

void say_io_uring(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__IoUring *ring = event->io_uring;

	fprintf(body->what, "%" PRIu32 " entries", ring->submissions);
	if (ring->flags)
		fprintf(body->note, "  flags %#" PRIx32, ring->flags);
}

static const char *keyctl_word(uint32_t operation)
{
	static const char *const words[] = {
		[KEYCTL_JOIN_SESSION_KEYRING] = "join session",
		[KEYCTL_UPDATE] = "update",
		[KEYCTL_REVOKE] = "revoke",
		[KEYCTL_CHOWN] = "chown",
		[KEYCTL_SETPERM] = "setperm",
		[KEYCTL_CLEAR] = "clear",
		[KEYCTL_LINK] = "link",
		[KEYCTL_UNLINK] = "unlink",
		[KEYCTL_READ] = "read",
		[KEYCTL_INSTANTIATE] = "instantiate",
		[KEYCTL_INVALIDATE] = "invalidate",
		[KEYCTL_SESSION_TO_PARENT] = "session to parent",
		[KEYCTL_MOVE] = "move",
	};

	return operation < ARRAY_SIZE(words) ? words[operation] : NULL;
}

void say_keyring(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__Keyring *key = event->keyring;
	const char *word = keyctl_word(key->operation);

	if (key->call != HINOMI__KEYRING__CALL__CALL_KEYCTL) {
		fputs(key->call == HINOMI__KEYRING__CALL__CALL_ADD ? "add " : "request ",
		      body->what);
		body_bytes(body->what, &key->type);
		putc(' ', body->what);
		body_bytes(body->what, &key->description);
	} else if (word) {
		fputs(word, body->what);
	} else {
		fprintf(body->what, "operation %" PRIu32, key->operation);
	}
	if (key->key)
		fprintf(body->note, "  key %" PRId32, key->key);
	if (key->keyring)
		fprintf(body->note, "  keyring %" PRId32, key->keyring);
}

static bool bytes_differ(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len != b->len || memcmp(a->data, b->data, a->len);
}

void say_sysctl(const struct body *body, const Hinomi__Event *event)
{
	ProtobufCBinaryData value = event->sysctl->value;

	while (value.len && value.data[value.len - 1] == '\n')
		value.len--;
	body_bytes(body->what, &event->sysctl->name);
	fputs(" = ", body->what);
	body_bytes(body->what, &value);
	if (event->sysctl->setting.len && bytes_differ(&event->sysctl->setting, &value)) {
		fputs("  is now ", body->note);
		body_bytes(body->note, &event->sysctl->setting);
	}
	if (event->sysctl->weakens)
		body_note(body, STYLE_ALARM, "weakens the host");
}

void say_system(const struct body *body, const Hinomi__Event *event)
{
	static const char *const actions[] = {
		[HINOMI__SYSTEM__ACTION__ACTION_UNSPECIFIED] = "",
		[HINOMI__SYSTEM__ACTION__ACTION_KEXEC_LOAD] = "kexec from memory, segments",
		[HINOMI__SYSTEM__ACTION__ACTION_KEXEC_FILE] = "kexec",
		[HINOMI__SYSTEM__ACTION__ACTION_REBOOT] = "reboot",
		[HINOMI__SYSTEM__ACTION__ACTION_CLOCK_SET] = "clock to",
		[HINOMI__SYSTEM__ACTION__ACTION_CLOCK_STEP] = "clock by",
		[HINOMI__SYSTEM__ACTION__ACTION_HOST_NAME] = "host name",
		[HINOMI__SYSTEM__ACTION__ACTION_DOMAIN_NAME] = "domain name",
		[HINOMI__SYSTEM__ACTION__ACTION_SWAP_ON] = "swap on",
		[HINOMI__SYSTEM__ACTION__ACTION_SWAP_OFF] = "swap off",
		[HINOMI__SYSTEM__ACTION__ACTION_LOG] = "kernel log, syslog action",
		[HINOMI__SYSTEM__ACTION__ACTION_MEMORY] = "opened",
		[HINOMI__SYSTEM__ACTION__ACTION_ACCOUNTING] = "process accounting",
		[HINOMI__SYSTEM__ACTION__ACTION_IO_PORTS] = "I/O ports from",
		[HINOMI__SYSTEM__ACTION__ACTION_FILE_EVENTS] = "is asked before files are opened",
		[HINOMI__SYSTEM__ACTION__ACTION_TERMINAL_INPUT] = "types into",
	};
	const Hinomi__System *system = event->system;
	unsigned action = (unsigned)system->action;

	fputs(actions[action < ARRAY_SIZE(actions) ? action : 0], body->what);
	if (system->file) {
		putc(' ', body->what);
		body_bytes(body->what, &system->file->path);
	}
	if (system->text.len) {
		putc(' ', body->what);
		body_bytes(body->what, &system->text);
	}
	if (action == HINOMI__SYSTEM__ACTION__ACTION_REBOOT)
		fprintf(body->what, " %#" PRIx64, (uint64_t)system->number);
	else if (action == HINOMI__SYSTEM__ACTION__ACTION_CLOCK_SET ||
		 action == HINOMI__SYSTEM__ACTION__ACTION_CLOCK_STEP)
		fprintf(body->what, " %" PRId64 " ns", system->number);
	else if (system->number)
		fprintf(body->what, " %" PRId64, system->number);
}

void say_kernel_attempt(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__KernelAttempt *attempt = event->kernel_attempt;

	fputs(attempt->class_, body->what);
	if (attempt->name.len) {
		putc(' ', body->what);
		body_bytes(body->what, &attempt->name);
	} else if (attempt->operation) {
		fprintf(body->what, " operation %" PRIu32, attempt->operation);
	}
	body_note(body, STYLE_DIM, "without privileges");
}

void say_summary(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__Summary *summary = event->summary;

	fprintf(body->what, "%" PRIu64 " × %s ", summary->count, summary->class_);
	if (summary->file)
		body_put_file(body, summary->file);
	else if (summary->address)
		words_address(body->what, summary->address);
	if (summary->last_ns > summary->first_ns)
		fprintf(body->note, "  within %" PRIu64 " ms",
			(summary->last_ns - summary->first_ns) / 1000000);
	body_note(body, STYLE_DIM, "counted, the ring was nearly full");
}
