/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "enrich/image.h"

#define BUCKETS 1024

#define SSH	HINOMI__SESSION__KIND__KIND_SSH
#define CONSOLE HINOMI__SESSION__KIND__KIND_CONSOLE
#define CRON	HINOMI__SESSION__KIND__KIND_CRON
#define MANAGER HINOMI__SESSION__KIND__KIND_MANAGER
#define DISPLAY HINOMI__SESSION__KIND__KIND_DISPLAY
#define OTHER	HINOMI__SESSION__KIND__KIND_OTHER

struct sessions {
	struct session *buckets[BUCKETS];
	uint64_t versions;
};

int sessions_new(struct sessions **ret)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));

	if (!sessions)
		return -ENOMEM;
	*ret = sessions;
	return 0;
}

void sessions_free(struct sessions *sessions)
{
	free(sessions);
}

static struct session **bucket_of(struct sessions *sessions, uint32_t id)
{
	return &sessions->buckets[id % BUCKETS]; /* the kernel counts them up */
}

struct session *sessions_get(struct sessions *sessions, uint32_t id)
{
	struct session **bucket = bucket_of(sessions, id), *session = *bucket;

	if (id == SESSION_UNSET)
		return NULL;
	while (session && session->id != id)
		session = session->next;
	if (session)
		return session_ref(session);
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->id = id;
	session->refs = 1;
	session->version = ++sessions->versions;
	session->table = sessions;
	session->next = *bucket;
	*bucket = session;
	return session;
}

struct session *session_ref(struct session *session)
{
	if (session)
		session->refs++;
	return session;
}

void session_unref(struct session *session)
{
	struct session **link;

	if (!session || --session->refs)
		return;
	link = bucket_of(session->table, session->id);
	while (*link != session)
		link = &(*link)->next;
	*link = session->next;
	image_unref(session->image);
	free(session);
}

static Hinomi__Session__Kind kind_of(const struct image *image, uint32_t euid)
{
	static const struct {
		const char *program;
		Hinomi__Session__Kind kind;
	} programs[] = {
		{"sshd", SSH},
		{"sshd-session", SSH},
		{"dropbear", SSH},
		{"login", CONSOLE},
		{"cron", CRON},
		{"crond", CRON},
		{"atd", CRON},
		{"systemd", MANAGER},
		{"systemd-executor", MANAGER},
		{"gdm-session-worker", DISPLAY},
		{"lightdm", DISPLAY},
		{"sddm-helper", DISPLAY},
		{"xdm", DISPLAY},
	};
	const char *name;
	size_t len;

	if (!image || !image->path_size || euid)
		return OTHER;
	name = memrchr(image->data, '/', image->path_size);
	name = name ? name + 1 : image->data;
	len = (size_t)(image->data + image->path_size - name);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (strlen(programs[i].program) == len && !memcmp(name, programs[i].program, len))
			return programs[i].kind;
	return OTHER;
}

static void leader_set(struct session *session, const struct session_leader *leader)
{
	struct image *image = image_ref(leader->image);

	image_unref(session->image);
	session->image = image;
	session->leader_pid = leader->pid;
	session->leader_start_ns = leader->start_ns;
	session->leader_exec_id = leader->exec_id;
	session->set_by = leader->euid;
	session->kind = kind_of(leader->image, leader->euid);
	endpoint_set(&session->peer, leader->peer);
	session->version = ++session->table->versions;
}

void session_begin(struct session *session, uint64_t time_ns, const struct session_leader *leader)
{
	leader_set(session, leader);
	session->start_ns = time_ns;
	session->preexisting = false;
}

void session_found(struct session *session, const struct session_leader *leader)
{
	if (session->start_ns)
		return;
	session->preexisting = true;
	if (kind_of(leader->image, leader->euid) == OTHER)
		return;
	if (!session->leader_pid || leader->start_ns < session->leader_start_ns)
		leader_set(session, leader);
}

void endpoint_set(struct endpoint *to, const Hinomi__Endpoint *from)
{
	memset(to, 0, sizeof(*to));
	if (!from || !from->ip.len || from->ip.len > sizeof(to->ip))
		return;
	memcpy(to->ip, from->ip.data, from->ip.len);
	to->ip_len = (uint8_t)from->ip.len;
	to->port = (uint16_t)from->port;
}

void endpoint_message(const struct endpoint *from, Hinomi__Endpoint *to)
{
	hinomi__endpoint__init(to);
	to->ip = (ProtobufCBinaryData){.data = (uint8_t *)from->ip, .len = from->ip_len};
	to->port = from->port;
}
