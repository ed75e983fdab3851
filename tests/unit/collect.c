/* SPDX-License-Identifier: Apache-2.0 */
/* What the collector makes of what sensors bring. */
#include "collect_tools.h"

static void chain_is_taken_and_known_again(void **state)
{
	CLEANUP(free) struct made *made = make_chain("one", 1, NULL, 1);
	struct accept_result result = bring(made, 1, 10);

	(void)state;
	assert_taken(&result, 10);
	result = bring(made, 11, 11);
	assert_taken(&result, 11);
	result = bring(made, 5, 20); /* some are known */
	assert_taken(&result, 20);
	result = bring(made, 3, 7); /* all are */
	assert_taken(&result, 7);
	assert_int_equal(position(made), 20);
	reopen();
	assert_int_equal(position(made), 20);
	result = bring(made, 18, 30);
	assert_taken(&result, 30);
	assert_int_equal(count_findings(""), 0);
	assert_int_equal(count_findings("fork"), 0);
}

static void hole_is_refused_unless_declared(void **state)
{
	CLEANUP(free) struct made *made = make_chain("one", 1, NULL, 1);
	struct accept_missing missing = {.from = 6, .to = 8};
	struct accept_result result = bring(made, 1, 5);

	(void)state;
	assert_taken(&result, 5);
	result = bring(made, 9, 12);
	assert_int_equal(result.problem, HINOMI__PROBLEM__PROBLEM_HOLE);
	assert_int_equal(answer_status(&result), 409);
	assert_int_equal(result.receipts[0].number, 5);
	missing.from = 5;
	accept_frames(&options, made->frames[9].bytes, made->frames[9].size, &missing, &result);
	assert_int_equal(result.problem, HINOMI__PROBLEM__PROBLEM_HOLE);
	missing.from = 6;
	accept_frames(&options, made->frames[9].bytes, made->frames[9].size, &missing, &result);
	assert_taken(&result, 9);
	assert_int_equal(count_findings("gap"), 1);
	/* what was declared gone cannot come back alone, but the whole chain still hangs together
	 */
	assert_int_equal(count_findings("fork"), 0);
	result = bring(made, 7, 7);
	assert_int_equal(result.problem, HINOMI__PROBLEM__PROBLEM_FORK);
	assert_int_equal(answer_status(&result), 409);
	assert_int_equal(count_findings("fork"), 1);
	result = bring(made, 1, 12);
	assert_taken(&result, 12);
}

/* A copy of the machine that steps over what the original is about to send: the original is refused
 * then, and both must be told of. */
static void fork_behind_a_hole_is_found(void **state)
{
	CLEANUP(free) struct made *made = make_chain("one", 1, NULL, 1);
	CLEANUP(free) struct made *copy = make_chain("one", 9, made, 11);
	struct accept_missing missing = {.from = 11, .to = 29};
	struct accept_result result = bring(made, 1, 10);

	(void)state;
	assert_taken(&result, 10);
	accept_frames(&options, copy->frames[30].bytes, copy->frames[30].size, &missing, &result);
	assert_taken(&result, 30);
	assert_int_equal(count_findings("gap"), 1);
	result = bring(made, 11, 12);
	assert_int_equal(result.problem, HINOMI__PROBLEM__PROBLEM_FORK);
	assert_int_equal(count_findings("fork"), 1);
	result = bring(made, 11, 31); /* past the copy's end */
	assert_int_equal(result.problem, HINOMI__PROBLEM__PROBLEM_FORK);
	assert_int_equal(count_findings("fork"), 2);
	assert_int_equal(position(made), 30);
}

static void first_contact_may_be_late(void **state)
{
	CLEANUP(free) struct made *made = make_chain("one", 1, NULL, 1);
	struct accept_result result = bring(made, 9, 12);

	(void)state;
	assert_taken(&result, 12);
	assert_int_equal(count_findings("late"), 1);
}

