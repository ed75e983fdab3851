/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins by audit session id.  Each is as old as the login uid that began it and
 * lives as long as a process or a written file refers to it, so that there are
 * never more of them than of those.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event.pb-c.h"

#define SESSION_UNSET UINT32_MAX

struct image;
struct sessions;

struct endpoint {
	uint8_t ip[16];
	uint8_t ip_len; /* 0: none */
	uint16_t port;
};

struct session {
	uint32_t id, refs;
	uint32_t set_by; /* effective user id */
	Hinomi__Session__Kind kind;
	struct endpoint peer;
	bool preexisting;
	uint32_t leader_pid; /* 0: not known */
	uint64_t leader_start_ns, leader_exec_id;
	uint64_t start_ns;	/* 0: not known */
	uint64_t version;	/* another one whenever something here changes */
	struct image *image;	/* what the leader ran; NULL: not known */
	struct sessions *table; /* private */
	struct session *next;	/* private */
};

int sessions_new(struct sessions **ret);
/* No session may be referred to any more. */
void sessions_free(struct sessions *sessions);
/* A new reference; NULL for SESSION_UNSET, and where there is no memory. */
struct session *sessions_get(struct sessions *sessions, uint32_t id);
struct session *session_ref(struct session *session); /* NULL is fine */
void session_unref(struct session *session);	      /* NULL is fine */

/* What is told of the process that set the login uid, or is taken for it. */
struct session_leader {
	uint32_t pid, euid;
	uint64_t start_ns, exec_id;
	struct image *image; /* borrowed; NULL: not known */
	const Hinomi__Endpoint *peer;
};

/* It was seen to begin. */
void session_begin(struct session *session, uint64_t time_ns, const struct session_leader *leader);
/* A process of it that ran before the sensor looked: if it can have begun the session, and is older
 * than who was taken for that, it is taken. */
void session_found(struct session *session, const struct session_leader *leader);

void endpoint_set(struct endpoint *to, const Hinomi__Endpoint *from);
/* `to` points into `from`. */
void endpoint_message(const struct endpoint *from, Hinomi__Endpoint *to);
