/* SPDX-License-Identifier: Apache-2.0 */
#include "render/topic.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/escape.h"
#include "render/body.h"
#include "render/render.h"
#include "render/words.h"

#define SHORT_RUN_NS (10 * NS_PER_SEC)
#define ID_UNSET     UINT32_MAX

/* FNV-1a; the seed is secret, so that nobody can make his line fall in with another's */
uint64_t topic_hash(uint64_t hash, const void *data, size_t size)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash ? hash : 1;
}

static uint64_t hash_bytes(uint64_t hash, const ProtobufCBinaryData *bytes)
{
	return topic_hash(topic_hash(hash, &bytes->len, sizeof(bytes->len)), bytes->data,
			  bytes->len);
}

static uint64_t hash_key(uint64_t hash, const Hinomi__ProcessKey *key)
{
	if (!key)
		return hash;
	hash = topic_hash(hash, &key->pid, sizeof(key->pid));
	return topic_hash(hash, &key->start_ns, sizeof(key->start_ns));
}

static ProtobufCBinaryData directory(const Hinomi__File *file)
{
	ProtobufCBinaryData path = {0};
	const uint8_t *slash;

	if (!file || !file->path.len || !file->path.data)
		return path;
	path = file->path;
	slash = memrchr(path.data, '/', path.len);
	if (slash)
		path.len = slash == path.data ? 1 : (size_t)(slash - path.data);
	return path;
}

static uint64_t hash_address(uint64_t hash, const Hinomi__Address *address)
{
	if (!address)
		return hash;
	hash = hash_bytes(hash, &address->ip);
	hash = hash_bytes(hash, &address->path);
	return hash_bytes(hash, &address->raw);
}

/* accept: callers differ in their ports, the place is where they came to */
static const Hinomi__Address *place_of(const Hinomi__Event *event, const Hinomi__Socket *socket)
{
	if (event->body_case == HINOMI__EVENT__BODY_CONNECT)
		return socket->peer;
	return socket->local;
}

static uint64_t hash_place(uint64_t hash, const Hinomi__Event *event)
{
	const Hinomi__Socket *socket = body_socket(event);
	const Hinomi__Address *address = socket ? place_of(event, socket) : NULL;
	ProtobufCBinaryData dir = directory(body_file(event));

	hash = topic_hash(hash, &event->result, sizeof(event->result));
	if (address)
		hash = topic_hash(hash_address(hash, address), &address->port,
				  sizeof(address->port));
	return hash_bytes(hash, &dir);
}

static bool stands_alone(const Hinomi__Event *event)
{
	switch (event->body_case) {
	case HINOMI__EVENT__BODY_CRED_CHANGE:
	case HINOMI__EVENT__BODY_MODULE_LOAD:
	case HINOMI__EVENT__BODY_MODULE_UNLOAD:
	case HINOMI__EVENT__BODY_BPF:
	case HINOMI__EVENT__BODY_PROBE:
	case HINOMI__EVENT__BODY_SYSCTL:
	case HINOMI__EVENT__BODY_SYSTEM:
	case HINOMI__EVENT__BODY_SENSOR_START:
	case HINOMI__EVENT__BODY_SENSOR_STOP:
	case HINOMI__EVENT__BODY_HEARTBEAT:
	case HINOMI__EVENT__BODY_COVERAGE:
	case HINOMI__EVENT__BODY_SENSOR_TAMPER:
	case HINOMI__EVENT__BODY_CONFIG_CHANGE:
	case HINOMI__EVENT__BODY_GAP:
	case HINOMI__EVENT__BODY__NOT_SET:
		return true;
	default:
		return false;
	}
}

static struct topic exec_topic(const Hinomi__Exec *exec, const Hinomi__Process *process,
			       uint64_t hash)
{
	struct topic topic;

	hash = hash_key(hash, process->parent);
	if (exec->file)
		hash = hash_bytes(hash, &exec->file->path);
	topic.coarse = topic_hash(hash, "c", 1);
	for (size_t i = 0; i < exec->n_args; i++)
		hash = hash_bytes(hash, &exec->args[i]);
	topic.fine = topic_hash(hash, "f", 1);
	return topic;
}

struct topic topic_of(const Hinomi__Event *event, const Hinomi__Process *process, uint64_t seed)
{
	uint64_t hash = topic_hash(seed, &event->body_case, sizeof(event->body_case));

	if (!process || stands_alone(event))
		return (struct topic){0};
	if (event->body_case == HINOMI__EVENT__BODY_EXEC)
		return exec_topic(event->exec, process, hash);
	hash = hash_place(hash, event);
	return (struct topic){
		.fine = topic_hash(hash_key(hash, process->key), "f", 1),
		.coarse = topic_hash(hash_key(hash_bytes(hash, &process->comm), process->parent),
				     "c", 1),
	};
}