static void fork_is_found_wherever_it_begins(void **state)
{
	CLEANUP(free) struct made *made = make_chain("one", 1, NULL, 1);
	CLEANUP(free) struct made *forked = make_chain("one", 9, made, 20);
	struct accept_result result = bring(made, 1, 30);
	struct accept_missing missing = {0};

	(void)state;
	assert_taken(&result, 30);
	result = bring(forked, 15, 19); /* still the same */
	assert_taken(&result, 19);
	result = bring(forked, 20, 20); /* old, and another */
	assert_int_equal(result.problem, HINOMI__PROBLEM__PROBLEM_FORK);
	assert_int_equal(answer_status(&result), 409);
	result = bring(forked, 25, 30); /* ends where the stored chain ends */
	assert_int_equal(result.problem, HINOMI__PROBLEM__PROBLEM_FORK);
	result = bring(forked, 31, 35); /* would go on from another frame */
	assert_int_equal(result.problem, HINOMI__PROBLEM__PROBLEM_FORK);
	result = bring(forked, 28, 35);
	assert_int_equal(result.problem, HINOMI__PROBLEM__PROBLEM_FORK);
	accept_frames(&options, forked->frames[31].bytes, forked->frames[31].size, &missing,
		      &result);
	assert_int_equal(result.problem, HINOMI__PROBLEM__PROBLEM_FORK);
	assert_int_equal(position(made), 30);
	assert_true(count_findings("fork") >= 2);
	result = bring(made, 31, 32); /* the stored one goes on */
	assert_taken(&result, 32);
}

static void row_must_hang_together(void **state)
{
	CLEANUP(free) struct made *made = make_chain("one", 1, NULL, 1);
	CLEANUP(free) struct made *forked = make_chain("one", 9, made, 5);
	struct accept_result result;
	uint8_t body[3 * 4096];
	size_t size = 0;

	(void)state;
	/* 6 of the first does not continue 5 of the second */
	for (uint64_t i = 4; i <= 6; i++) {
		const struct made *from = i == 5 ? forked : made;

		memcpy(body + size, from->frames[i].bytes, from->frames[i].size);
		size += from->frames[i].size;
	}
	accept_frames(&options, body, size, &none, &result);
	assert_int_equal(result.problem, HINOMI__PROBLEM__PROBLEM_CHAIN);
	assert_int_equal(answer_status(&result), 409);
	assert_int_equal(result.receipts[0].number, 5);
}

static void chains_are_apart(void **state)
{
	CLEANUP(free) struct made *one = make_chain("one", 1, NULL, 1);
	CLEANUP(free) struct made *two = make_chain("two", 1, NULL, 1);
	struct accept_result result;
	uint8_t body[4 * 4096];
	size_t size = 0;

	(void)state;
	for (uint64_t i = 1; i <= 2; i++) {
		memcpy(body + size, one->frames[i].bytes, one->frames[i].size);
		size += one->frames[i].size;
		memcpy(body + size, two->frames[i].bytes, two->frames[i].size);
		size += two->frames[i].size;
	}
	accept_frames(&options, body, size, &none, &result);
	assert_int_equal(result.problem, HINOMI__PROBLEM__PROBLEM_NONE);
	assert_int_equal(result.nreceipts, 2);
	assert_int_equal(position(one), 2);
	assert_int_equal(position(two), 2);
}

static void damage_is_refused(void **state)
{
	CLEANUP(free) struct made *made = make_chain("one", 1, NULL, 1);
	struct accept_result result;
	uint8_t body[2 * 4096];
	size_t first = made->frames[1].size, size = first + made->frames[2].size;

	(void)state;
	/* of the payload, which the header has the hash of; a header has its hash in the next one
	 */
	for (size_t i = made->frames[2].size - 100; i < made->frames[2].size; i++) {
		memcpy(body, made->frames[1].bytes, first);
		memcpy(body + first, made->frames[2].bytes, made->frames[2].size);
		body[first + i] ^= 0x20;
		accept_frames(&options, body, size, &none, &result);
		assert_int_not_equal(result.problem, HINOMI__PROBLEM__PROBLEM_NONE);
		assert_int_equal(position(made), 1); /* the good one stays */
	}
	accept_frames(&options, body, first + 3, &none, &result);
	assert_int_equal(result.problem, HINOMI__PROBLEM__PROBLEM_MALFORMED);
	assert_int_equal(answer_status(&result), 400);
}

static void unheard_sensor_is_unknown(void **state)
{
	uint8_t id[16] = "nobody", *bytes;
	struct accept_result result;
	Hinomi__Answer *answer;
	size_t size;

	(void)state;
	accept_position(&options, id, LANE_KEEP, &result);
	assert_int_equal(result.problem, HINOMI__PROBLEM__PROBLEM_UNKNOWN);
	assert_int_equal(answer_status(&result), 404);
	bytes = answer_pack(&options, &result, &size);
	answer = hinomi__answer__unpack(NULL, size, bytes);
	assert_non_null(answer);
	assert_int_equal(answer->problem, HINOMI__PROBLEM__PROBLEM_UNKNOWN);
	hinomi__answer__free_unpacked(answer, NULL);
	free(bytes);
}

