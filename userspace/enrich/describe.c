/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation per description: it is there as a whole or not at all. */
#include "enrich/describe.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "enrich/cgroup.h"
#include "enrich/image.h"
#include "enrich/tree.h"

struct extra {
	Hinomi__ProcessKey creator;
	struct session_message session;
	ProtobufCBinaryData ancestors[TREE_ANCESTORS_MAX];
	ProtobufCBinaryData args[]; /* then the bytes */
};

ProtobufCBinaryData describe_put(char **at, const void *data, size_t size)
{
	ProtobufCBinaryData bytes = {.data = (uint8_t *)*at, .len = size};

	if (!size)
		return (ProtobufCBinaryData){0};
	memcpy(*at, data, size);
	*at += size;
	return bytes;
}

static ProtobufCBinaryData part_of(ProtobufCBinaryData path, struct path_part part)
{
	if (!part.len)
		return (ProtobufCBinaryData){0};
	return (ProtobufCBinaryData){.data = path.data + part.off, .len = part.len};
}

size_t describe_session_bytes(const struct session *from)
{
	if (!from)
		return 0;
	return from->peer.ip_len + (from->image ? from->image->path_size : 0u);
}

Hinomi__Session *describe_session(const struct session *from, char **at,
				  struct session_message *ret)
{
	Hinomi__Session *to = &ret->session;

	hinomi__session__init(to);
	to->id = from->id;
	to->kind = from->kind;
	to->start_ns = from->start_ns;
	to->set_by = from->set_by;
	to->preexisting = from->preexisting;
	if (from->image)
		to->program = describe_put(at, from->image->data, from->image->path_size);
	if (from->leader_pid) {
		hinomi__process_key__init(&ret->leader);
		ret->leader.pid = from->leader_pid;
		ret->leader.start_ns = from->leader_start_ns;
		ret->leader.exec_id = from->leader_exec_id;
		to->leader = &ret->leader;
	}
	if (from->peer.ip_len) {
		hinomi__endpoint__init(&ret->peer);
		ret->peer.ip = describe_put(at, from->peer.ip, from->peer.ip_len);
		ret->peer.port = from->peer.port;
		to->peer = &ret->peer;
	}
	return to;
}

static size_t bytes_needed(const struct description *d, const Hinomi__Process *to)
{
	size_t size = to->comm.len + d->user.len + d->group.len + d->login_user.len;

	if (d->image)
		size += (size_t)d->image->path_size + d->image->args_size;
	if (d->cgroup)
		size += d->cgroup->path_len + d->cgroup->pod_uid_len;
	size += describe_session_bytes(d->process->session);
	return size + d->nancestors * TREE_COMM_SIZE;
}

static void image_fill(const struct image *image, char **at, ProtobufCBinaryData *args,
		       Hinomi__Process *to)
{
	ProtobufCBinaryData all;
	const char *end;
	char *p;

	to->executable = describe_put(at, image->data, image->path_size);
	all = describe_put(at, image->data + image->path_size, image->args_size);
	p = (char *)all.data;
	end = p + all.len;
	for (size_t i = 0; i < image->nargs && p < end; i++) {
		args[i] = (ProtobufCBinaryData){.data = (uint8_t *)p, .len = strlen(p)};
		p += args[i].len + 1;
		to->n_args = i + 1;
	}
	to->args = to->n_args ? args : NULL;
	to->args_truncated = image->args_truncated;
}

static void ancestors_fill(const struct description *d, char **at, struct extra *extra,
			   Hinomi__Process *to)
{
	for (size_t i = 0; i < d->nancestors; i++) {
		const char *name = d->ancestors[i]->name;

		extra->ancestors[i] = describe_put(at, name, strnlen(name, TREE_COMM_SIZE));
	}
	to->n_ancestors = d->nancestors;
	to->ancestors = d->nancestors ? extra->ancestors : NULL;
}

