/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/provenance.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "enrich/describe.h"
#include "enrich/image.h"
#include "enrich/origin.h"
#include "enrich/tree.h"

static bool is_loopback(const ProtobufCBinaryData *ip)
{
	static const uint8_t six[16] = {[15] = 1};

	return ip->len == 4 ? ip->data[0] == IN_LOOPBACKNET
			    : ip->len == 16 && !memcmp(ip->data, six, sizeof(six));
}

static void connect_learn(struct process *process, const Hinomi__Event *event)
{
	const Hinomi__Socket *socket = event->connect;
	Hinomi__Endpoint peer = HINOMI__ENDPOINT__INIT;

	if (event->result && event->result != -EINPROGRESS)
		return;
	if (socket->type != SOCK_STREAM || !socket->peer || !socket->peer->ip.len ||
	    is_loopback(&socket->peer->ip))
		return;
	peer.ip = socket->peer->ip;
	peer.port = socket->peer->port;
	endpoint_set(&process->peer, &peer);
}

static void write_learn(struct origins *origins, const struct process *process,
			const struct event *event, const Hinomi__File *file)
{
	const struct facts *facts = &process->facts;
	struct origin origin = {
		.pid = process->pid,
		.start_ns = process->start_ns,
		.exec_id = facts->exec_id,
		.uid = facts->ids[FACTS_EUID],
		.login_uid = facts->login_uid,
		.session = process->session,
		.image = tree_image(process, facts->exec_id),
		.peer = process->peer,
		.time_ns = event->body->time_ns,
		.created = event->kind == KIND_file_create,
	};

	if (!event->body->result && origins_wants(file))
		origins_note(origins, file, &origin);
}

void provenance_learn(struct origins *origins, struct process *process, const struct event *event)
{
	const Hinomi__FileUnlink *unlink;

	switch ((unsigned)event->body->body_case) { /* numbers are those of the kinds */
	case KIND_connect:
		connect_learn(process, event->body);
		break;
	case KIND_file_create:
		write_learn(origins, process, event, event->body->file_create->file);
		break;
	case KIND_file_open:
		write_learn(origins, process, event, event->body->file_open->file);
		break;
	case KIND_file_unlink:
		unlink = event->body->file_unlink;
		if (!event->body->result && origins_wants(unlink->file) && unlink->file->links <= 1)
			origins_forget(origins, unlink->file);
		break;
	default:
		break;
	}
}

struct told {
	Hinomi__Origin origin;
	Hinomi__ProcessKey writer;
	Hinomi__Endpoint peer;
	struct session_message session;
	char bytes[];
};

/* A shell makes a child for `program > file`, which opens the file and then executes the program.
 */
static const struct image *image_of(const struct origin *origin, const struct process *writer)
{
	bool untried = writer && writer->creator.pid && writer->creator.exec_id == origin->exec_id;
	const struct image *next = untried ? tree_image(writer, origin->exec_id + 1) : NULL;

	return next ? next : origin->image;
}

static void told_fill(struct told *told, const struct origin *from, const struct image *image,
		      const struct endpoint *peer)
{
	Hinomi__Origin *to = &told->origin;
	char *at = told->bytes;

	hinomi__origin__init(to);
	hinomi__process_key__init(&told->writer);
	told->writer.pid = from->pid;
	told->writer.start_ns = from->start_ns;
	told->writer.exec_id = from->exec_id;
	to->writer = &told->writer;
	to->uid = from->uid;
	to->login_uid = from->login_uid;
	to->time_ns = from->time_ns;
	to->created = from->created;
	if (image)
		to->executable = describe_put(&at, image->data, image->path_size);
	if (peer->ip_len) {
		hinomi__endpoint__init(&told->peer);
		told->peer.ip = describe_put(&at, peer->ip, peer->ip_len);
		told->peer.port = peer->port;
		to->peer = &told->peer;
	}
	if (from->session)
		to->session = describe_session(from->session, &at, &told->session);
}

static int file_tell(const struct origins *origins, struct tree *tree, Hinomi__File *file,
		     struct arena *arena)
{
	const struct origin *origin = origins_wants(file) ? origins_find(origins, file) : NULL;
	const struct process *writer;
	const struct endpoint *peer;
	const struct image *image;
	struct told *told;

	if (!origin)
		return 0;
	writer = tree_find(tree, origin->pid, origin->start_ns);
	image = image_of(origin, writer);
	peer = origin->peer.ip_len || !writer ? &origin->peer : &writer->peer;
	told = arena_alloc(arena, sizeof(*told) + (image ? image->path_size : 0u) + peer->ip_len +
					  describe_session_bytes(origin->session));
	if (!told)
		return -ENOMEM;
	told_fill(told, origin, image, peer);
	file->origin = &told->origin;
	return 0;
}

/* Classes that are about files as such name who did it anyway. */
static bool is_file_class(unsigned kind)
{
	return (kind >= KIND_file_create && kind <= KIND_file_owner) || (kind >= 80 && kind <= 87);
}

static int field_tell(const struct origins *origins, struct tree *tree,
		      const ProtobufCFieldDescriptor *field, char *body, struct arena *arena)
{
	void *at = body + field->offset;
	Hinomi__File **files =
		field->label == PROTOBUF_C_LABEL_REPEATED ? *(Hinomi__File ***)at : at;
	size_t n = field->label == PROTOBUF_C_LABEL_REPEATED
			   ? *(size_t *)(body + field->quantifier_offset)
			   : 1;
	int r = 0;

	for (size_t i = 0; i < n && !r; i++)
		r = file_tell(origins, tree, files[i], arena);
	return r;
}

int provenance_tell(const struct origins *origins, struct tree *tree, const struct event *event,
		    struct arena *arena)
{
	const ProtobufCFieldDescriptor *in_event = protobuf_c_message_descriptor_get_field(
		event->body->base.descriptor, (unsigned)event->body->body_case);
	const ProtobufCMessageDescriptor *type;
	char *body;
	int r = 0;

	if (!in_event || is_file_class(event->kind))
		return 0;
	body = *(char **)((char *)event->body + in_event->offset);
	type = in_event->descriptor;
	for (unsigned i = 0; i < type->n_fields && !r; i++)
		if (type->fields[i].descriptor == &hinomi__file__descriptor)
			r = field_tell(origins, tree, &type->fields[i], body, arena);
	return r;
}
