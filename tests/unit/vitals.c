/* SPDX-License-Identifier: Apache-2.0 */
/* What hinomi status knows: the last process of the last rings, and rates over a minute of it. */
#include "cli/vitals.h"

#include <errno.h>
#include <ftw.h>
#include <hinomi/record.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "cli/vitals_show.h"
#include "seal/seal.h"
#include "spool/spool.h"

#define START_NS (100 * NS_PER_SEC)

static char dir[] = "/tmp/hinomi-vitals-XXXXXX";
static char spool[64];
static struct spool_writer *writer;
static struct sealer *sealers[LANES];
static uint64_t number;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void rings_new(const char *rings)
{
	struct seal_identity identity = {"sensor", "boot", ""};

	memcpy(identity.rings_id, rings, strlen(rings));
	for (int lane = 0; lane < LANES; lane++) {
		struct seal_state state = {0};

		if (sealers[lane])
			sealer_state(sealers[lane], &state);
		sealer_free(sealers[lane]);
		assert_int_equal(sealer_new((enum lane)lane, &identity, &state, &sealers[lane]), 0);
	}
}

static int setup(void **state)
{
	const struct spool_options options = {.reader_gid = -1};

	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(spool, sizeof(spool), "%s/spool", dir);
	assert_int_equal(spool_writer_open(spool, &options, &writer), 0);
	number = 0;
	rings_new("rings");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	spool_writer_free(writer);
	for (int lane = 0; lane < LANES; lane++) {
		sealer_free(sealers[lane]);
		sealers[lane] = NULL;
	}
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void finish_frame(enum lane lane, unsigned kind, uint64_t seen, uint64_t lost)
{
	Hinomi__LedgerRow row = HINOMI__LEDGER_ROW__INIT;
	struct seal_state state;
	const uint8_t *bytes;
	size_t size;

	row.kind = kind;
	row.seen = seen;
	row.lost = lost;
	row.delivered = seen - lost;
	assert_int_equal(sealer_finish(sealers[lane], &row, 1, true, &bytes, &size), 0);
	sealer_state(sealers[lane], &state);
	assert_int_equal(spool_append(writer, lane, state.number, bytes, size), 0);
	assert_int_equal(spool_sync(writer), 0);
}

static void add_own(unsigned kind, Hinomi__Event *body, uint64_t time_ns)
{
	struct event event = {.body = body, .kind = kind, .lane = LANE_KEEP};

	body->lane = HINOMI__LANE__LANE_KEEP;
	body->cpu = CPU_SENSOR;
	body->time_ns = time_ns;
	body->seq = ++number;
	body->body_case = (Hinomi__Event__BodyCase)kind;
	assert_int_equal(sealer_add(sealers[LANE_KEEP], &event), 0);
}

static void beat(uint64_t start_ns, uint64_t after_s, uint64_t cpu_ms)
{
	Hinomi__ProgramCost cost = HINOMI__PROGRAM_COST__INIT, *costs[] = {&cost};
	Hinomi__Heartbeat heartbeat = HINOMI__HEARTBEAT__INIT;
	Hinomi__Event body = HINOMI__EVENT__INIT;
	ProtobufCBinaryData classes[] = {{4, (uint8_t *)"exec"}};

	cost.program = "exec_\033tp";
	cost.n_classes = 1;
	cost.classes = classes;
	cost.runs = 10;
	cost.run_ns = 5000;
	cost.events = 4;
	heartbeat.start_ns = start_ns;
	heartbeat.cpu_ns = cpu_ms * NS_PER_MS;
	heartbeat.wakeups = 2 * after_s;
	heartbeat.n_programs = 1;
	heartbeat.programs = costs;
	body.heartbeat = &heartbeat;
	add_own(KIND_heartbeat, &body, start_ns + after_s * NS_PER_SEC);
}

static void start(uint64_t time_ns)
{
	Hinomi__SensorStart sensor_start = HINOMI__SENSOR_START__INIT;
	Hinomi__Event body = HINOMI__EVENT__INIT;

	sensor_start.version = "1";
	sensor_start.hostname = "host\n";
	body.sensor_start = &sensor_start;
	add_own(KIND_sensor_start, &body, time_ns);
}

static struct vitals *read_all(void)
{
	struct vitals *vitals = NULL;

	assert_int_equal(vitals_read(spool, &vitals), 0);
	return vitals;
}

static void empty_and_absent(void **state)
{
	CLEANUP(vitals_free) struct vitals *vitals = NULL, *none = NULL;

	(void)state;
	vitals = read_all();
	assert_null(vitals->beat);
	assert_true(trend_rate(&vitals->cpu) < 0);
	assert_int_equal(vitals_sum(vitals, 0).seen, 0);
	assert_int_equal(vitals_read("/nonexistent", &none), -ENOENT);
}

static void the_last_process(void **state)
{
	CLEANUP(vitals_free) struct vitals *vitals = NULL;

	(void)state;
	start(1);
	beat(1, 5, 900000);
	finish_frame(LANE_KEEP, KIND_exec, 10, 0);
	start(START_NS);
	for (uint64_t s = 5; s <= 200; s += 5)
		beat(START_NS, s, s * 10);
	finish_frame(LANE_KEEP, KIND_exec, 50, 3);
	finish_frame(LANE_BULK, KIND_fork, 70, 0);
	vitals = read_all();
	assert_non_null(vitals->start);
	assert_int_equal(vitals->beat->start_ns, START_NS);
	assert_int_equal(vitals->beat_ns, START_NS + 200 * NS_PER_SEC);
	assert_false(vitals->stopped);
	/* a minute, not all of it */
	assert_int_equal(vitals->cpu.samples[0].ns, START_NS + 140 * NS_PER_SEC);
	assert_float_equal(trend_rate(&vitals->cpu) / 1e9, 0.01, 1e-9);
	assert_float_equal(trend_rate(&vitals->wakeups), 2, 1e-9);
	assert_int_equal(vitals_sum(vitals, 0).seen, 120);
	assert_int_equal(vitals_sum(vitals, KIND_exec).lost, 3);
	assert_int_equal(vitals_sum(vitals, KIND_fork).delivered, 70);
}

/* Counters of rings that are gone count no more, whichever lane has said so. */
static void the_last_rings(void **state)
{
	CLEANUP(vitals_free) struct vitals *vitals = NULL;

	(void)state;
	beat(1, 5, 1);
	finish_frame(LANE_KEEP, KIND_exec, 10, 0);
	finish_frame(LANE_BULK, KIND_fork, 70, 0);
	rings_new("rings2");
	start(START_NS);
	finish_frame(LANE_KEEP, KIND_exec, 2, 1);
	vitals = read_all();
	assert_null(vitals->beat);
	assert_int_equal(vitals_sum(vitals, 0).seen, 2);
	assert_int_equal(vitals_sum(vitals, 0).lost, 1);
}

static void a_stop(void **state)
{
	Hinomi__SensorStop stop = HINOMI__SENSOR_STOP__INIT;
	CLEANUP(vitals_free) struct vitals *vitals = NULL;
	Hinomi__Event body = HINOMI__EVENT__INIT;

	(void)state;
	beat(START_NS, 5, 1);
	body.sensor_stop = &stop;
	add_own(KIND_sensor_stop, &body, START_NS + 6 * NS_PER_SEC);
	finish_frame(LANE_KEEP, KIND_exec, 10, 0);
	vitals = read_all();
	assert_true(vitals->stopped);
	assert_non_null(vitals->beat);
}

static void trends(void **state)
{
	static struct trend trend;

	(void)state;
	for (uint64_t i = 0; i < 100000; i++)
		trend_add(&trend, i * NS_PER_MS, i * 7);
	assert_true(trend.count <= 1024);
	assert_float_equal(trend_rate(&trend), 7000, 1e-6);
	assert_true(trend.samples[trend.count - 1].ns - trend.samples[0].ns >= 59 * NS_PER_SEC);
	trend_add(&trend, 0, 1); /* an older file: begins anew */
	assert_int_equal(trend.count, 1);
	assert_true(trend_rate(&trend) < 0);
	trend_add(&trend, 0, 2);
	assert_true(trend_rate(&trend) < 0); /* no time has passed */
}

static void shown(void **state)
{
	const struct vitals_moment moment = {VITALS_RUNNING, 2 * NS_PER_SEC};
	CLEANUP(vitals_free) struct vitals *vitals = NULL;
	char text[65536] = "", json[65536] = "";
	FILE *out;

	(void)state;
	start(START_NS);
	beat(START_NS, 5, 50);
	beat(START_NS, 10, 100);
	finish_frame(LANE_KEEP, KIND_exec, 50, 3);
	vitals = read_all();
	out = fmemopen(text, sizeof(text), "w");
	vitals_text(out, vitals, &moment);
	fclose(out);
	assert_non_null(strstr(text, "running for 10.0 s, last heard 2.0 s ago"));
	assert_non_null(strstr(text, "1.000 % of a CPU in the last minute"));
	assert_non_null(strstr(text, "exec_\\etp")); /* nothing hostile reaches the terminal */
	assert_non_null(strstr(text, "host\\n"));
	assert_non_null(strstr(text, "1250")); /* 5,000 ns over 4 events */
	assert_null(strchr(text, '\033'));
	out = fmemopen(json, sizeof(json), "w");
	vitals_json(out, vitals, &moment);
	fclose(out);
	assert_non_null(strstr(json, "{\"state\":\"running\",\"silent_ns\":2000000000,"));
	assert_non_null(strstr(json, "\"cpu_share\":0.01,"));
	assert_non_null(strstr(json, "\"lost\":3,\"kernel_ns\":1250}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(empty_and_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_process, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_rings, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stop, setup, teardown),
		cmocka_unit_test(trends),
		cmocka_unit_test_setup_teardown(shown, setup, teardown),
	};

	return cmocka_run_group_tests_name("vitals", tests, NULL, NULL);
}
