/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/record.h"

#include <errno.h>
#include <hinomi/record.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/escape.h"
#include "forward/attribute.h"
#include "forward/names.h"
#include "forward/ocsf.h"
#include "forward/walk.h"
#include "frame/frame.h"
#include "render/render.h"

#define LINE_MAX_BYTES 2048
#define NAME_MAX_BYTES 64

/* field numbers of LogRecord, and of what it is in */
enum {
	TIME = 1,
	SEVERITY_NUMBER = 2,
	SEVERITY_TEXT = 3,
	BODY = 5,
	ATTRIBUTES = 6,
	DROPPED = 7,
	OBSERVED_TIME = 11,
	EVENT_NAME = 12,
};

struct recorder {
	bool event_name_attribute;
	FILE *line_out; /* of the line for people */
	char *line;
	size_t line_size;
	uint8_t scratch[2 * ATTRIBUTE_VALUE_MAX];
	uint8_t bytes[RECORD_BYTES_MAX];
};

int recorder_new(bool event_name_attribute, struct recorder **ret)
{
	CLEANUP(recorder_free) struct recorder *recorder = calloc(1, sizeof(*recorder));

	if (!recorder)
		return -ENOMEM;
	recorder->event_name_attribute = event_name_attribute;
	recorder->line_out = open_memstream(&recorder->line, &recorder->line_size);
	if (!recorder->line_out)
		return -errno;
	*ret = TAKE(recorder);
	return 0;
}

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	if (recorder->line_out)
		fclose(recorder->line_out);
	free(recorder->line);
	free(recorder);
}

static void put_id(struct attributes *out, const Hinomi__FrameHeader *header,
		   const Hinomi__Event *event, const char *lane)
{
	char id[128];
	size_t size = 0;

	for (size_t i = 0; i < header->rings_id.len && i < 16; i++)
		size += (size_t)snprintf(id + size, 3, "%02x", header->rings_id.data[i]);
	if (event->cpu == CPU_SENSOR)
		snprintf(id + size, sizeof(id) - size, "-%s-s-%" PRIu64, lane, event->seq);
	else
		snprintf(id + size, sizeof(id) - size, "-%s-%" PRIu32 "-%" PRIu64, lane, event->cpu,
			 event->seq);
	attribute_string(out, "log.record.uid", id);
}

/* What tells a gap from silence, and an event from its copy. */
static void put_order(struct attributes *out, const struct frame *frame, const Hinomi__Event *event)
{
	const char *lane = event->lane == HINOMI__LANE__LANE_KEEP ? "keep" : "bulk";

	put_id(out, frame->header, event, lane);
	attribute_string(out, "hinomi.lane", lane);
	attribute_uint(out, "hinomi.cpu", event->cpu);
	attribute_uint(out, "hinomi.seq", event->seq);
	attribute_uint(out, "hinomi.frame", frame->header->number);
}

static void put_ocsf(struct attributes *out, const struct ocsf *ocsf)
{
	attribute_uint(out, "ocsf.class_uid", ocsf->class_uid);
	attribute_uint(out, "ocsf.activity_id", ocsf->activity_id);
	attribute_uint(out, "ocsf.type_uid", ocsf->class_uid * 100 + ocsf->activity_id);
	attribute_uint(out, "ocsf.severity_id", ocsf->severity_id);
	if (ocsf->activity_name)
		attribute_string(out, "ocsf.activity_name", ocsf->activity_name);
}

static void put_outcome(struct attributes *out, const struct frame *frame,
			const Hinomi__Event *event)
{
	static const char *const fields[] = {"tid", "result", "result_unknown", "tier", "compat"};
	const char *error =
		event->result < 0 && event->result > -4096 ? strerrorname_np(-event->result) : NULL;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		walk_field(out, frame, "hinomi.", &event->base, fields[i]);
	if (error)
		attribute_string(out, "error.type", error);
	if (event->base.n_unknown_fields)
		attribute_uint(out, "hinomi.unknown_fields", event->base.n_unknown_fields);
}

static void put_socket(struct attributes *out, const Hinomi__Socket *sock)
{
	const Hinomi__Address *address = sock->peer ? sock->peer : sock->local;
	uint32_t family = address && address->family ? address->family : sock->family;

	if (sock->family == AF_UNIX)
		attribute_string(out, "network.transport", "unix");
	else if (sock->protocol == IPPROTO_TCP)
		attribute_string(out, "network.transport", "tcp");
	else if (sock->protocol == IPPROTO_UDP)
		attribute_string(out, "network.transport", "udp");
	if (family == AF_INET || family == AF_INET6)
		attribute_string(out, "network.type", family == AF_INET ? "ipv4" : "ipv6");
}

