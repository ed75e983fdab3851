/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/credentials.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "enrich/describe.h"
#include "enrich/tree.h"

/* What the tree knew before this event.  Where it already has the new ones, another thread was
 * first, and what this one had is not known: NULL. */
static int cred_before(const struct process *process, const struct facts *facts,
		       struct arena *arena, Hinomi__Credentials **ret)
{
	const struct facts *old = &process->facts;

	if (!process->told || (!memcmp(old->ids, facts->ids, sizeof(old->ids)) &&
			       !memcmp(old->caps, facts->caps, sizeof(old->caps))))
		return 0;
	*ret = arena_alloc(arena, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	facts_credentials(old, *ret);
	return 0;
}

int credentials_before(const struct process *process, const struct facts *facts,
		       struct event *event, struct arena *arena)
{
	Hinomi__CredChange *change =
		event->kind == KIND_cred_change ? event->body->cred_change : NULL;
	Hinomi__Exec *exec = event->kind == KIND_exec ? event->body->exec : NULL;
	int r = 0;

	if (change && !change->old_known) {
		r = cred_before(process, facts, arena, &change->old);
		change->old_known = change->old != NULL;
	} else if (exec && exec->setid && !exec->before) {
		r = cred_before(process, facts, arena, &exec->before);
		if (exec->before)
			exec->capabilities_gained = event->process->credentials->cap_permitted &
						    ~exec->before->cap_permitted;
	}
	return r;
}
