/* SPDX-License-Identifier: Apache-2.0 */
/* A frame made by hand, and what render/ writes of it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "fill.h"
#include "frame/frame.h"
#include "render/render.h"

struct fixture {
	struct frame frame;
	Hinomi__FrameHeader *header;
	Hinomi__Payload payload;
	Hinomi__Process *processes[1];
	Hinomi__ClockPair clock, *clocks[1];
};

static inline void fixture_init(struct fixture *f, Hinomi__Process *process)
{
	*f = (struct fixture){.header = calloc(1, sizeof(*f->header))};
	hinomi__frame_header__init(f->header);
	f->header->boot_id.data = memset(malloc(16), 0xab, 16);
	f->header->boot_id.len = 16;
	f->header->rings_id.data = memset(malloc(16), 0xcd, 16);
	f->header->rings_id.len = 16;
	f->header->sensor_id.data = memset(malloc(16), 0x01, 16);
	f->header->sensor_id.len = 16;
	f->header->number = 7;
	hinomi__clock_pair__init(&f->clock);
	f->clock.boot_ns = 1000 * NS_PER_SEC;
	f->clock.real_ns = 1795442400 * NS_PER_SEC; /* 2026-11-23T14:00:00Z */
	f->clocks[0] = &f->clock;
	f->header->clocks = f->clocks;
	f->header->n_clocks = 1;
	hinomi__payload__init(&f->payload);
	f->processes[0] = process;
	f->payload.processes = f->processes;
	f->payload.n_processes = process ? 1 : 0;
	f->frame.header = f->header;
	f->frame.payload = &f->payload;
}

static inline void fixture_done(struct fixture *f)
{
	f->header->n_clocks = 0;
	f->header->clocks = NULL;
	hinomi__frame_header__free_unpacked(f->header, NULL);
}

static inline char *text_of(const struct fixture *f, const struct text_options *options,
			    Hinomi__Event *const *events, size_t count)
{
	static char *shown;
	static size_t size;
	FILE *out = open_memstream(&shown, &size);
	struct text *text;

	assert_int_equal(text_new(out, options, &text), 0);
	for (size_t i = 0; i < count; i++)
		text_event(text, &f->frame, events[i]);
	text_end(text);
	text_free(text);
	fclose(out);
	return shown;
}

/* Every class with every field set. */
static inline void for_each_class(void (*check)(const struct fixture *f, Hinomi__Event *event))
{
	const ProtobufCMessageDescriptor *type = &hinomi__event__descriptor;
	unsigned salt = 0;
	struct arena arena;
	struct fixture f;

	arena_init(&arena, 1 << 20);
	for (unsigned i = 0; i < type->n_fields; i++) {
		Hinomi__Event *event;

		if (!(type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			continue;
		fixture_init(&f, fill_message(&arena, &hinomi__process__descriptor, 0, &salt));
		event = fill_message(&arena, type, type->fields[i].id, &salt);
		event->process = 1;
		event->result = INT32_MIN;
		assert_string_equal(event_class(event), type->fields[i].name);
		check(&f, event);
		fixture_done(&f);
		arena_reset(&arena);
	}
	arena_done(&arena);
}
