/* SPDX-License-Identifier: Apache-2.0 */
/* Seal writes, frame reads: every field must come through, and nothing else may. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fill.h"
#include "frame/frame.h"
#include "seal/seal.h"

static const struct seal_identity identity = {"sensor", "boot", "rings"};
static const struct seal_state fresh;

static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 64 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static struct sealer *new_sealer(enum lane lane, const struct seal_state *chain)
{
	struct sealer *sealer = NULL;

	assert_int_equal(sealer_new(lane, &identity, chain, &sealer), 0);
	return sealer;
}

static struct frame *finish(struct sealer *sealer)
{
	struct frame *frame = NULL;
	const uint8_t *bytes;
	size_t size;

	assert_int_equal(sealer_finish(sealer, NULL, 0, false, &bytes, &size), 0);
	assert_int_equal(frame_read(bytes, size, &frame), 0);
	assert_int_equal(frame_open_payload(frame), 0);
	return frame;
}

static void assert_same(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	size_t size = protobuf_c_message_get_packed_size(a);
	uint8_t *left = malloc(size + 1), *right = malloc(size + 1);

	assert_int_equal(size, protobuf_c_message_get_packed_size(b));
	protobuf_c_message_pack(a, left);
	protobuf_c_message_pack(b, right);
	assert_memory_equal(left, right, size);
	free(left);
	free(right);
}

static void every_field_of_every_kind(void **state)
{
	unsigned salt = 11;

	(void)state;
	for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
		CLEANUP(sealer_free) struct sealer *sealer = NULL;
		CLEANUP(frame_free) struct frame *frame = NULL;
		struct event events[5];

		if (!kind_name(kind))
			continue;
		sealer = new_sealer((enum lane)kind_lane(kind), &fresh);
		for (unsigned i = 0; i < ARRAY_SIZE(events); i++) {
			events[i] = fill_event(&arena, kind, i, i + 1, &salt);
			assert_int_equal(sealer_add(sealer, &events[i]), 0);
		}
		frame = finish(sealer);
		assert_int_equal(frame->header->events, ARRAY_SIZE(events));
		for (unsigned i = 0; i < ARRAY_SIZE(events); i++) {
			const Hinomi__Event *event = frame->payload->events[i];

			assert_same(&event->base, &events[i].body->base);
			assert_int_equal(event->body_case, kind);
			assert_int_equal(!!event->process, !!events[i].process);
			if (event->process)
				assert_same(&frame->payload->processes[event->process - 1]->base,
					    &events[i].process->base);
		}
		arena_reset(&arena);
	}
}

static bool one_in(unsigned n, unsigned *seed)
{
	return !((unsigned)rand_r(seed) % n);
}

/* Takes out some of what is in a message, and changes some numbers; lengths of lists as well. */
static void thin(ProtobufCMessage *message, unsigned *seed)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		uint8_t *at = (uint8_t *)message + field->offset;
		size_t *n = (size_t *)((uint8_t *)message + field->quantifier_offset);
		bool list = field->label == PROTOBUF_C_LABEL_REPEATED;
		ProtobufCMessage **child = (ProtobufCMessage **)at;

		if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
			if (*(uint32_t *)n == field->id)
				thin(*child, seed);
		} else if (list) {
			*n -= *n && one_in(3, seed) ? 1 : 0;
		} else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
			if (*child && one_in(6, seed))
				*child = NULL;
			else if (*child)
				thin(*child, seed);
		} else if (field->type == PROTOBUF_C_TYPE_BYTES) {
			ProtobufCBinaryData *bytes = (ProtobufCBinaryData *)at;

			bytes->len -= bytes->len && one_in(4, seed) ? 1 : 0;
		} else if (field->type == PROTOBUF_C_TYPE_STRING) {
			if (one_in(3, seed))
				*(const char **)at = "";
		} else if (field->type != PROTOBUF_C_TYPE_BOOL && one_in(3, seed)) {
			*(uint32_t *)at = one_in(2, seed) ? 0 : (uint32_t)rand_r(seed);
		}
	}
}

static enum kind any_kind(enum lane lane, unsigned *seed)
{
	unsigned kind;

