/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/code.h"

#include <errno.h>
#include <hinomi/kinds.h>
#include <string.h>

#include "base/arena.h"
#include "enrich/hasher.h"

static int file_hash(struct hasher *hasher, const struct event *event, const Hinomi__File *file,
		     struct arena *arena, Hinomi__HashState *state, ProtobufCBinaryData *ret)
{
	const Hinomi__Process *process = event->process;
	uint8_t *sha256;

	if (!hasher || !file)
		return 0;
	sha256 = arena_alloc(arena, DIGEST_SIZE);
	if (!sha256)
		return -ENOMEM;
	*state = hasher_ask(hasher, file, process->key->pid,
			    process->parent ? process->parent->pid : 0, sha256);
	if (*state == HINOMI__HASH_STATE__HASH_STATE_KNOWN)
		*ret = (ProtobufCBinaryData){.data = sha256, .len = DIGEST_SIZE};
	return 0;
}

/* What an interpreter is given to run: the files of a `#!` or binfmt_misc chain. */
static int levels_hash(struct hasher *hasher, const struct event *event, Hinomi__Exec *exec,
		       struct arena *arena)
{
	Hinomi__HashState state;
	int r = 0;

	if (!hasher || !exec->n_levels)
		return 0;
	exec->level_sha256 = arena_alloc(arena, exec->n_levels * sizeof(*exec->level_sha256));
	if (!exec->level_sha256)
		return -ENOMEM;
	memset(exec->level_sha256, 0, exec->n_levels * sizeof(*exec->level_sha256));
	exec->n_level_sha256 = exec->n_levels;
	for (size_t i = 0; !r && i < exec->n_levels; i++)
		r = file_hash(hasher, event, exec->levels[i], arena, &state,
			      &exec->level_sha256[i]);
	return r;
}

int code_hash(struct hasher *hasher, const struct event *event, struct arena *arena)
{
	Hinomi__Exec *exec;
	Hinomi__Module *module;
	Hinomi__System *system;
	int r;

	switch (event->kind) {
	case KIND_exec:
		exec = event->body->exec;
		r = file_hash(hasher, event, exec->file, arena, &exec->hash_state, &exec->sha256);
		return r ?: levels_hash(hasher, event, exec, arena);
	case KIND_module_load:
		module = event->body->module_load;
		return file_hash(hasher, event, module->file, arena, &module->hash_state,
				 &module->sha256);
	case KIND_system:
		system = event->body->system;
		if (system->action != HINOMI__SYSTEM__ACTION__ACTION_KEXEC_FILE)
			return 0;
		return file_hash(hasher, event, system->file, arena, &system->hash_state,
				 &system->sha256);
	default:
		return 0;
	}
}
