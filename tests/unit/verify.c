/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier against streams that seal/ made: clean ones are OK, and each way of tampering is
 * found, with its numbers.  The judge and the writer share no code. */
#include "verify_tools.h"

/* ---- clean streams */

static void test_clean(void **state)
{
	(void)state;
	assert_clean();
	begin(&next_start); /* a new start: numbers and ledger from 0, the chain goes on */
	add_frame(LANE_KEEP);
	add_frame(LANE_BULK);
	assert_clean();
}

/* what was evicted last is declared, and that is enough: older declarations go in their turn */
static void test_without_beginning(void **state)
{
	Hinomi__Gap gap = HINOMI__GAP__INIT;

	(void)state;
	for (int i = 0; i < 3; i++)
		take_out(LANE_BULK, 0);
	assert_int_equal(verify(), 1);
	assert_reported("bulk: begins with frame 4, and nothing declares frame 3 gone");
	gap.lane = HINOMI__LANE__LANE_BULK;
	gap.first_frame = gap.last_frame = 2;
	gap.cause = HINOMI__GAP__CAUSE__CAUSE_EVICTED;
	add_event(LANE_KEEP, CPU_SENSOR, 1, &gap);
	gap.first_frame = gap.last_frame = 3;
	gap.cause = HINOMI__GAP__CAUSE__CAUSE_SPOOL_FAILED;
	add_event(LANE_KEEP, CPU_SENSOR, 2, &gap);
	finish(LANE_KEEP, NULL, 0);
	assert_int_equal(verify(), 1); /* more was cut off than that */
	gap.cause = HINOMI__GAP__CAUSE__CAUSE_EVICTED;
	add_event(LANE_KEEP, CPU_SENSOR, 3, &gap);
	finish(LANE_KEEP, NULL, 0);
	assert_clean();
	take_out(LANE_BULK, 0);
	assert_int_equal(verify(), 1);
	assert_reported("bulk: begins with frame 5, and nothing declares frame 4 gone");
}

static void test_clean_filtered(void **state)
{
	Hinomi__LedgerRow row = ledger_row(KIND_exec, 0, sequences[LANE_KEEP][0]);
	Hinomi__LedgerRow other = ledger_row(KIND_exec, 1, sequences[LANE_KEEP][1]);
	Hinomi__LedgerRow rows[2];

	(void)state;
	sealer_cover(sealers[LANE_KEEP], 0, sequences[LANE_KEEP][0] + 1,
		     sequences[LANE_KEEP][0] + 10);
	row.filtered = 10;
	row.seen += 10;
	row.begun += 12; /* two of them under way */
	rows[0] = row;
	rows[1] = other;
	finish(LANE_KEEP, rows, 2);
	assert_clean();
}

/* what was lost is declared, be it in another lane and later */
static void test_clean_gap(void **state)
{
	Hinomi__Gap gap = HINOMI__GAP__INIT;

	(void)state;
	sequences[LANE_BULK][1] += 7;
	add_event(LANE_BULK, 1, ++sequences[LANE_BULK][1], NULL);
	finish(LANE_BULK, NULL, 0);
	assert_int_equal(verify(), 1);
	assert_reported("bulk: frame 7: sequence 31 to 37 of cpu 1 is missing and not declared");

	gap.lane = HINOMI__LANE__LANE_BULK;
	gap.cpu = 1;
	gap.first_seq = 31;
	gap.last_seq = 35;
	add_event(LANE_KEEP, CPU_SENSOR, 1, &gap);
	finish(LANE_KEEP, NULL, 0);
	assert_int_equal(verify(), 1);
	assert_reported("bulk: frame 7: sequence 36 to 37 of cpu 1 is missing and not declared");

	gap.first_seq = 36;
	gap.last_seq = 37;
	add_event(LANE_KEEP, CPU_SENSOR, 2, &gap);
	finish(LANE_KEEP, NULL, 0);
	assert_clean();
}

static void test_clean_evicted(void **state)
{
	Hinomi__Gap gap = HINOMI__GAP__INIT;

	(void)state;
	take_out(LANE_BULK, 3);
	take_out(LANE_BULK, 2);
	gap.lane = HINOMI__LANE__LANE_BULK;
	gap.first_frame = 3;
	gap.last_frame = 4;
	gap.cause = HINOMI__GAP__CAUSE__CAUSE_EVICTED;
	add_event(LANE_KEEP, CPU_SENSOR, 1, &gap);
	finish(LANE_KEEP, NULL, 0);
	assert_clean();
}

