/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the guard have in common: a guard that is heard, and events for it. */
#pragma once

#include "guard/guard.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "guard/internal.h"

#define SENSOR	 7000
#define KEEPER	 7001
#define ATTACKER 8000
#define KILLED	 9

struct heard {
	unsigned n;
	Hinomi__SensorTamper__What what;
	char object[PATH_MAX], was[200], is[200];
	uint64_t more;
	const struct event *by;
};

static char spool[] = "/tmp/guard.XXXXXX";

static inline void hear(void *ctx, const Hinomi__SensorTamper *tamper, const struct event *by)
{
	struct heard *heard = ctx;

	heard->n++;
	heard->what = tamper->what;
	heard->more = tamper->more;
	heard->by = by;
	snprintf(heard->object, sizeof(heard->object), "%.*s", (int)tamper->object.len,
		 (const char *)tamper->object.data);
	snprintf(heard->was, sizeof(heard->was), "%s", tamper->was);
	snprintf(heard->is, sizeof(heard->is), "%s", tamper->is);
}

/* An event of `kind` by `pid`, in our own mount namespace. */
struct world {
	Hinomi__Event body;
	Hinomi__Process process;
	Hinomi__ProcessKey key, target_key;
	Hinomi__Namespaces namespaces;
	Hinomi__Target target;
	Hinomi__Signal signal;
	Hinomi__File file;
	Hinomi__FileUnlink unlink;
	Hinomi__Summary summary;
	struct event event;
};

static inline void world_make(struct world *w, unsigned kind, uint32_t pid)
{
	struct stat st;

	hinomi__event__init(&w->body);
	hinomi__process__init(&w->process);
	hinomi__process_key__init(&w->key);
	hinomi__process_key__init(&w->target_key);
	hinomi__namespaces__init(&w->namespaces);
	hinomi__target__init(&w->target);
	hinomi__signal__init(&w->signal);
	hinomi__file__init(&w->file);
	hinomi__file_unlink__init(&w->unlink);
	hinomi__summary__init(&w->summary);
	assert_int_equal(stat("/proc/self/ns/mnt", &st), 0);
	w->namespaces.mnt = (uint32_t)st.st_ino;
	w->key.pid = pid;
	w->key.start_ns = 5;
	w->process.key = &w->key;
	w->process.namespaces = &w->namespaces;
	w->target.key = &w->target_key;
	w->signal.target = &w->target;
	w->signal.signal = KILLED;
	w->unlink.file = w->summary.file = &w->file;
	w->body.body_case = (Hinomi__Event__BodyCase)kind;
	if (kind == KIND_signal)
		w->body.signal = &w->signal;
	else if (kind == KIND_summary)
		w->body.summary = &w->summary;
	else
		w->body.file_unlink = &w->unlink;
	w->event = (struct event){.body = &w->body, .process = &w->process, .kind = kind};
}

static inline void path_set(struct world *w, const char *path)
{
	w->file.path = (ProtobufCBinaryData){strlen(path), (uint8_t *)path};
}

static inline struct guard *guard_make(struct heard *heard)
{
	struct guard *guard;

	*heard = (struct heard){};
	assert_int_equal(guard_new(spool, hear, heard, &guard), 0);
	guard_process(guard, SENSOR, "hinomi-sensor");
	guard_process(guard, KEEPER, "canary keeper");
	return guard;
}

static inline unsigned tells(struct guard *guard, struct heard *heard, const struct world *w)
{
	heard->n = 0;
	guard_see(guard, &w->event);
	return heard->n;
}

static inline int spool_make(void **state)
{
	(void)state;
	return mkdtemp(spool) ? 0 : -1;
}

static inline int spool_remove(void **state)
{
	(void)state;
	return rmdir(spool);
}