static struct made *make_keep(const char *sensor)
{
	struct made *made;

	made_lane = LANE_KEEP;
	made = make_chain(sensor, 1, NULL, 1);
	made_lane = LANE_BULK;
	return made;
}

static void silence_is_said_once(void **state)
{
	CLEANUP(free) struct made *made = make_keep("one");
	struct accept_result result = bring(made, 1, 2);
	uint64_t now_ns = clock_boot_ns();

	(void)state;
	assert_taken(&result, 2);
	silence_check(options.store, options.findings, now_ns + 10 * NS_PER_SEC);
	assert_int_equal(count_findings("silence"), 0);
	silence_check(options.store, options.findings, now_ns + 16 * NS_PER_SEC);
	silence_check(options.store, options.findings, now_ns + 20 * NS_PER_SEC);
	assert_int_equal(count_findings("silence"), 1);
	bring(made, 3, 4);
	silence_check(options.store, options.findings, now_ns + 1 * NS_PER_SEC);
	assert_int_equal(count_findings("heard"), 1);
	/* a collector that begins anew waits for those it knows */
	reopen();
	silence_check(options.store, options.findings, now_ns + 40 * NS_PER_SEC);
	assert_int_equal(count_findings("silence"), 2);
}

/* What anybody can bring who once saw a frame, and what tells of noise only. */
static void known_frame_is_no_sign_of_life(void **state)
{
	CLEANUP(free) struct made *keep = make_keep("one");
	CLEANUP(free) struct made *bulk = make_chain("one", 1, NULL, 1);
	struct accept_result result = bring(keep, 1, 5);
	uint64_t heard_ns = store_each(options.store, 0)->heard_ns;

	(void)state;
	assert_taken(&result, 5);
	result = bring(keep, 1, 5);
	assert_taken(&result, 5);
	result = bring(keep, 2, 2);
	assert_taken(&result, 2);
	result = bring(bulk, 1, 5);
	assert_taken(&result, 5);
	assert_int_equal(store_each(options.store, 0)->heard_ns, heard_ns);
	result = bring(keep, 6, 6);
	assert_taken(&result, 6);
	assert_true(store_each(options.store, 0)->heard_ns > heard_ns);
}

static bool is_heard(struct sensor *sensor, const char *boot, uint64_t made_s, uint64_t now_s)
{
	Hinomi__ClockPair clock = HINOMI__CLOCK_PAIR__INIT, *clocks[] = {&clock};
	Hinomi__FrameHeader header = HINOMI__FRAME_HEADER__INIT;
	struct frame frame = {.header = &header};
	uint8_t boot_id[16] = {0};

	memcpy(boot_id, boot, strlen(boot));
	header.boot_id = (ProtobufCBinaryData){sizeof(boot_id), boot_id};
	header.clocks = clocks;
	header.n_clocks = 1;
	clock.boot_ns = made_s * NS_PER_SEC;
	silence_heard(sensor, &frame, now_s * NS_PER_SEC);
	return sensor->heard_ns == now_s * NS_PER_SEC;
}

/* A sensor that was stopped, while the forwarder goes on with what lay in the spool. */
static void drained_backlog_is_no_sign_of_life(void **state)
{
	struct sensor sensor = {0};
	uint64_t now_s = 100000;

	(void)state;
	for (int i = 0; i < 10; i++) /* its clock is another one */
		assert_true(is_heard(&sensor, "boot", 500 + 5 * i, now_s += 5));
	/* what was made before 545 comes until long after, at its own pace */
	for (int i = 1; i <= 15; i++)
		assert_true(is_heard(&sensor, "boot", 545, now_s + i));
	for (int i = 17; i < 100; i++)
		assert_false(is_heard(&sensor, "boot", 545 + i / 50, now_s + i));
	/* live again, a week of drifting clocks later, after a boot, and after a pause of the whole
	 * machine that was told of as its silence */
	assert_true(is_heard(&sensor, "boot", 645, now_s += 100));
	for (int i = 0; i < 7 * 24 * 60; i++)
		assert_true(is_heard(&sensor, "boot", 705 + 60 * i - i / 100, now_s += 60));
	assert_true(is_heard(&sensor, "next boot", 10, now_s += 60));
	assert_false(is_heard(&sensor, "next boot", 15, now_s += 60));
	sensor.is_silent = true;
	assert_true(is_heard(&sensor, "next boot", 20, now_s += 5));
	sensor.is_silent = false;
	assert_true(is_heard(&sensor, "next boot", 25, now_s += 5));
}