/* ---- tampering with whole frames */

static void test_removed(void **state)
{
	(void)state;
	take_out(LANE_KEEP, 3);
	take_out(LANE_KEEP, 2);
	assert_true(verify() > 0);
	assert_reported("keep: frames 3 to 4 are missing");
	assert_reported("keep: frame 5: sequence 11 to 20 of cpu 0 is missing and not declared");
	assert_reported("keep: frame 5: sequence 11 to 20 of cpu 1 is missing and not declared");
	assert_null(strstr(report, "bulk"));
}

static void test_reordered(void **state)
{
	struct stored third = frames[LANE_BULK][2];

	(void)state;
	frames[LANE_BULK][2] = frames[LANE_BULK][3];
	frames[LANE_BULK][3] = third;
	assert_true(verify() > 0);
	assert_reported("bulk: frame 3: stands behind frame 4");
	assert_null(strstr(report, "are missing")); /* it is there, in the wrong place */
}

static void test_repeated(void **state)
{
	(void)state;
	store(LANE_BULK, frames[LANE_BULK][4].bytes, frames[LANE_BULK][4].size);
	assert_int_equal(verify(), 1);
	assert_reported("bulk: frame 5: stands behind frame 6: it was repeated");
}

/* a whole valid chain of another sensor, put in behind ours or in its middle */
static void test_spliced(void **state)
{
	size_t ours = counts[LANE_KEEP];
	struct stored foreign;

	(void)state;
	for (int lane = 0; lane < LANES; lane++) {
		sealer_free(sealers[lane]);
		sealers[lane] = NULL;
	}
	begin(&stranger);
	for (int i = 0; i < 8; i++)
		add_frame(LANE_KEEP);
	assert_true(verify() > 0);
	assert_reported("keep: frame 7: does not continue frame 6");
	assert_reported("keep: frame 7: is of another sensor than frame 6");
	assert_reported("keep: frame 1: stands behind frame 6");

	foreign = frames[LANE_KEEP][ours + 2]; /* its frame 3 in the place of ours */
	frames[LANE_KEEP][ours + 2] = frames[LANE_KEEP][2];
	frames[LANE_KEEP][2] = foreign;
	while (counts[LANE_KEEP] > ours)
		take_out(LANE_KEEP, ours);
	assert_true(verify() > 0);
	assert_reported("keep: frame 3: does not continue frame 2");
	assert_reported("keep: frame 3: is of another sensor than frame 2");
	assert_reported("keep: frame 4: does not continue frame 3");
}

static void test_cut_off(void **state)
{
	(void)state;
	take_out(LANE_KEEP, counts[LANE_KEEP] - 1);
	assert_clean(); /* only a receipt tells: issue 4 */
}

/* ---- tampering with bytes */

static void test_every_byte(void **state)
{
	struct stored *stored = &frames[LANE_BULK][2];

	(void)state;
	for (size_t i = 0; i < stored->size; i++) {
		stored->bytes[i] ^= 1u << i % 8;
		if (!verify())
			fail_msg("byte %zu of %zu was changed and not found", i, stored->size);
		stored->bytes[i] ^= 1u << i % 8;
	}
	assert_clean();
}

static void test_changed_payload(void **state)
{
	struct stored *stored = &frames[LANE_BULK][2];
	Hinomi__Frame *frame = hinomi__frame__unpack(NULL, stored->size, stored->bytes);

	(void)state;
	frame->payload.data[frame->payload.len / 2] ^= 1;
	hinomi__frame__pack(frame, stored->bytes);
	hinomi__frame__free_unpacked(frame, NULL);
	assert_int_equal(verify(), 1);
	assert_reported("bulk: frame 3: the payload is not the one that its header names");
	assert_reported("(index 2)");
}

static void change_clock(Hinomi__FrameHeader *header, Hinomi__Payload *payload)
{
	(void)payload;
	if (header->n_clocks)
		header->clocks[0]->real_ns ^= 1;
}