	do
		kind = (unsigned)rand_r(seed) % KINDS_MAX;
	while (kind_lane(kind) != (int)lane);
	return (enum kind)kind;
}

/* Events that are like those before them, or not, in any order: what the frame leaves out must come
 * back as it was. */
static void what_is_left_out_comes_back(void **state)
{
	static struct event events[200];
	unsigned salt = 1, seed = 7;

	(void)state;
	for (int round = 0; round < 60; round++) {
		enum lane lane = round & 1 ? LANE_BULK : LANE_KEEP;
		CLEANUP(sealer_free) struct sealer *sealer = new_sealer(lane, &fresh);
		CLEANUP(frame_free) struct frame *frame = NULL;

		for (unsigned i = 0; i < ARRAY_SIZE(events); i++) {
			enum kind kind = any_kind(lane, &seed);
			unsigned from = salt;

			if (i && one_in(2, &seed)) { /* once more the class, with the same values */
				kind = events[i - 1].kind;
				from -= one_in(2, &seed) ? 1 : 0;
			}
			events[i] =
				fill_event(&arena, kind, (unsigned)rand_r(&seed) % 4, i + 1, &from);
			salt += one_in(8, &seed);
			thin(&events[i].body->base, &seed);
			events[i].body->lane = (Hinomi__Lane)lane;
			events[i].body->cpu = (unsigned)rand_r(&seed) % 4;
			events[i].body->seq = i + 1;
			if (events[i].process)
				thin(&events[i].process->base, &seed);
			assert_int_equal(sealer_add(sealer, &events[i]), 0);
		}
		frame = finish(sealer);
		for (unsigned i = 0; i < ARRAY_SIZE(events); i++) {
			const Hinomi__Event *event = frame->payload->events[i];

			assert_same(&event->base, &events[i].body->base);
			if (event->process)
				assert_same(&frame->payload->processes[event->process - 1]->base,
					    &events[i].process->base);
		}
		arena_reset(&arena);
	}
}

static void header_says_it_all(void **state)
{
	CLEANUP(sealer_free) struct sealer *sealer = new_sealer(LANE_BULK, &fresh);
	CLEANUP(frame_free) struct frame *frame = NULL;
	static const struct {
		uint32_t cpu;
		uint64_t seq;
	} order[] = {{2, 10}, {0, 7}, {2, 12}, {2, 11}};
	static const struct {
		uint32_t cpu;
		uint64_t first, last;
	} runs[] = {{2, 10, 10}, {0, 7, 7}, {2, 12, 20},
		    {2, 11, 11}, {0, 3, 5}, {CPU_SENSOR, 1, 1}};
	Hinomi__LedgerRow rows[2];
	const Hinomi__FrameHeader *header;
	unsigned salt = 2;
	const uint8_t *bytes;
	size_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct event event =
			fill_event(&arena, KIND_exit, order[i].cpu, order[i].seq, &salt);

		assert_int_equal(sealer_add(sealer, &event), 0);
	}
	assert_int_equal(sealer_cover(sealer, 0, 3, 5), 0);
	assert_int_equal(sealer_cover(sealer, CPU_SENSOR, 1, 1), 0);
	assert_int_equal(sealer_cover(sealer, 2, 13, 20), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		memcpy(&rows[i], fill_message(&arena, &hinomi__ledger_row__descriptor, 0, &salt),
		       sizeof(*rows));
	assert_int_equal(sealer_finish(sealer, rows, ARRAY_SIZE(rows), true, &bytes, &size), 0);
	assert_int_equal(frame_read(bytes, size, &frame), 0);
	header = frame->header;
	assert_int_equal(header->version, 1);
	assert_memory_equal(header->sensor_id.data, identity.sensor_id, 16);
	assert_memory_equal(header->boot_id.data, identity.boot_id, 16);
	assert_memory_equal(header->rings_id.data, identity.rings_id, 16);
	assert_int_equal(header->lane, LANE_BULK);
	assert_int_equal(header->number, 1);
	assert_int_equal(header->previous.len, 0);
	assert_int_equal(header->events, ARRAY_SIZE(order));
	assert_true(header->ledger_whole);
	assert_int_equal(header->n_ledger, 2);
	assert_same(&header->ledger[0]->base, &rows[0].base);
	assert_same(&header->ledger[1]->base, &rows[1].base);
	/* runs of numbers, in the order in which they came */
	assert_int_equal(header->n_sequences, ARRAY_SIZE(runs));
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		assert_int_equal(header->sequences[i]->cpu, runs[i].cpu);
		assert_int_equal(header->sequences[i]->first, runs[i].first);
		assert_int_equal(header->sequences[i]->last, runs[i].last);
	}
	assert_int_equal(header->n_clocks, 1);
	assert_true(header->clocks[0]->boot_ns <= clock_boot_ns());
	assert_true(header->clocks[0]->real_ns <= clock_real_ns());
	assert_int_equal(header->algorithm, HINOMI__ALGORITHM__ALGORITHM_NONE);
	arena_reset(&arena);
}

