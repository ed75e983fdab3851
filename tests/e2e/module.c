// SPDX-License-Identifier: Apache-2.0
/* Modules of the kernel: one that is loaded, one that is refused. */
#include <errno.h>
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "e2e.h"

#define NAME	  "hinomi_e2e"

#define NOTE_HEAD 16 /* of .note.gnu.build-id: three sizes and the name */

/* What the kernel says of a loaded module: path[2] its srcversion, path[3] the note with its build
 * id. */
static void note_versions(struct facts *facts, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/sys/module/%.55s/srcversion", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, facts->path[2], sizeof(facts->path[2]) - 1) > 0)
		facts->path[2][strcspn(facts->path[2], "\n")] = 0;
	close(fd);
	snprintf(path, sizeof(path), "/sys/module/%.55s/notes/.note.gnu.build-id", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		facts->number[0] = (uint64_t)read(fd, facts->path[3], sizeof(facts->path[3]));
	close(fd);
}

static void check_versions(struct check *check, const Hinomi__Module *module)
{
	const struct facts *facts = check->facts;

	want_text(check, "srcversion", facts->path[2], &module->srcversion);
	if (module->build_id.len && (int64_t)facts->number[0] > NOTE_HEAD)
		want_bytes(check, "build_id", facts->path[3] + NOTE_HEAD,
			   facts->number[0] - NOTE_HEAD, &module->build_id);
}

/* A module that is loaded, when the suite was given its file: it goes and comes back. */
static void act_module(struct facts *facts)
{
	const char *path = getenv("HINOMI_E2E_MODULE"), *name;
	int fd;

	if (!path || !strrchr(path, '-'))
		act_skip(facts, "no module in HINOMI_E2E_MODULE");
	name = strrchr(path, '-') + 1;
	fd = must(open(path, O_RDONLY | O_CLOEXEC));
	must(fstat(fd, &facts->stat[0]));
	snprintf(facts->path[0], sizeof(facts->path[0]), "%s", path);
	snprintf(facts->path[1], sizeof(facts->path[1]), "%s", name);
	facts->path[1][strcspn(facts->path[1], ".")] = 0;
	must((int)syscall(SYS_delete_module, facts->path[1], O_NONBLOCK));
	must((int)syscall(SYS_finit_module, fd, "numdummies=2", 0));
	close(fd);
	note_versions(facts, facts->path[1]);
}

static void check_module(struct check *check)
{
	const struct seen *seen = take(check, KIND_module_unload);
	const Hinomi__Module *module;

	if (seen) {
		want_text(check, "module_unload.name", check->facts->path[1],
			  &seen->event->module_unload->name);
		check_versions(check, seen->event->module_unload);
	}
	seen = take(check, KIND_module_load);
	if (!seen)
		return;
	module = seen->event->module_load;
	want_result(check, 0, seen);
	want_text(check, "module_load.name", check->facts->path[1], &module->name);
	want_text(check, "module_load.arguments", "numdummies=2", &module->arguments);
	want_file(check, check->facts->path[0], &check->facts->stat[0], module->file);
	want_number(check, "module_load.hash_state", HINOMI__HASH_STATE__HASH_STATE_PENDING,
		    module->hash_state);
	check_versions(check, module);
}

#define HASHED_US 1000000

static void prepare_file(struct facts *facts)
{
	program_copy(facts, 0, "no-module", 0755);
}

/* No module at all, twice: the second time its hash is known. */
static void act_no_module(struct facts *facts)
{
	int fd = must(open(facts->path[0], O_RDONLY | O_CLOEXEC));
	char args[] =
		"what=ever"; /* in memory that is there: the kernel does not come to read it */

	must(fstat(fd, &facts->stat[0]));
	sleep(3); /* a digest is remembered of files that did not change for two */
	act_tried(facts, 0, (int)syscall(SYS_finit_module, fd, args, 0));
	if (facts->error[0] == ENOSYS)
		act_skip(facts, "a kernel without modules");
	usleep(HASHED_US);
	act_tried(facts, 0, (int)syscall(SYS_finit_module, fd, args, 0));
	close(fd);
	act_tried(facts, 1, (int)syscall(SYS_delete_module, NAME, O_NONBLOCK));
}

static void check_no_module(struct check *check)
{
	const struct seen *seen = NULL;

	for (int i = 0; i < 2; i++) {
		seen = take(check, KIND_module_load);
		if (!seen)
			return;
		want_result(check, check->facts->error[0], seen);
		want_text(check, "module_load.arguments", "what=ever",
			  &seen->event->module_load->arguments);
		want_file(check, check->facts->path[0], &check->facts->stat[0],
			  seen->event->module_load->file);
	}
	want_number(check, "module_load.sha256 (bytes)", 32, seen->event->module_load->sha256.len);
	seen = take(check, KIND_module_unload);
	if (!seen)
		return;
	want_result(check, check->facts->error[1], seen);
	want_text(check, "module_unload.name", NAME, &seen->event->module_unload->name);
}

const struct test module_tests[] = {
	{"module_load/loaded", NULL, act_module, check_module},
	{"module_load/refused", prepare_file, act_no_module, check_no_module},
	{},
};