static void bodies_are_taken_apart_within_bounds(void **state)
{
	static const uint8_t rows[][8] = {
		{1}, {0, 0, 0, 0}, {255, 255, 255, 255}, {5, 0, 0, 0, 1}, {1, 0, 0, 0}};
	static const size_t sizes[] = {1, 4, 4, 8, 4};
	struct body body = {.data = (const uint8_t *)"\2\0\0\0ab\1\0\0\0c", .size = 11};
	const uint8_t *frame;
	size_t size;

	(void)state;
	assert_int_equal(body_next(&body, &frame, &size), 1);
	assert_int_equal(size, 2);
	assert_int_equal(body_next(&body, &frame, &size), 1);
	assert_int_equal(*frame, 'c');
	assert_int_equal(body_next(&body, &frame, &size), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		body = (struct body){.data = rows[i], .size = sizes[i]};
		assert_int_equal(body_next(&body, &frame, &size), -EBADMSG);
	}
}

static void queries_are_strict(void **state)
{
	char address[16], port[6], text[33];
	uint8_t id[16];
	uint64_t from, to;
	enum lane lane;

	(void)state;
	assert_int_equal(query_id("00112233445566778899aabbccddeeff", id), 0);
	query_id_text(id, text);
	assert_string_equal(text, "00112233445566778899aabbccddeeff");
	assert_int_equal(query_id("00112233445566778899AABBCCDDEEFF", id), -EINVAL);
	assert_int_equal(query_id("../../../../../etc/passwd/../../", id), -EINVAL);
	assert_int_equal(query_id("", id), -EINVAL);
	assert_int_equal(query_lane("bulk", &lane), 0);
	assert_int_equal(lane, LANE_BULK);
	assert_int_equal(query_lane("bulk ", &lane), -EINVAL);
	assert_int_equal(query_range("3-18446744073709551615", &from, &to), 0);
	assert_int_equal(to, UINT64_MAX);
	assert_int_equal(query_range("3-18446744073709551616", &from, &to), -EINVAL);
	assert_int_equal(query_range("3-2", &from, &to), -EINVAL);
	assert_int_equal(query_range("0-2", &from, &to), -EINVAL);
	assert_int_equal(query_range("-1-2", &from, &to), -EINVAL);
	assert_int_equal(query_range("1-2x", &from, &to), -EINVAL);
	assert_int_equal(query_listen("127.0.0.1:0", address, sizeof(address), port), 0);
	assert_string_equal(address, "127.0.0.1");
	assert_string_equal(port, "0");
	assert_int_equal(query_listen("[::1]:4320", address, sizeof(address), port), 0);
	assert_string_equal(address, "::1");
	assert_int_equal(query_listen(":80", address, sizeof(address), port), 0);
	assert_string_equal(address, "");
	assert_int_equal(query_listen("::1:80", address, sizeof(address), port), -EINVAL);
	assert_int_equal(query_listen("host", address, sizeof(address), port), -EINVAL);
	assert_int_equal(query_listen("host:99999", address, sizeof(address), port), -EINVAL);
	assert_int_equal(query_listen("host:", address, sizeof(address), port), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(chain_is_taken_and_known_again, setup, teardown),
		cmocka_unit_test_setup_teardown(hole_is_refused_unless_declared, setup, teardown),
		cmocka_unit_test_setup_teardown(first_contact_may_be_late, setup, teardown),
		cmocka_unit_test_setup_teardown(fork_is_found_wherever_it_begins, setup, teardown),
		cmocka_unit_test_setup_teardown(fork_behind_a_hole_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(row_must_hang_together, setup, teardown),
		cmocka_unit_test_setup_teardown(chains_are_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(unheard_sensor_is_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(silence_is_said_once, setup, teardown),
		cmocka_unit_test_setup_teardown(known_frame_is_no_sign_of_life, setup, teardown),
		cmocka_unit_test(drained_backlog_is_no_sign_of_life),
		cmocka_unit_test(bodies_are_taken_apart_within_bounds),
		cmocka_unit_test(queries_are_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
