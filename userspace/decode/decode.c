/* SPDX-License-Identifier: Apache-2.0 */
/* The head that every record has, and the table that knows the decoder of each class. */
#include "decode/decode.h"

#include <errno.h>
#include <hinomi/record.h>

#include "base/arena.h"
#include "decode/bodies.h"
#include "decode/source.h"

static void (*const decoders[KINDS_MAX])(struct source *source, Hinomi__Event *event) = {
#define KIND(name, number, lane) [number] = decode_##name,
	FOR_EACH_KERNEL_KIND(KIND)
#undef KIND
		[KIND_task] = decode_task,
};

static Hinomi__Event *decode_head(struct source *source, const struct record *record)
{
	Hinomi__Event *event = source_alloc(source, sizeof(*event));

	if (!event)
		return NULL;
	hinomi__event__init(event);
	event->time_ns = record->time_ns;
	event->seq = record->seq;
	event->cpu = record->cpu;
	event->lane = (Hinomi__Lane)record->lane;
	event->tid = record->actor.tid;
	event->result = record->result;
	event->result_unknown = !!(record->flags & RECORD_RESULT_UNKNOWN);
	event->tier = record->tier;
	event->compat = !!(record->flags & RECORD_COMPAT);
	return event;
}

int decode_record(const void *data, size_t size, struct arena *arena, struct event *ret)
{
	struct source source = {.data = data, .size = size, .arena = arena};
	const struct record *record = source_fixed(&source, sizeof(*record));
	struct event event = {0};

	if (!record || (uintptr_t)data % _Alignof(struct record))
		return -EBADMSG;
	if (record->size < sizeof(*record) || record->size > size || record->lane >= LANES)
		return -EBADMSG;
	if (record->kind >= KINDS_MAX || !decoders[record->kind])
		return -EBADMSG;
	source.size = record->size;
	event.kind = record->kind;
	event.lane = record->lane;
	event.body = decode_head(&source, record);
	if (!(record->flags & RECORD_NO_ACTOR))
		event.process = source_process(&source, &record->actor);
	if (event.body)
		decoders[record->kind](&source, event.body);
	if (record->kind == KIND_task && event.process)
		decode_task_session(&source, event.process);
	if (source.error)
		return source.error;
	event.watch = source.watch;
	*ret = event;
	return 0;
}
