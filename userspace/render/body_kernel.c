/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of classes about what processes do to each other and to the kernel. */
#include "render/body.h"

#include <inttypes.h>
#include <linux/sched.h>
#include <sys/mount.h>

#include "base/cleanup.h"
#include "render/words.h"

struct word {
	uint64_t bit;
	const char *text;
};

/* a,b,c for the bits that have a word, the rest in hex */
static void put_bits(FILE *out, uint64_t bits, const struct word *words, size_t count)
{
	const char *comma = "";

	for (size_t i = 0; i < count; i++) {
		if (!(bits & words[i].bit))
			continue;
		fprintf(out, "%s%s", comma, words[i].text);
		bits &= ~words[i].bit;
		comma = ",";
	}
	if (bits)
		fprintf(out, "%s0x%" PRIx64, comma, bits);
}

static void put_path(const struct body *body, const Hinomi__File *file)
{
	if (!file)
		return;
	if (file->path.len)
		body_bytes(body->what, &file->path);
	else
		fprintf(body->what, "inode %" PRIu64 " on %u:%u", file->inode, file->device_major,
			file->device_minor);
	if (file->path_as_asked)
		body_note(body, STYLE_DIM, "path as asked");
}

static void put_target(const struct body *body, const Hinomi__Target *target)
{
	const Hinomi__Credentials *own = body->process ? body->process->credentials : NULL;

	if (!target || !target->key) {
		fputs("a process", body->what);
		return;
	}
	if (target->comm.len) {
		body_bytes(body->what, &target->comm);
		putc(' ', body->what);
	}
	fprintf(body->what, "(%u)", target->key->pid);
	if (target->comm.len && own && own->uid != target->uid) {
		fprintf(body->note, "  of uid %u", target->uid);
	}
}

void say_exec_failed(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__ExecFailed *exec = event->exec_failed;

	if (exec->filename.len)
		body_bytes(body->what, &exec->filename);
	else
		put_path(body, exec->file);
}

void say_process_access(const struct body *body, const Hinomi__Event *event)
{
	static const char *const ways[] = {
		[HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_UNSPECIFIED] = "access to",
		[HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_PTRACE] = "ptrace",
		[HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_TRACE_ME] =
			"lets itself be traced by",
		[HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_MEMORY_READ] = "read memory of",
		[HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_MEMORY_WRITE] = "wrote memory of",
		[HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_OPEN] = "opened in /proc",
		[HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_DESCRIPTOR] = "took a descriptor of",
		[HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_FILE_WRITE] =
			"wrote through /proc the memory of",
		[HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_ADVISE] = "advised on memory of",
	};
	const Hinomi__ProcessAccess *access = event->process_access;
	unsigned way = (unsigned)access->operation;

	fprintf(body->what, "%s ", way < ARRAY_SIZE(ways) ? ways[way] : ways[0]);
	put_target(body, access->target);
	if (access->operation == HINOMI__PROCESS_ACCESS__OPERATION__OPERATION_PTRACE)
		fprintf(body->note, "  request %#" PRIx64, access->request);
}

void say_signal(const struct body *body, const Hinomi__Event *event)
{
	words_signal(body->what, event->signal->signal);
	fputs(" " BODY_ARROW " ", body->what);
	put_target(body, event->signal->target);
	if (event->signal->to_sensor)
		body_note(body, STYLE_ALARM, "the sensor");
}

static void put_mount_flags(FILE *out, uint64_t flags)
{
	static const struct word words[] = {
		{MS_RDONLY, "ro"},
		{MS_NOSUID, "nosuid"},
		{MS_NODEV, "nodev"},
		{MS_NOEXEC, "noexec"},
		{MS_REC, "recursive"},
		{MS_SHARED, "shared"},
		{MS_PRIVATE, "private"},
		{MS_SLAVE, "slave"},
		{MS_UNBINDABLE, "unbindable"},
		{MS_NOATIME, "noatime"},
		{MS_RELATIME, "relatime"},
		{MS_SILENT, "silent"},
		{MS_SYNCHRONOUS, "sync"},
		{MS_DIRSYNC, "dirsync"},
		{MS_STRICTATIME, "strictatime"},
		{MS_NODIRATIME, "nodiratime"},
	};
	uint64_t shown = flags & ~(uint64_t)(MS_REMOUNT | MS_BIND | MS_MOVE);

	if (!shown)
		return;
	fputs("  ", out);
	put_bits(out, shown, words, ARRAY_SIZE(words));
}