static void test_changed_header(void **state)
{
	(void)state;
	forge(LANE_KEEP, 3, change_clock);
	assert_int_equal(verify(), 1);
	assert_reported("keep: frame 5: does not continue frame 4: its header was changed");
}

static void turn_clock_back(Hinomi__FrameHeader *header, Hinomi__Payload *payload)
{
	(void)payload;
	header->clocks[0]->boot_ns = 5;
}

static void test_clock_goes_back(void **state)
{
	(void)state;
	forge(LANE_KEEP, 5, turn_clock_back);
	assert_int_equal(verify(), 1);
	assert_reported("keep: frame 6: the boot clock goes back");
}

static void drop_event(Hinomi__FrameHeader *header, Hinomi__Payload *payload)
{
	hinomi__event__free_unpacked(payload->events[--payload->n_events], NULL);
	header->events--;
}

/* the newest frame's header is in no chain yet: its ledger gives the forger away */
static void test_event_dropped(void **state)
{
	(void)state;
	forge(LANE_KEEP, 5, drop_event);
	assert_true(verify() > 0);
	assert_reported("keep: frame 6: ledger of exec, cpu 1: 30 delivered, but 29 are there");
	assert_reported(
		"keep: frame 6: 1 numbers of cpu 1 are in no event, but the ledger explains "
		"only 0");
}

static void repeat_event(Hinomi__FrameHeader *header, Hinomi__Payload *payload)
{
	(void)header;
	payload->events[1]->seq = payload->events[0]->seq;
}

static void move_event(Hinomi__FrameHeader *header, Hinomi__Payload *payload)
{
	(void)header;
	payload->events[1]->seq = 1;
}

static void test_event_numbers(void **state)
{
	(void)state;
	forge(LANE_KEEP, 5, repeat_event);
	assert_true(verify() > 0);
	assert_reported("keep: frame 6: event 26 of cpu 0 is there twice");
	forge(LANE_KEEP, 5, move_event);
	assert_true(verify() > 0);
	assert_reported("keep: frame 6: event 1 of cpu 0 is not among those that the header");
}

static void widen_sequence(Hinomi__FrameHeader *header, Hinomi__Payload *payload)
{
	(void)payload;
	header->sequences[0]->first -= 2;
}

static void test_sequence_repeated(void **state)
{
	(void)state;
	forge(LANE_KEEP, 5, widen_sequence);
	assert_true(verify() > 0);
	assert_reported("keep: frame 6: sequence 24 to 30 of cpu 0 comes again, 25 was reached");
}

/* a number that comes after higher ones fills the hole that it left, once */
static void test_late_number(void **state)
{
	uint64_t next = sequences[LANE_BULK][1] + 1;

	(void)state;
	add_event(LANE_BULK, 1, next + 2, NULL);
	finish(LANE_BULK, NULL, 0);
	assert_int_equal(verify(), 1);
	add_event(LANE_BULK, 1, next + 3, NULL);
	add_event(LANE_BULK, 1, next + 1, NULL);
	finish(LANE_BULK, NULL, 0);
	assert_int_equal(verify(), 1);
	assert_reported("bulk: frame 7: sequence 31 to 31 of cpu 1 is missing and not declared");
	add_event(LANE_BULK, 1, next, NULL);
	finish(LANE_BULK, NULL, 0);
	assert_int_equal(verify(), 0);
	add_event(LANE_BULK, 1, next + 1, NULL);
	finish(LANE_BULK, NULL, 0);
	assert_int_equal(verify(), 1);
	assert_reported("bulk: frame 10: sequence 32 to 32 of cpu 1 comes again");
}

/* numbers that a frame covers without an event must be in the ledger */
static void test_covered_silently(void **state)
{
	(void)state;
	sealer_cover(sealers[LANE_BULK], 0, sequences[LANE_BULK][0] + 1,
		     sequences[LANE_BULK][0] + 3);
	finish(LANE_BULK, NULL, 0);
	assert_int_equal(verify(), 1);
	assert_reported("bulk: frame 7: 3 numbers of cpu 0 are in no event");
}

/* ---- the ledger */

static void test_ledger(void **state)
{
	Hinomi__LedgerRow row = ledger_row(KIND_exec, 0, 30);

	(void)state;
	row.begun = row.seen = 31;
	finish(LANE_KEEP, &row, 1);
	assert_int_equal(verify(), 2);
	assert_reported("keep: frame 7: ledger of exec, cpu 0: 31 seen, but 30 delivered, 0 "
			"filtered, 0 aggregated, 0 lost");
	assert_reported("keep: frame 7: ledger is said to be whole, but exec of cpu 1, last in "
			"frame 6, is not there");
}

