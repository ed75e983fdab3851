/* SPDX-License-Identifier: Apache-2.0 */
/* The parts that records are made of, each checked against the record's bounds. */
#include "decode/source.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/arena.h"

static void source_fail(struct source *source, int error)
{
	if (!source->error)
		source->error = error;
}

const void *source_fixed(struct source *source, size_t size)
{
	if (source->size < size) {
		source_fail(source, -EBADMSG);
		return NULL;
	}
	source->fixed = size;
	return source->data;
}

void *source_alloc(struct source *source, size_t size)
{
	void *p = arena_alloc(source->arena, size);

	if (!p)
		source_fail(source, -ENOMEM);
	return p;
}

ProtobufCBinaryData source_bytes(struct source *source, const struct bytes_ref *ref)
{
	size_t off = ref->off, len = ref->len;

	if (!len)
		return (ProtobufCBinaryData){0};
	if (off < source->fixed || off > source->size || len > source->size - off) {
		source_fail(source, -EBADMSG);
		return (ProtobufCBinaryData){0};
	}
	return (ProtobufCBinaryData){.data = (uint8_t *)source->data + off, .len = len};
}

ProtobufCBinaryData source_name(const char *name, size_t size)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)name, .len = strnlen(name, size)};
}

ProtobufCBinaryData source_sha256(struct source *source, const ProtobufCBinaryData *data)
{
	unsigned size = 32;
	uint8_t *hash = data->len ? source_alloc(source, size) : NULL;

	if (!hash || !EVP_Digest(data->data, data->len, hash, &size, EVP_sha256(), NULL))
		return (ProtobufCBinaryData){0};
	return (ProtobufCBinaryData){.data = hash, .len = size};
}

/* Takes the string at the front of *rest off it. */
static ProtobufCBinaryData string_next(ProtobufCBinaryData *rest)
{
	const uint8_t *nul = memchr(rest->data, 0, rest->len);
	ProtobufCBinaryData string = {.data = rest->data};
	size_t used;

	string.len = nul ? (size_t)(nul - rest->data) : rest->len;
	used = string.len + (nul ? 1 : 0);
	rest->data += used;
	rest->len -= used;
	return string;
}

static size_t strings_count(ProtobufCBinaryData area)
{
	size_t n = 0;

	for (; area.len && n < ARGS_MAX; n++)
		string_next(&area);
	return n;
}

ProtobufCBinaryData *source_strings(struct source *source, const struct bytes_ref *ref, size_t *n)
{
	ProtobufCBinaryData rest = source_bytes(source, ref);
	size_t count = strings_count(rest);
	ProtobufCBinaryData *strings;

	*n = 0;
	if (!count)
		return NULL;
	strings = source_alloc(source, count * sizeof(*strings));
	if (!strings)
		return NULL;
	while (*n < count && rest.len)
		strings[(*n)++] = string_next(&rest);
	return strings;
}

Hinomi__File *source_file(struct source *source, const struct file_ref *from)
{
	Hinomi__File *file = source_alloc(source, sizeof(*file));

	if (!file)
		return NULL;
	hinomi__file__init(file);
	file->path = source_bytes(source, &from->path);
	file->path_truncated = !!(from->flags & FILE_PATH_TRUNCATED);
	file->path_as_asked = !!(from->flags & FILE_PATH_AS_ASKED);
	file->inode = from->inode;
	file->directory_inode = from->directory;
	file->device_major = from->device >> 20;
	file->device_minor = from->device & 0xfffff;
	file->generation = from->generation;
	file->mode = from->mode;
	file->uid = from->uid;
	file->gid = from->gid;
	file->links = from->links;
	file->size = from->size;
	file->changed_ns = from->changed_ns;
	file->filesystem = from->magic;
	file->deleted = !!(from->flags & FILE_DELETED);
	file->memory = !!(from->flags & FILE_MEMORY);
	return file;
}

Hinomi__ProcessKey *source_key(struct source *source, const struct process_key *from)
{
	Hinomi__ProcessKey *key = source_alloc(source, sizeof(*key));

	if (!key)
		return NULL;
	hinomi__process_key__init(key);
	key->pid = from->tgid;
	key->start_ns = from->start_ns;
	key->exec_id = from->exec_id;
	return key;
}

Hinomi__Credentials *source_cred(struct source *source, const struct cred_ids *from)
{
	Hinomi__Credentials *cred = source_alloc(source, sizeof(*cred));

	if (!cred)
		return NULL;
	hinomi__credentials__init(cred);
	cred->uid = from->uid;
	cred->gid = from->gid;
	cred->euid = from->euid;
	cred->egid = from->egid;
	cred->suid = from->suid;
	cred->sgid = from->sgid;
	cred->fsuid = from->fsuid;
	cred->fsgid = from->fsgid;
	cred->cap_effective = from->cap_effective;
	cred->cap_permitted = from->cap_permitted;
	cred->cap_inheritable = from->cap_inheritable;
	cred->cap_ambient = from->cap_ambient;
	return cred;
}

Hinomi__Namespaces *source_namespaces(struct source *source, const struct namespace_ids *from)
{
	Hinomi__Namespaces *ns = source_alloc(source, sizeof(*ns));

	if (!ns)
		return NULL;
	hinomi__namespaces__init(ns);
	ns->mnt = from->mnt;
	ns->pid = from->pid;
	ns->net = from->net;
	ns->user = from->user;
	ns->uts = from->uts;
	ns->ipc = from->ipc;
	ns->cgroup = from->cgroup;
	return ns;
}

Hinomi__Process *source_process(struct source *source, const struct actor *actor)
{
	Hinomi__Process *process = source_alloc(source, sizeof(*process));

	if (!process)
		return NULL;
	hinomi__process__init(process);
	process->key = source_key(source, &actor->key);
	process->parent = source_key(source, &actor->parent);
	process->comm = source_name(actor->comm, sizeof(actor->comm));
	process->credentials = source_cred(source, &actor->cred);
	process->login_uid = actor->login_uid;
	process->session_id = actor->session_id;
	process->cgroup_id = actor->cgroup_id;
	process->namespaces = source_namespaces(source, &actor->ns);
	process->namespace_pid = actor->ns_tgid;
	return process;
}