int describe(const struct description *d, struct arena *arena, Hinomi__Process *to)
{
	size_t nargs = d->image ? d->image->nargs : 0;
	struct extra *extra = arena_alloc(arena, sizeof(*extra) + nargs * sizeof(*extra->args) +
							 bytes_needed(d, to));
	char *at = extra ? (char *)&extra->args[nargs] : NULL;

	if (!extra)
		return -ENOMEM;
	to->comm = describe_put(&at, to->comm.data, to->comm.len);
	if (d->image)
		image_fill(d->image, &at, extra->args, to);
	if (d->cgroup && d->cgroup->path) {
		to->cgroup_path = describe_put(&at, d->cgroup->path, d->cgroup->path_len);
		to->container_id = part_of(to->cgroup_path, d->cgroup->container);
		to->unit = part_of(to->cgroup_path, d->cgroup->unit);
		to->runtime = d->cgroup->runtime;
		to->pod_uid = describe_put(&at, d->cgroup->pod_uid, d->cgroup->pod_uid_len);
	}
	if (to->credentials) {
		to->credentials->user = describe_put(&at, d->user.data, d->user.len);
		to->credentials->group = describe_put(&at, d->group.data, d->group.len);
	}
	to->login_user = describe_put(&at, d->login_user.data, d->login_user.len);
	ancestors_fill(d, &at, extra, to);
	if (d->process->creator.pid) {
		hinomi__process_key__init(&extra->creator);
		extra->creator.pid = d->process->creator.pid;
		extra->creator.start_ns = d->process->creator.start_ns;
		extra->creator.exec_id = d->process->creator.exec_id;
		to->creator = &extra->creator;
	}
	if (d->process->session)
		to->session = describe_session(d->process->session, &at, &extra->session);
	to->preexisting = d->process->preexisting;
	return 0;
}

#define SPAN(type, first, last) \
	(offsetof(type, last) + sizeof(((type *)0)->last) - offsetof(type, first))

/* The generated structs keep fields of one size side by side, so runs of them are copied at once.
 */
_Static_assert(SPAN(Hinomi__Credentials, uid, fsgid) == sizeof(((struct facts *)0)->ids), "ids");
_Static_assert(SPAN(Hinomi__Credentials, cap_effective, cap_ambient) ==
		       sizeof(((struct facts *)0)->caps),
	       "capabilities");
_Static_assert(SPAN(Hinomi__Namespaces, mnt, cgroup) == sizeof(((struct facts *)0)->ns),
	       "namespaces");
_Static_assert(sizeof(struct facts) == 32 + 32 + 32 + 28 + 20 + TREE_COMM_SIZE, "no padding");

void facts_set_namespaces(struct facts *facts, const Hinomi__Namespaces *ns)
{
	memcpy(facts->ns, (const char *)ns + offsetof(Hinomi__Namespaces, mnt), sizeof(facts->ns));
}

void facts_of(const Hinomi__Process *process, struct facts *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->exec_id = process->key->exec_id;
	if (process->parent) {
		ret->parent_pid = process->parent->pid;
		ret->parent_start_ns = process->parent->start_ns;
		ret->parent_exec_id = process->parent->exec_id;
	}
	if (process->credentials) {
		memcpy(ret->ids,
		       (const char *)process->credentials + offsetof(Hinomi__Credentials, uid),
		       sizeof(ret->ids));
		memcpy(ret->caps,
		       (const char *)process->credentials +
			       offsetof(Hinomi__Credentials, cap_effective),
		       sizeof(ret->caps));
	}
	if (process->namespaces)
		memcpy(ret->ns,
		       (const char *)process->namespaces + offsetof(Hinomi__Namespaces, mnt),
		       sizeof(ret->ns));
	ret->cgroup_id = process->cgroup_id;
	ret->login_uid = process->login_uid;
	ret->session_id = process->session_id;
	ret->namespace_pid = process->namespace_pid;
	if (process->comm.len)
		memcpy(ret->comm, process->comm.data,
		       process->comm.len < sizeof(ret->comm) ? process->comm.len
							     : sizeof(ret->comm));
}

void facts_credentials(const struct facts *facts, Hinomi__Credentials *ret)
{
	hinomi__credentials__init(ret);
	memcpy((char *)ret + offsetof(Hinomi__Credentials, uid), facts->ids, sizeof(facts->ids));
	memcpy((char *)ret + offsetof(Hinomi__Credentials, cap_effective), facts->caps,
	       sizeof(facts->caps));
}
