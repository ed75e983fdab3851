/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fill.h"
#include "seal/pack.h"
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

static struct sealer *new_sealer(enum lane lane)
{
	struct sealer *sealer = NULL;

	assert_int_equal(sealer_new(lane, &identity, &fresh, &sealer), 0);
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

static void check_pack(const ProtobufCMessage *message)
{
	size_t want = protobuf_c_message_get_packed_size(message);
	uint8_t *expected = malloc(want + 1), *buffer = malloc(want + 64),
		*end = buffer + want + 64;
	struct packer packer = {.start = buffer, .at = end};

	protobuf_c_message_pack(message, expected);
	pack_message(&packer, message->descriptor, message);
	assert_false(packer.full);
	assert_int_equal(end - packer.at, want);
	assert_memory_equal(packer.at, expected, want);
	free(expected);
	free(buffer);
}

static void pack_is_protobuf(void **state)
{
	(void)state;
	for (unsigned salt = 0, i = 0; i < 40; i++) {
		for (unsigned kind = 0; kind < KINDS_MAX; kind++)
			if (kind_name(kind))
				check_pack(fill_message(&arena, &hinomi__event__descriptor, kind,
							&salt));
		check_pack(fill_message(&arena, &hinomi__process__descriptor, 0, &salt));
		check_pack(fill_message(&arena, &hinomi__frame_header__descriptor, 0, &salt));
		arena_reset(&arena);
	}
	check_pack(&(Hinomi__Event)HINOMI__EVENT__INIT.base);
}

static void pack_stays_in_its_room(void **state)
{
	unsigned salt = 3;
	const Hinomi__Process *process =
		fill_message(&arena, &hinomi__process__descriptor, 0, &salt);
	size_t size = hinomi__process__get_packed_size(process);
	uint8_t *buffer = malloc(size + 128), *end = buffer + size + 128;

	(void)state;
	for (size_t room = 0; room < size + 64; room++) {
		struct packer packer = {.start = end - room, .at = end};

		memset(buffer, 0xa5, size + 128);
		pack_message(&packer, &hinomi__process__descriptor, process);
		assert_true(packer.full || room >= size);
		for (const uint8_t *p = buffer; p < packer.start; p++)
			assert_int_equal(*p, 0xa5);
	}
	free(buffer);
}

static void state_is_written_once(void **state)
{
	CLEANUP(sealer_free) struct sealer *sealer = new_sealer(LANE_BULK);
	unsigned salt = 1;
	struct event event = fill_event(&arena, KIND_fork, 0, 1, &salt);
	uint32_t first;

	(void)state;
	for (int frame = 0; frame < 3; frame++) {
		struct frame *opened;

		event.process->login_uid = event.process_state = 1;
		assert_int_equal(sealer_add(sealer, &event), 0);
		first = event.body->process;
		assert_int_equal(first, 1);
		assert_int_equal(sealer_add(sealer, &event), 0);
		assert_int_equal(event.body->process, first);
		event.process->login_uid = event.process_state = 2;
		assert_int_equal(sealer_add(sealer, &event), 0);
		assert_int_equal(event.body->process, 2);
		event.process->login_uid = event.process_state = 1;
		assert_int_equal(sealer_add(sealer, &event), 0);
		assert_int_equal(event.body->process, first);
		assert_int_equal(sealer_events(sealer), 4);
		opened = finish(sealer);
		assert_int_equal(opened->payload->n_processes, 2);
		assert_int_equal(opened->payload->n_events, 4);
		assert_int_equal(opened->payload->processes[1]->login_uid, 2);
		assert_int_equal(opened->payload->events[2]->process, 2);
		frame_free(opened);
	}
}

static void frame_fills_up_by_count(void **state)
{
	CLEANUP(sealer_free) struct sealer *sealer = new_sealer(LANE_BULK);
	Hinomi__Event body = HINOMI__EVENT__INIT;
	Hinomi__Process process = HINOMI__PROCESS__INIT;
	Hinomi__Exit exited = HINOMI__EXIT__INIT;
	struct event event = {&body, &process, KIND_exit, LANE_BULK};

	(void)state;
	body.lane = HINOMI__LANE__LANE_BULK;
	body.body_case = HINOMI__EVENT__BODY_EXIT;
	body.exit = &exited;
	for (int frame = 0; frame < 2; frame++) {
		struct frame *opened;

		for (unsigned i = 1; i <= SEAL_EVENTS_MAX; i++) {
			body.seq = i;
			process.namespace_pid = i;
			assert_int_equal(sealer_add(sealer, &event), 0);
			assert_int_equal(body.process, i);
		}
		body.seq++;
		assert_int_equal(sealer_add(sealer, &event), -E2BIG);
		opened = finish(sealer);
		assert_int_equal(opened->payload->n_events, SEAL_EVENTS_MAX);
		assert_int_equal(opened->payload->n_processes, SEAL_EVENTS_MAX);
		assert_int_equal(opened->header->sequences[0]->last, SEAL_EVENTS_MAX);
		for (unsigned i = 0; i < SEAL_EVENTS_MAX; i++)
			assert_int_equal(opened->payload->processes[i]->namespace_pid, i + 1);
		frame_free(opened);
	}
}

static void frame_fills_up_by_bytes(void **state)
{
	CLEANUP(sealer_free) struct sealer *sealer = new_sealer(LANE_KEEP);
	unsigned salt = 5, seed = 9;
	struct event event = fill_event(&arena, KIND_exec, 0, 1, &salt);
	uint8_t *bytes = malloc(70000);
	size_t added = 0, sealed = 0, states = 0;

	(void)state;
	for (int i = 0; i < 70000; i++)
		bytes[i] = (uint8_t)rand_r(&seed);
	event.body->exec->cwd.data = bytes;
	while (added < 100) {
		struct frame *opened;
		int r;

		event.body->exec->cwd.len = (size_t)rand_r(&seed) % 70000;
		event.process->namespace_pid = (uint32_t)added;
		r = sealer_add(sealer, &event);
		if (!r) {
			added++;
			continue;
		}
		assert_int_equal(r, -E2BIG);
		opened = finish(sealer);
		assert_true(opened->header->payload_size <= SEAL_PAYLOAD_MAX);
		assert_true(opened->header->payload_size > SEAL_PAYLOAD_MAX - 80000);
		sealed += opened->payload->n_events;
		states += opened->payload->n_processes;
		assert_int_equal(sealed, added);
		assert_int_equal(states, added);
		frame_free(opened);
	}
	free(bytes);
}

static void event_that_no_frame_holds(void **state)
{
	CLEANUP(sealer_free) struct sealer *sealer = new_sealer(LANE_KEEP);
	unsigned salt = 5;
	struct event event = fill_event(&arena, KIND_exec, 0, 7, &salt);
	ProtobufCBinaryData cwd = event.body->exec->cwd, comm = event.process->comm;
	struct frame *opened;

	(void)state;
	event.body->exec->cwd.len = SEAL_PAYLOAD_MAX;
	event.body->exec->cwd.data = calloc(1, SEAL_PAYLOAD_MAX);
	assert_int_equal(sealer_add(sealer, &event), -EMSGSIZE);
	event.process->comm = event.body->exec->cwd;
	event.body->exec->cwd = cwd;
	assert_int_equal(sealer_add(sealer, &event), -EMSGSIZE);
	free(event.process->comm.data);
	event.process->comm = comm;
	assert_int_equal(sealer_events(sealer), 0);
	assert_int_equal(sealer_add(sealer, &event), 0);
	opened = finish(sealer);
	assert_int_equal(opened->payload->n_processes, 1);
	assert_int_equal(opened->payload->n_events, 1);
	assert_int_equal(opened->header->n_sequences, 1);
	frame_free(opened);
}

static void what_cannot_be_is_refused(void **state)
{
	CLEANUP(sealer_free) struct sealer *sealer = new_sealer(LANE_KEEP);
	unsigned salt = 5;
	struct event event = fill_event(&arena, KIND_exec, 0, 1, &salt);

	(void)state;
	event.body->cpu = SEAL_CPUS_MAX;
	assert_int_equal(sealer_add(sealer, &event), -EINVAL);
	event.body->cpu = CPU_SENSOR;
	event.body->seq = 0;
	assert_int_equal(sealer_add(sealer, &event), -EINVAL);
	event.body->seq = 1;
	event.lane = LANE_BULK;
	assert_int_equal(sealer_add(sealer, &event), -EINVAL);
	event.lane = LANE_KEEP;
	event.body->lane = HINOMI__LANE__LANE_BULK;
	assert_int_equal(sealer_add(sealer, &event), -EINVAL);
	assert_int_equal(sealer_cover(sealer, SEAL_CPUS_MAX, 1, 2), -EINVAL);
	assert_int_equal(sealer_cover(sealer, 0, 0, 2), -EINVAL);
	assert_int_equal(sealer_cover(sealer, 0, 3, 2), -EINVAL);
	assert_int_equal(sealer_events(sealer), 0);
}

static void failed_finish_keeps_everything(void **state)
{
	CLEANUP(sealer_free) struct sealer *sealer = new_sealer(LANE_KEEP);
	unsigned salt = 5;
	struct event event = fill_event(&arena, KIND_exec, 3, 1, &salt);
	Hinomi__LedgerRow *rows = calloc(SEAL_ROWS_MAX + 1, sizeof(*rows));
	struct seal_state chain;
	const uint8_t *bytes;
	size_t size;

	(void)state;
	for (size_t i = 0; i <= SEAL_ROWS_MAX; i++) {
		hinomi__ledger_row__init(&rows[i]);
		rows[i].kind = rows[i].cpu = UINT32_MAX;
		rows[i].seen = rows[i].delivered = rows[i].filtered = rows[i].aggregated =
			UINT64_MAX;
		rows[i].lost = rows[i].lost_user = rows[i].filtered_user = UINT64_MAX;
		rows[i].aggregated_user = UINT64_MAX;
	}
	for (uint32_t cpu = 0; cpu < SEAL_CPUS_MAX; cpu++)
		if (cpu != event.body->cpu)
			assert_int_equal(sealer_cover(sealer, cpu, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(sealer_cover(sealer, CPU_SENSOR, UINT64_MAX, UINT64_MAX), 0);
	assert_int_equal(sealer_add(sealer, &event), 0);
	/* ranges are all used: what goes on where one ends still fits, anything else does not */
	assert_int_equal(sealer_cover(sealer, event.body->cpu, 9, 9), -E2BIG);
	assert_int_equal(sealer_cover(sealer, event.body->cpu, 2, 3), 0);
	assert_int_equal(sealer_finish(sealer, rows, SEAL_ROWS_MAX + 1, true, &bytes, &size),
			 -EMSGSIZE);
	sealer_state(sealer, &chain);
	assert_int_equal(chain.number, 0);
	assert_int_equal(sealer_events(sealer), 1);
	assert_int_equal(sealer_finish(sealer, rows, SEAL_ROWS_MAX, true, &bytes, &size), 0);
	assert_true(size <= SEAL_FRAME_MAX);
	sealer_state(sealer, &chain);
	assert_int_equal(chain.number, 1);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pack_is_protobuf),
		cmocka_unit_test(pack_stays_in_its_room),
		cmocka_unit_test(state_is_written_once),
		cmocka_unit_test(frame_fills_up_by_count),
		cmocka_unit_test(frame_fills_up_by_bytes),
		cmocka_unit_test(event_that_no_frame_holds),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(failed_finish_keeps_everything),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