/* MOUNT_ATTR_* of mount_setattr(2) */
static void put_mount_attributes(FILE *out, const char *what, uint64_t attributes)
{
	static const struct word words[] = {
		{0x1, "ro"},	      {0x2, "nosuid"},	      {0x4, "nodev"},
		{0x8, "noexec"},      {0x10, "noatime"},      {0x20, "strictatime"},
		{0x80, "nodiratime"}, {0x100000, "idmapped"}, {0x200000, "nosymfollow"},
	};

	if (!attributes)
		return;
	fprintf(out, "  %s ", what);
	put_bits(out, attributes, words, ARRAY_SIZE(words));
}

void say_mount(const struct body *body, const Hinomi__Event *event)
{
	static const char *const actions[] = {
		[HINOMI__MOUNT__ACTION__ACTION_UNSPECIFIED] = "mount",
		[HINOMI__MOUNT__ACTION__ACTION_MOUNT] = "mount",
		[HINOMI__MOUNT__ACTION__ACTION_REMOUNT] = "remount",
		[HINOMI__MOUNT__ACTION__ACTION_BIND] = "bind",
		[HINOMI__MOUNT__ACTION__ACTION_MOVE] = "attach",
		[HINOMI__MOUNT__ACTION__ACTION_PROPAGATION] = "propagation of",
		[HINOMI__MOUNT__ACTION__ACTION_UMOUNT] = "unmount",
		[HINOMI__MOUNT__ACTION__ACTION_PIVOT_ROOT] = "pivot root to",
		[HINOMI__MOUNT__ACTION__ACTION_SETATTR] = "attributes of",
		[HINOMI__MOUNT__ACTION__ACTION_CLONE] = "copy of",
		[HINOMI__MOUNT__ACTION__ACTION_DETACHED] = "detached",
	};
	const Hinomi__Mount *mount = event->mount;
	unsigned action = (unsigned)mount->action;

	fprintf(body->what, "%s ", action < ARRAY_SIZE(actions) ? actions[action] : actions[0]);
	if (mount->source.len && action != HINOMI__MOUNT__ACTION__ACTION_PIVOT_ROOT) {
		body_bytes(body->what, &mount->source);
		if (mount->root.len) { /* as findmnt(8) has it */
			fputc('[', body->what);
			body_bytes(body->what, &mount->root);
			fputc(']', body->what);
		}
		fputs(action == HINOMI__MOUNT__ACTION__ACTION_UMOUNT ? " from " : " on ",
		      body->what);
	}
	put_path(body, mount->target);
	if (mount->filesystem.len) {
		fputs("  ", body->note);
		body_bytes(body->note, &mount->filesystem);
	}
	if (action >= HINOMI__MOUNT__ACTION__ACTION_MOUNT &&
	    action <= HINOMI__MOUNT__ACTION__ACTION_PROPAGATION &&
	    action != HINOMI__MOUNT__ACTION__ACTION_MOVE)
		put_mount_flags(body->note, mount->flags);
	else if (mount->flags)
		fprintf(body->note, "  flags %#" PRIx64, mount->flags);
	put_mount_attributes(body->note, "set", mount->attributes);
	put_mount_attributes(body->note, "cleared", mount->cleared);
	if (mount->propagation)
		put_mount_flags(body->note, mount->propagation);
}

void say_chroot(const struct body *body, const Hinomi__Event *event)
{
	put_path(body, event->chroot->root);
}

void say_namespace(const struct body *body, const Hinomi__Event *event)
{
	static const struct word words[] = {
		{CLONE_NEWUSER, "user"},     {CLONE_NEWNS, "mnt"},    {CLONE_NEWPID, "pid"},
		{CLONE_NEWNET, "net"},	     {CLONE_NEWIPC, "ipc"},   {CLONE_NEWUTS, "uts"},
		{CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWTIME, "time"},
	};
	const Hinomi__NamespaceChange *change = event->namespace_;
	bool unshare = change->how == HINOMI__NAMESPACE_CHANGE__HOW__HOW_UNSHARE;

	fputs(unshare ? "new " : "joins ", body->what);
	if (change->flags)
		put_bits(body->what, change->flags, words, ARRAY_SIZE(words));
	else
		fputs("a namespace", body->what);
	if (!event->result && change->old && change->now && change->old->user != change->now->user)
		fprintf(body->note, "  user namespace %u" BODY_ARROW "%u", change->old->user,
			change->now->user);
}
