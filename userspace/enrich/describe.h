/* SPDX-License-Identifier: Apache-2.0 */
/* Writes what the tree and the name tables know of a process into its message. */
#pragma once

#include "event.pb-c.h"

struct arena;
struct cgroup;
struct image;
struct process;
struct session;
struct tree;

struct description {
	const struct process *process;
	struct process *const *ancestors;
	size_t nancestors;
	const struct image *image;   /* NULL: not known */
	const struct cgroup *cgroup; /* NULL: not known */
	ProtobufCBinaryData user, group, login_user;
};

/* Copies everything into the arena; `to` has what decode gave it.  -ENOMEM leaves it as it was. */
int describe(const struct description *description, struct arena *arena, Hinomi__Process *to);

/* A session as a message, and what it consists of. */
struct session_message {
	Hinomi__Session session;
	Hinomi__ProcessKey leader;
	Hinomi__Endpoint peer;
};

/* Bytes that describe_session puts; 0 for NULL. */
size_t describe_session_bytes(const struct session *session);
Hinomi__Session *describe_session(const struct session *from, char **at,
				  struct session_message *ret);
/* A copy at *at, which moves behind it; nothing for size 0. */
ProtobufCBinaryData describe_put(char **at, const void *data, size_t size);

/* From the message to what is compared and kept. */
struct facts;
void facts_of(const Hinomi__Process *process, struct facts *ret);
void facts_set_namespaces(struct facts *facts, const Hinomi__Namespaces *ns);
/* The credentials in facts, as a message. */
void facts_credentials(const struct facts *facts, Hinomi__Credentials *ret);