void topic_who(FILE *out, const ProtobufCBinaryData *comm, uint32_t pid)
{
	escape_text(out, comm->data, comm->len);
	fprintf(out, "[%u]", pid);
}

static void put_peer(FILE *out, const Hinomi__Session *session)
{
	const Hinomi__Endpoint *peer = session ? session->peer : NULL;
	char ip[INET6_ADDRSTRLEN];

	if (peer && words_ip(peer->ip.data, peer->ip.len, ip))
		fprintf(out, "@%s", ip);
}

/* root, or root(alice) when alice had logged in, root(alice@203.0.113.7) when she came from there
 */
void topic_user(FILE *out, const Hinomi__Process *process)
{
	const Hinomi__Credentials *cred = process ? process->credentials : NULL;
	bool other;

	if (!cred) {
		putc('-', out);
		return;
	}
	if (cred->user.len)
		body_bytes(out, &cred->user);
	else
		fprintf(out, "%u", cred->euid);
	if (process->login_uid == ID_UNSET)
		return;
	other = process->login_uid != cred->euid;
	if (other)
		putc('(', out);
	if (other && process->login_user.len)
		body_bytes(out, &process->login_user);
	else if (other)
		fprintf(out, "%u", process->login_uid);
	put_peer(out, process->session);
	if (other)
		putc(')', out);
}

static void put_place(FILE *out, const Hinomi__Event *event)
{
	const Hinomi__Socket *socket = body_socket(event);
	ProtobufCBinaryData dir = directory(body_file(event));

	if (event->body_case == HINOMI__EVENT__BODY_EXEC) {
		fputs("of ", out);
		if (event->exec->file && event->exec->file->path.len)
			body_bytes(out, &event->exec->file->path);
		else
			body_bytes(out, &event->exec->filename);
	} else if (socket) {
		fputs(event->body_case == HINOMI__EVENT__BODY_CONNECT ? "to " : "at ", out);
		words_address(out, place_of(event, socket));
	} else if (dir.len) {
		fputs("in ", out);
		body_bytes(out, &dir);
	}
	if (event->result) {
		putc(' ', out);
		words_error(out, event->result);
	}
}

/* Writes to one of the label's texts; what does not fit is cut between characters. */
static FILE *label_open(char text[FOLD_TEXT_MAX])
{
	text[0] = text[FOLD_TEXT_MAX - 1] = '\0';
	return fmemopen(text, FOLD_TEXT_MAX - 1, "w");
}

static void label_close(FILE *out, char text[FOLD_TEXT_MAX])
{
	size_t length;

	fclose(out);
	length = strlen(text);
	if (length < FOLD_TEXT_MAX - 2)
		return;
	while (length && (text[length - 1] & 0xc0) == 0x80)
		length--;
	text[length ? length - 1 : 0] = '\0';
}

void topic_label(const Hinomi__Event *event, const Hinomi__Process *process, bool coarse,
		 struct fold_label *ret)
{
	bool of_parent = process->n_ancestors && process->parent &&
			 (coarse || event->body_case == HINOMI__EVENT__BODY_EXEC);
	FILE *out;

	*ret = (struct fold_label){.class = event_class(event), .style = body_style(event)};
	out = label_open(ret->who);
	if (out) {
		if (of_parent)
			topic_who(out, &process->ancestors[0], process->parent->pid);
		else
			topic_who(out, &process->comm, process->key ? process->key->pid : 0);
		label_close(out, ret->who);
	}
	out = label_open(ret->user);
	if (out) {
		topic_user(out, process);
		label_close(out, ret->user);
	}
	out = label_open(ret->place);
	if (out) {
		if (coarse && event->body_case != HINOMI__EVENT__BODY_EXEC) {
			fputs("by ", out);
			body_bytes(out, &process->comm);
			putc(' ', out);
		}
		put_place(out, event);
		label_close(out, ret->place);
	}
}

static bool is_path(const Hinomi__File *file, const char *path)
{
	return file && file->path.len == strlen(path) &&
	       !memcmp(file->path.data, path, file->path.len);
}

bool topic_is_routine(const Hinomi__Event *event)
{
	const Hinomi__Exit *ended;

	switch (event->body_case) {
	case HINOMI__EVENT__BODY_EXIT:
		ended = event->exit;
		return !ended->code && !ended->signal && ended->run_ns < SHORT_RUN_NS;
	case HINOMI__EVENT__BODY_FILE_OPEN:
		return is_path(event->file_open->file, "/dev/null") ||
		       is_path(event->file_open->file, "/dev/tty");
	case HINOMI__EVENT__BODY_FILE_HASH:
		return true;
	default:
		return false;
	}
}