static void test_ledger_begun(void **state)
{
	Hinomi__LedgerRow rows[] = {ledger_row(KIND_exec, 0, 30), ledger_row(KIND_exec, 1, 30)};

	(void)state;
	rows[0].begun = 31;
	finish(LANE_KEEP, rows, 2);
	assert_int_equal(verify(), 0);
	rows[0].closed = rows[1].closed = true;
	finish(LANE_KEEP, rows, 2);
	assert_int_equal(verify(), 1);
	assert_reported("keep: frame 8: ledger of exec, cpu 0: 31 begun, but 30 seen, and nothing "
			"is under way");
	rows[0].closed = rows[1].closed = false;
	rows[0].begun = 29;
	finish(LANE_KEEP, rows, 2);
	assert_int_equal(verify(), 3);
	assert_reported("keep: frame 9: ledger of exec, cpu 0: 29 begun, but 30 seen");
	assert_reported("keep: frame 9: ledger of exec, cpu 0: goes back behind that of frame 8");
}

static void test_ledger_goes_back(void **state)
{
	Hinomi__LedgerRow rows[] = {ledger_row(KIND_exec, 0, 29), ledger_row(KIND_exec, 1, 30)};

	(void)state;
	finish(LANE_KEEP, rows, 2);
	assert_int_equal(verify(), 2);
	assert_reported("keep: frame 7: ledger of exec, cpu 0: goes back behind that of frame 6");
	assert_reported("keep: frame 7: ledger of exec, cpu 0: 29 delivered, but 30 are there");
}

static void test_ledger_other_lane(void **state)
{
	Hinomi__LedgerRow row = ledger_row(KIND_fork, 5, 0);
	const uint8_t *bytes;
	size_t size;

	(void)state;
	assert_int_equal(sealer_finish(sealers[LANE_KEEP], &row, 1, false, &bytes, &size), 0);
	store(LANE_KEEP, bytes, size);
	assert_int_equal(verify(), 1);
	assert_reported("keep: frame 7: ledger of fork: the class is of the other lane");
}

/* ---- starts */

static void test_rings_come_back(void **state)
{
	(void)state;
	begin(&next_start);
	add_frame(LANE_KEEP);
	begin(&identity);
	add_frame(LANE_KEEP);
	assert_int_equal(verify(), 1);
	assert_reported("keep: frame 8: goes back to rings that had been left");
}

static void test_start_without_beginning(void **state)
{
	(void)state;
	begin(&next_start);
	sequences[LANE_KEEP][0] = 4;
	add_frame(LANE_KEEP);
	assert_true(verify() > 0);
	assert_reported("keep: frame 7: sequence 1 to 4 of cpu 0 is missing and not declared");
}

static void test_junk(void **state)
{
	static const char *const junk[] = {"", "\x0a", "junk junk junk", "\x0a\x02\x08\x01"};

	(void)state;
	for (size_t i = 0; i < sizeof(junk) / sizeof(*junk); i++)
		store(LANE_KEEP, (const uint8_t *)junk[i], strlen(junk[i]));
	assert_int_equal(verify(), sizeof(junk) / sizeof(*junk));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_clean),
		TEST(test_without_beginning),
		TEST(test_clean_filtered),
		TEST(test_clean_gap),
		TEST(test_clean_evicted),
		TEST(test_removed),
		TEST(test_reordered),
		TEST(test_repeated),
		TEST(test_spliced),
		TEST(test_cut_off),
		TEST(test_every_byte),
		TEST(test_changed_payload),
		TEST(test_changed_header),
		TEST(test_clock_goes_back),
		TEST(test_event_dropped),
		TEST(test_event_numbers),
		TEST(test_sequence_repeated),
		TEST(test_late_number),
		TEST(test_covered_silently),
		TEST(test_ledger),
		TEST(test_ledger_begun),
		TEST(test_ledger_goes_back),
		TEST(test_ledger_other_lane),
		TEST(test_rings_come_back),
		TEST(test_start_without_beginning),
		TEST(test_junk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