static void put_process(struct attributes *out, const struct frame *frame,
			const Hinomi__Process *process)
{
	const ProtobufCBinaryData *path = &process->executable;
	const uint8_t *slash = path->len ? memrchr(path->data, '/', path->len) : NULL;
	size_t base = slash ? (size_t)(slash + 1 - path->data) : 0;
	char uid[16];

	walk_message(out, frame, "hinomi.process.", "process.", &process->base);
	if (path->len > base)
		attribute_text(out, "process.executable.name", path->data + base, path->len - base);
	if (!process->credentials)
		return;
	snprintf(uid, sizeof(uid), "%" PRIu32, process->credentials->euid);
	attribute_string(out, "user.id", uid);
	if (process->credentials->user.len)
		attribute_text(out, "user.name", process->credentials->user.data,
			       process->credentials->user.len);
}

static void put_body(struct attributes *out, const struct frame *frame, const Hinomi__Event *event,
		     const char *name)
{
	const ProtobufCFieldDescriptor *field;
	const ProtobufCMessage *body;
	char root[NAME_MAX_BYTES + 1];

	if (event->body_case == HINOMI__EVENT__BODY__NOT_SET)
		return;
	field = protobuf_c_message_descriptor_get_field(event->base.descriptor, event->body_case);
	body = *(const ProtobufCMessage *const *)((const char *)event + field->offset);
	snprintf(root, sizeof(root), "%s.", name);
	walk_message(out, frame, root, "", body);
	if (body && body->descriptor == &hinomi__socket__descriptor)
		put_socket(out, (const Hinomi__Socket *)body);
	if (event->body_case == HINOMI__EVENT__BODY_FILE_LINK && event->file_link->symbolic)
		attribute_text(out, "file.symbolic_link.target_path", event->file_link->target.data,
			       event->file_link->target.len);
}

static int put_line(struct recorder *recorder, struct attributes *out, const struct frame *frame,
		    const Hinomi__Event *event)
{
	size_t size;

	rewind(recorder->line_out);
	render_line(recorder->line_out, frame, event);
	if (fflush(recorder->line_out))
		return -ENOMEM;
	size = recorder->line_size;
	if (size > LINE_MAX_BYTES)
		for (size = LINE_MAX_BYTES; size && !is_utf8(recorder->line, size);)
			size--;
	attribute_value(out, BODY, recorder->line, size);
	return 0;
}

static void put_attributes(const struct recorder *recorder, struct attributes *out,
			   const struct frame *frame, const Hinomi__Event *event, const char *name,
			   const struct ocsf *ocsf)
{
	const Hinomi__Process *process = payload_process(frame->payload, event);

	if (recorder->event_name_attribute)
		attribute_string(out, "event.name", name);
	put_order(out, frame, event);
	put_ocsf(out, ocsf);
	put_outcome(out, frame, event);
	put_body(out, frame, event, name);
	if (process)
		put_process(out, frame, process);
	if (out->truncated)
		attribute_bool(out, "hinomi.truncated", true);
}

/* When the sensor had sealed it, as far as is known. */
static uint64_t observed_ns(const struct frame *frame, uint64_t time_ns)
{
	const Hinomi__FrameHeader *header = frame->header;

	return header->n_clocks ? header->clocks[header->n_clocks - 1]->real_ns : time_ns;
}

/* -E2BIG: with values of that length it does not fit. */
static int build(struct recorder *recorder, const struct frame *frame, const Hinomi__Event *event,
		 size_t value_max, size_t *size)
{
	struct wire wire = {.data = recorder->bytes, .capacity = sizeof(recorder->bytes)};
	uint64_t time_ns = frame_real_ns(frame, event->time_ns);
	const struct ocsf ocsf = ocsf_of(event);
	struct attributes out;
	char name[NAME_MAX_BYTES];

	snprintf(name, sizeof(name), "hinomi.%s", event_class(event));
	wire_fixed64(&wire, TIME, time_ns);
	wire_varint(&wire, SEVERITY_NUMBER, (uint64_t)ocsf.severity_number);
	wire_bytes(&wire, SEVERITY_TEXT, ocsf.severity_text, strlen(ocsf.severity_text));
	attributes_init(&out, &wire, ATTRIBUTES, value_max, recorder->scratch);
	if (put_line(recorder, &out, frame, event))
		return -ENOMEM;
	out.start = wire.size;
	put_attributes(recorder, &out, frame, event, name, &ocsf);
	if (out.dropped)
		wire_varint(&wire, DROPPED, out.dropped);
	wire_fixed64(&wire, OBSERVED_TIME, observed_ns(frame, time_ns));
	wire_bytes(&wire, EVENT_NAME, name, strlen(name));
	*size = wire.size;
	return wire.full ? -E2BIG : 0;
}

const uint8_t *record_of(struct recorder *recorder, const struct frame *frame,
			 const Hinomi__Event *event, size_t *size)
{
	/* with the last, as many attributes as there may be fit */
	static const size_t value_max[] = {RECORD_BYTES_MAX, RECORD_BYTES_MAX / 4,
					   RECORD_BYTES_MAX / 16, 128};

	for (size_t i = 0; i < ARRAY_SIZE(value_max); i++) {
		int err = build(recorder, frame, event, value_max[i], size);

		if (err != -E2BIG)
			return err ? NULL : recorder->bytes;
	}
	return NULL;
}
