/* SPDX-License-Identifier: Apache-2.0 */
/* Writes what the tree and the name tables know of a process into its message. */
#pragma once

#include "event.pb-c.h"

struct arena;
struct cgroup;
struct image;
struct process;
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
/* From the message to what is compared and kept. */
struct facts;
void facts_of(const Hinomi__Process *process, struct facts *ret);
void facts_set_namespaces(struct facts *facts, const Hinomi__Namespaces *ns);
/* The credentials in facts, as a message. */
void facts_credentials(const struct facts *facts, Hinomi__Credentials *ret);