static void chain_goes_on_over_a_restart(void **state)
{
	CLEANUP(sealer_free) struct sealer *keep = new_sealer(LANE_KEEP, &fresh);
	CLEANUP(sealer_free) struct sealer *bulk = new_sealer(LANE_BULK, &fresh);
	uint8_t previous[LANES][32] = {0};
	unsigned salt = 4;

	(void)state;
	for (uint64_t number = 1; number <= 6; number++) {
		struct event events[LANES] = {fill_event(&arena, KIND_exec, 0, number, &salt),
					      fill_event(&arena, KIND_fork, 0, number, &salt)};
		struct sealer *sealers[LANES] = {keep, bulk};

		for (unsigned lane = 0; lane < LANES; lane++) {
			CLEANUP(frame_free) struct frame *frame = NULL;

			if (number % 3) /* every third is empty */
				assert_int_equal(sealer_add(sealers[lane], &events[lane]), 0);
			frame = finish(sealers[lane]);
			assert_int_equal(frame->header->number, number);
			assert_int_equal(frame->header->lane, lane);
			assert_int_equal(frame->header->previous.len, number == 1 ? 0 : 32);
			if (number > 1)
				assert_memory_equal(frame->header->previous.data, previous[lane],
						    32);
			memcpy(previous[lane], frame->hash, 32);
		}
		if (number == 4) {
			struct seal_state chain;

			sealer_state(bulk, &chain);
			assert_int_equal(chain.number, 4);
			sealer_free(bulk);
			bulk = new_sealer(LANE_BULK, &chain);
		}
		arena_reset(&arena);
	}
	assert_memory_not_equal(previous[0], previous[1], 32);
}

static void compressed_only_where_it_helps(void **state)
{
	CLEANUP(sealer_free) struct sealer *sealer = new_sealer(LANE_KEEP, &fresh);
	Hinomi__Exec exec = HINOMI__EXEC__INIT;
	Hinomi__Event body = HINOMI__EVENT__INIT;
	struct event event = {&body, NULL, KIND_exec, LANE_KEEP};
	static uint8_t cwd[4096];
	unsigned seed = 3;

	(void)state;
	body.seq = 1;
	body.body_case = HINOMI__EVENT__BODY_EXEC;
	body.exec = &exec;
	exec.cwd.data = cwd;
	for (int round = 0; round < 4; round++) {
		CLEANUP(frame_free) struct frame *frame = NULL;

		exec.cwd.len = round ? sizeof(cwd) : 300;
		for (size_t i = 0; i < sizeof(cwd); i++)
			cwd[i] = (uint8_t)(round == 2 ? rand_r(&seed) : 'x');
		assert_int_equal(sealer_add(sealer, &event), 0);
		frame = finish(sealer);
		assert_int_equal(frame->header->encoding,
				 round & 1 ? HINOMI__ENCODING__ENCODING_DELTA_ZSTD
					   : HINOMI__ENCODING__ENCODING_DELTA);
		assert_int_equal(frame->payload->events[0]->exec->cwd.len, exec.cwd.len);
		assert_memory_equal(frame->payload->events[0]->exec->cwd.data, cwd, exec.cwd.len);
	}
}

/* What costs the reader the most memory for its bytes, as a program on the observed machine can
 * make it. */
