/* SPDX-License-Identifier: Apache-2.0 */
/* What an event costs on its way into an OTLP request: ns each to make the record, to pack it, to
 * compress it. */
#include <stdio.h>

#include "../unit/fill.h"
#include "base/clock.h"
#include "forward/batch.h"
#include "forward/record.h"
#include "frame/frame.h"

#define ROUNDS 200
#define EVENTS 512

static uint8_t id[16] = "bench";

static void set_bytes(ProtobufCBinaryData *bytes, const char *text)
{
	bytes->data = (uint8_t *)text;
	bytes->len = strlen(text);
}

/* A file opened for writing by an ordinary process. */
static void make_event(struct arena *arena, Hinomi__Event *event, Hinomi__Process *process)
{
	static ProtobufCBinaryData ancestors[3], args[4];
	Hinomi__FileOpen *open = arena_alloc(arena, sizeof(*open));
	Hinomi__File *file = arena_alloc(arena, sizeof(*file));
	unsigned salt = 1;

	hinomi__event__init(event);
	hinomi__file_open__init(open);
	hinomi__file__init(file);
	*process = *(Hinomi__Process *)fill_message(arena, &hinomi__process__descriptor, 0, &salt);
	set_bytes(&process->comm, "cc1");
	set_bytes(&process->executable, "/usr/libexec/gcc/x86_64-linux-gnu/13/cc1");
	set_bytes(&process->cgroup_path, "/user.slice/user-1000.slice/session-3.scope");
	set_bytes(&process->container_id, "");
	set_bytes(&process->unit, "session-3.scope");
	set_bytes(&process->login_user, "alice");
	set_bytes(&process->credentials->user, "alice");
	set_bytes(&process->credentials->group, "alice");
	for (int i = 0; i < 3; i++)
		set_bytes(&ancestors[i], "make");
	for (int i = 0; i < 4; i++)
		set_bytes(&args[i], "-Wextra");
	process->ancestors = ancestors;
	process->n_ancestors = 3;
	process->args = args;
	process->n_args = 4;
	set_bytes(&file->path, "/srv/alice/project/build/obj/userspace/base/arena.o");
	file->inode = 123456;
	file->mode = 0100644;
	file->uid = file->gid = 1000;
	file->size = 12345;
	open->file = file;
	open->flags = 577;
	event->body_case = HINOMI__EVENT__BODY_FILE_OPEN;
	event->file_open = open;
	event->time_ns = 123456789;
	event->process = 1;
}

static void say(const char *what, uint64_t total, const char *unit)
{
	printf("%s %.0f %s an event\n", what, (double)total / (ROUNDS * EVENTS), unit);
}

static void make_frame(struct frame *frame, Hinomi__ClockPair **clocks, Hinomi__Process **processes)
{
	clocks[0]->real_ns = 1700000000000000000;
	frame->header->clocks = clocks;
	frame->header->n_clocks = 1;
	frame->header->sensor_id = frame->header->boot_id = frame->header->rings_id =
		(ProtobufCBinaryData){.data = id, .len = sizeof(id)};
	frame->payload->processes = processes;
	frame->payload->n_processes = 1;
}

int main(void)
{
	Hinomi__FrameHeader header = HINOMI__FRAME_HEADER__INIT;
	Hinomi__Payload payload = HINOMI__PAYLOAD__INIT;
	Hinomi__ClockPair clock = HINOMI__CLOCK_PAIR__INIT, *clocks = &clock;
	Hinomi__Event event;
	Hinomi__Process process, *processes = &process;
	struct frame frame = {.header = &header, .payload = &payload};
	struct batch_options options = {.events_max = EVENTS, .bytes_max = 8 << 20, .gzip = true};
	uint64_t made_ns = 0, added_ns = 0, zipped_ns = 0;
	struct recorder *recorder;
	struct batch *batch;
	struct arena arena;
	const uint8_t *body;
	size_t size = 0, plain = 0;

	arena_init(&arena, 16 << 20);
	make_event(&arena, &event, &process);
	make_frame(&frame, &clocks, &processes);
	if (recorder_new(true, &recorder) || batch_new(&options, &batch))
		return 1;
	for (int round = 0; round < ROUNDS; round++) {
		batch_clear(batch);
		for (int i = 0; i < EVENTS; i++) {
			uint64_t begin_ns = clock_boot_ns(), middle_ns;
			const uint8_t *record;
			size_t length;

			event.seq++;
			event.time_ns += 1000;
			event.file_open->file->inode++;
			record = record_of(recorder, &frame, &event, &length);
			middle_ns = clock_boot_ns();
			if (!record ||
			    batch_add(batch, &frame, record, length, &(struct cursor){0}))
				return 1;
			plain += length;
			made_ns += middle_ns - begin_ns;
			added_ns += clock_boot_ns() - middle_ns;
		}
		zipped_ns -= clock_boot_ns();
		if (batch_request(batch, 0, EVENTS, &body, &size))
			return 1;
		zipped_ns += clock_boot_ns();
	}
	say("record", made_ns, "ns");
	say("packed", added_ns, "ns");
	say("gzip", zipped_ns, "ns");
	say("plain", plain, "bytes");
	say("compressed", size * ROUNDS, "bytes");
	batch_free(batch);
	recorder_free(recorder);
	arena_done(&arena);
	return 0;
}