static void worst_honest_frame_opens(void **state)
{
	CLEANUP(sealer_free) struct sealer *sealer = new_sealer(LANE_KEEP, &fresh);
	CLEANUP(frame_free) struct frame *frame = NULL;
	static ProtobufCBinaryData args[RECORD_ARGS_MAX];
	Hinomi__Exec exec = HINOMI__EXEC__INIT;
	Hinomi__Event body = HINOMI__EVENT__INIT;
	struct event event = {&body, NULL, KIND_exec, LANE_KEEP};
	int r;

	(void)state;
	body.body_case = HINOMI__EVENT__BODY_EXEC;
	body.exec = &exec;
	exec.n_args = RECORD_ARGS_MAX;
	exec.args = args;
	do {
		body.seq++;
		r = sealer_add(sealer, &event);
	} while (!r);
	assert_int_equal(r, -E2BIG);
	frame = finish(sealer);
	assert_int_equal(frame->payload->n_events, body.seq - 1);
	assert_int_equal(frame->payload->events[0]->exec->n_args, RECORD_ARGS_MAX);
}

/* Whatever one bit does, the frame is refused or its hash tells. */
static void every_bit_counts(void **state)
{
	CLEANUP(sealer_free) struct sealer *sealer = new_sealer(LANE_KEEP, &fresh);
	CLEANUP(frame_free) struct frame *whole = NULL;
	unsigned salt = 4;
	struct event event = fill_event(&arena, KIND_exec, 0, 1, &salt);
	const uint8_t *bytes;
	uint8_t *copy;
	size_t size;

	(void)state;
	assert_int_equal(sealer_add(sealer, &event), 0);
	assert_int_equal(sealer_finish(sealer, NULL, 0, false, &bytes, &size), 0);
	assert_int_equal(frame_read(bytes, size, &whole), 0);
	copy = malloc(size + 2);
	memcpy(copy, bytes, size);
	for (size_t bit = 0; bit < 8 * size; bit++) {
		CLEANUP(frame_free) struct frame *frame = NULL;

		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (!frame_read(copy, size, &frame))
			assert_memory_not_equal(frame->hash, whole->hash, 32);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < size; cut++) {
		struct frame *frame = NULL;

		assert_int_equal(frame_read(copy, cut, &frame), -EBADMSG);
		assert_null(frame);
	}
	for (uint8_t tag = 0; tag < 0x80; tag++) { /* something more behind it */
		struct frame *frame = NULL;

		copy[size] = tag;
		copy[size + 1] = 0;
		assert_int_equal(frame_read(copy, size + 2, &frame), -EBADMSG);
	}
	free(copy);
	arena_reset(&arena);
}

static void wall_clock_by_the_nearest_pair(void **state)
{
	Hinomi__ClockPair first = HINOMI__CLOCK_PAIR__INIT, second = HINOMI__CLOCK_PAIR__INIT;
	Hinomi__ClockPair *clocks[] = {&first, &second};
	Hinomi__FrameHeader header = HINOMI__FRAME_HEADER__INIT;
	struct frame frame = {.header = &header};

	(void)state;
	assert_int_equal(frame_real_ns(&frame, 5), 0);
	first.boot_ns = 1000;
	first.real_ns = 50000;
	second.boot_ns = 2000;
	second.real_ns = 61000; /* stepped in between */
	header.n_clocks = 2;
	header.clocks = clocks;
	assert_int_equal(frame_real_ns(&frame, 1000), 50000);
	assert_int_equal(frame_real_ns(&frame, 900), 49900);
	assert_int_equal(frame_real_ns(&frame, 1499), 50499);
	assert_int_equal(frame_real_ns(&frame, 1501), 60501);
	assert_int_equal(frame_real_ns(&frame, 3000), 62000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_every_kind),
		cmocka_unit_test(what_is_left_out_comes_back),
		cmocka_unit_test(header_says_it_all),
		cmocka_unit_test(chain_goes_on_over_a_restart),
		cmocka_unit_test(compressed_only_where_it_helps),
		cmocka_unit_test(worst_honest_frame_opens),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(wall_clock_by_the_nearest_pair),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
