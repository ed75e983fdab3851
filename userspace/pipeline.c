// SPDX-License-Identifier: Apache-2.0
#include "pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach/attach.h"
#include "base/log.h"
#include "config/config.h"
#include "decode/decode.h"
#include "enrich/enrich.h"
#include "filter/filter.h"
#include "guard/guard.h"
#include "losses.h"
#include "ring/ring.h"
#include "seal/signer.h"
#include "spool/spool.h"
#include "stats/ledger.h"
#include "stats/sequence.h"

#define BATCH_RECORDS	   8192
#define BATCH_BYTES	   (4u << 20)  /* of the arena; a batch ends beyond */
#define ARENA_BYTES	   (16u << 20) /* leaves room for the largest record */
#define WHOLE_LEDGER_BYTES (1u << 20)  /* frames between two whole ledgers */
#define PROCESSES_MAX	   131072
#define RESERVE_BYTES_MAX  (64u << 20)
/* A frame costs a signature, whatever is in it: bulk ones wait for what comes next, */
#define HOLD_NS		(15 * NS_PER_MS) /* so long: less than to the next batch; */
#define HOLD_BYTES	(256u << 10)	 /* and until the frame has so much; */
#define HOLD_RING_SHARE 16		 /* or until so much of the ring waits to be released. */
#define RUSH_RING_SHARE                                                           \
	16 /* from so much of a ring on the next batch does not wait for its time \
	    */

static int fail(struct pipeline_error *error, int err, const char *what, const char *hint)
{
	error->status = err == -EACCES || err == -EPERM ? 77 : 1;
	snprintf(error->text, sizeof(error->text), "%s: %s%s%s", what, strerror(-err),
		 hint ? "; " : "", hint ?: "");
	return err;
}

static int filter_open(struct pipeline *p, struct pipeline_error *error)
{
	char why[400];
	int err = filter_new(&p->filter);

	if (err)
		return fail(error, err, "filter", NULL);
	for (size_t i = 0; i < p->config->nrules; i++) {
		const struct config_rule *rule = &p->config->rules[i];

		if (!filter_add(p->filter, rule->text, why, sizeof(why)))
			continue;
		error->status = 78;
		snprintf(error->text, sizeof(error->text), "%s:%d: %.400s", rule->file, rule->line,
			 why);
		return -EINVAL;
	}
	return 0;
}

static int spool_open(struct pipeline *p, struct pipeline_error *error)
{
	struct spool_options options = {
		.limit_bytes = p->config->spool_limit_bytes,
		.reader_gid = group_id(p->config->reader_group),
		.reserve_bytes = p->config->spool_limit_bytes / 16,
		.age_ns = p->config->spool_age_ms * NS_PER_MS,
	};
	char what[256];
	int err;

	if (options.reserve_bytes > RESERVE_BYTES_MAX)
		options.reserve_bytes = RESERVE_BYTES_MAX;
	err = bind_check(p->config->spool, MACHINE_ID, &p->replaced);
	bind_say(p->config->spool, &p->replaced);
	p->is_known = pipeline_is_known(p->config->spool);
	if (!err)
		err = spool_writer_open(p->config->spool, &options, &p->spool);
	snprintf(what, sizeof(what), "spool %.200s", p->config->spool);
	if (err == -EBUSY)
		return fail(error, err, what,
			    "another sensor writes there; stop it or name another --spool");
	if (err)
		return fail(error, err, what, "name a directory that this user can write");
	return 0;
}

static int sealers_open(struct pipeline *p, struct pipeline_error *error)
{
	struct seal_state states[LANES] = {};
	EVP_PKEY *key = NULL;
	int err = identity_load(p->config->spool, &p->identity);

	if (err)
		return fail(error, err, "sensor id", NULL);
	memcpy(p->identity.rings_id, attach_rings_id(p->attach), 16);
	err = pipeline_recover(p, p->config->spool, states);
	if (err)
		return fail(error, err, "reading the end of the spool", NULL);
	err = identity_key(p->config->spool, &key);
	if (err)
		return fail(error, err, "identity.key of the spool", NULL);
	err = bind_machine(p->config->spool, MACHINE_ID);
	for (int lane = 0; lane < LANES && !err; lane++) {
		struct signer *signer;

		p->whole_due[lane] = true;
		err = sealer_new(lane, &p->identity, &states[lane], &p->sealers[lane]);
		err = err ?: signer_new(key, &p->identity, lane, states[lane].number + 1, &signer);
		if (!err)
			sealer_sign_with(p->sealers[lane], signer);
	}
	EVP_PKEY_free(key);
	return err ? fail(error, err, "seal", NULL) : 0;
}

int pipeline_open(struct pipeline *p, const struct config *config, struct attach *attach,
		  struct pipeline_error *error)
{
	unsigned cpus = attach_cpus(attach);
	struct enrich_options enrich = {
		.processes_max = PROCESSES_MAX,
		.hash_file_max_bytes = config->hash_file_max_bytes,
		.watch = config->watch,
		.nwatch = config->nwatch,
		.root = "/",
	};
	int err = 0;

	memset(p, 0, sizeof(*p));
	p->config = config;
	p->attach = attach;
	p->costs.start_ns = clock_boot_ns();
	arena_init(&p->arena, ARENA_BYTES);
	p->rows_max = (size_t)(cpus + 2) * KINDS_MAX; /* the sensor's own, and no known one */
	p->rows = calloc(p->rows_max, sizeof(*p->rows));
	for (int lane = 0; lane < LANES && !err && attach_ring_fd(attach, lane) >= 0; lane++)
		err = ring_open(attach_ring_fd(attach, lane), &p->rings[lane]);
	err = err ?: ledger_new(cpus, &p->ledger);
	err = err ?: losses_new(attach, &p->losses);
	err = err ?: sequences_new(cpus, &p->sequences);
	err = err ?: enrich_new(&enrich, &p->enrich);
	if (err || !p->rows)
		return fail(error, err ?: -ENOMEM, "start", NULL);
	err = filter_open(p, error);
	err = err ?: spool_open(p, error);
	err = err ?: sealers_open(p, error);
	if (err)
		return err;
	err = guard_new(config->spool, announce_tamper, p, &p->guard);
	if (err)
		return fail(error, err, "guard", NULL);
	err = syncer_new(p->spool, &p->syncer);
	if (err)
		return fail(error, err, "sync thread", NULL);
	recover_declare(p);
	return 0;
}

void pipeline_close(struct pipeline *p)
{
	syncer_free(p->syncer);
	for (int lane = 0; lane < LANES; lane++) {
		sealer_free(p->sealers[lane]);
		ring_free(p->rings[lane]);
	}
	spool_writer_free(p->spool);
	filter_free(p->filter);
	guard_free(p->guard);
	enrich_free(p->enrich);
	sequences_free(p->sequences);
	ledger_free(p->ledger);
	losses_free(p->losses);
	free(p->rows);
	arena_done(&p->arena);
}

/* Nothing while the frame before waits for the disk. */
static void seal_lane(struct pipeline *p, enum lane lane)
{
	bool whole = p->whole_due[lane] || p->since_whole_bytes[lane] > WHOLE_LEDGER_BYTES;
	const uint8_t *bytes;
	size_t size, n;
	int err;

	if (!output_ready(p, lane))
		return;
	ledger_kernel(p->ledger, attach_ledger(p->attach));
	n = ledger_rows(p->ledger, lane, whole, p->rows, p->rows_max);
	err = sealer_finish(p->sealers[lane], p->rows, n, whole, &bytes, &size);
	if (err) {
		log_error("seal: %s; trying again with the next events", strerror(-err));
		p->whole_due[lane] = true;
		return;
	}
	if (whole)
		p->since_whole_bytes[lane] = 0;
	p->whole_due[lane] = p->frame_due[lane] = false;
	if (lane == LANE_BULK)
		p->held_ns = 0;
	output_put(p, lane, bytes, size);
}

static bool has_content(const struct pipeline *p, enum lane lane)
{
	return sealer_events(p->sealers[lane]) || p->frame_due[lane];
}

/* What must be kept is sealed at once. */
static bool may_wait(struct pipeline *p, enum lane lane)
{
	uint64_t now = clock_boot_ns();

	if (lane == LANE_KEEP || p->whole_due[lane] || p->stop_ns)
		return false;
	if (!p->held_ns)
		p->held_ns = now;
	return now - p->held_ns < HOLD_NS && sealer_bytes(p->sealers[lane]) < HOLD_BYTES &&
	       ring_read_bytes(p->rings[lane]) < ring_size_bytes(p->rings[lane]) / HOLD_RING_SHARE;
}

static void seal_lanes(struct pipeline *p, bool all)
{
	for (int lane = 0; lane < LANES; lane++)
		if (output_ready(p, lane) &&
		    ((has_content(p, lane) && (all || !may_wait(p, lane))) ||
		     sealer_key_is_old(p->sealers[lane])))
			seal_lane(p, lane);
}

void pipeline_seal(struct pipeline *p)
{
	seal_lanes(p, true);
}

static int add(struct pipeline *p, struct event *event)
{
	int err = sealer_add(p->sealers[event->lane], event);

	if (err == -E2BIG) {
		seal_lane(p, event->lane);
		err = sealer_add(p->sealers[event->lane], event);
	}
	if (!err)
		ledger_count(p->ledger, event->lane, event->kind, event->body->cpu,
			     OUTCOME_DELIVERED, 1);
	return err;
}

void pipeline_own_by(struct pipeline *p, enum kind kind, Hinomi__Event *body,
		     const struct event *by)
{
	struct event event = {.body = body, .kind = kind, .lane = LANE_KEEP};

	if (by) {
		event.process = by->process;
		event.process_state = by->process_state;
		body->tid = by->body->tid;
		body->result = by->body->result;
		body->result_unknown = by->body->result_unknown;
	}
	body->time_ns = clock_boot_ns();
	body->seq = p->own_seq + 1;
	body->cpu = CPU_SENSOR;
	body->lane = HINOMI__LANE__LANE_KEEP;
	if (add(p, &event)) /* a frame is full of them, and the one before waits for the disk */
		ledger_count(p->ledger, LANE_KEEP, kind, CPU_SENSOR, OUTCOME_LOST, 1);
	else
		p->own_seq++;
}

void pipeline_own(struct pipeline *p, enum kind kind, Hinomi__Event *body)
{
	pipeline_own_by(p, kind, body, NULL);
}

/* An event that goes into no frame: its number is accounted for all the same. */
static void account(struct pipeline *p, const struct record *rec, enum outcome outcome)
{
	ledger_count(p->ledger, rec->lane, rec->kind, rec->cpu, outcome, 1);
	if (sealer_cover(p->sealers[rec->lane], rec->cpu, rec->seq, rec->seq) == -E2BIG) {
		seal_lane(p, rec->lane);
		sealer_cover(p->sealers[rec->lane], rec->cpu, rec->seq, rec->seq);
	}
	p->frame_due[rec->lane] = true;
}

static void malformed(struct pipeline *p, const struct record *rec)
{
	Hinomi__Gap gap = HINOMI__GAP__INIT;

	if (!p->malformed++)
		log_error("decode: a record of class %u makes no sense; it is declared lost, as "
			  "are others like it",
			  rec->kind);
	gap.cpu = rec->cpu;
	gap.lane = (Hinomi__Lane)rec->lane;
	gap.first_seq = gap.last_seq = rec->seq;
	gap.from_ns = gap.to_ns = rec->time_ns;
	gap.cause = HINOMI__GAP__CAUSE__CAUSE_MALFORMED;
	account(p, rec, OUTCOME_LOST);
	announce_gap(p, &gap);
}

static void take_record(struct pipeline *p, const void *data, size_t size)
{
	const struct record *rec = data;
	struct event event = {};
	int err;

	if (size < sizeof(*rec) || rec->lane >= LANES || !kind_is_kernel(rec->kind)) {
		p->malformed++; /* not even a number: it shows as a gap */
		return;
	}
	if (!sequences_see(p->sequences, rec->lane, rec->cpu, rec->seq, rec->time_ns)) {
		p->duplicates++; /* read again after a restart, and in a frame already */
		return;
	}
	p->last_ns = rec->time_ns;
	attach_hook_seen(p->attach, rec->hook);
	if (attach_is_canary(p->attach, rec)) {
		attach_canary_seen(p->attach, rec->kind, rec->hook, rec->time_ns);
		account(p, rec, OUTCOME_FILTERED);
		return;
	}
	err = decode_record(data, size, &p->arena, &event);
	if (err) {
		malformed(p, rec);
		return;
	}
	if (enrich_event(p->enrich, &event, &p->arena) == -EALREADY) {
		account(p, rec, OUTCOME_AGGREGATED);
		return;
	}
	guard_see(p->guard, &event);
	if (!filter_keeps(p->filter, &event))
		account(p, rec, OUTCOME_FILTERED);
	else if (add(p, &event))
		malformed(p, rec);
}

static void take_hashes(struct pipeline *p)
{
	struct event event;

	while (enrich_take_hash(p->enrich, &p->arena, &event) == 1)
		pipeline_own(p, KIND_file_hash, event.body);
}

static uint64_t time_of(const struct held_record *held)
{
	return held->size < sizeof(struct record) ? 0
						  : ((const struct record *)held->data)->time_ns;
}

static void fetch(struct pipeline *p, enum lane lane)
{
	struct held_record *held = &p->held[lane];

	if (!held->data && !output_waits(p, lane))
		held->data = ring_next(p->rings[lane], &held->size);
}

/* The next record in time, of the lanes that do not wait for the disk. */
static bool choose(const struct pipeline *p, enum lane *ret)
{
	bool may[LANES];

	for (int lane = 0; lane < LANES; lane++)
		may[lane] = p->held[lane].data && !output_waits(p, lane);
	if (may[LANE_KEEP] && may[LANE_BULK])
		*ret = time_of(&p->held[LANE_BULK]) < time_of(&p->held[LANE_KEEP]) ? LANE_BULK
										   : LANE_KEEP;
	else
		*ret = may[LANE_KEEP] ? LANE_KEEP : LANE_BULK;
	return may[*ret];
}

/* Records are given back once all that was read is in the page cache. */
static void release(struct pipeline *p, enum lane lane)
{
	struct sequence_cell *cells = attach_sequences(p->attach);

	if (p->held[lane].data || output_waits(p, lane) || has_content(p, lane))
		return;
	for (unsigned cpu = 0; cpu < attach_cpus(p->attach); cpu++)
		__atomic_store_n(&cells[cpu].consumed[lane],
				 sequences_settled(p->sequences, lane, cpu), __ATOMIC_RELAXED);
	ring_release(p->rings[lane]);
}

size_t pipeline_run(struct pipeline *p)
{
	enum lane lane;
	size_t n = 0;

	arena_reset(&p->arena);
	for (int i = 0; i < LANES; i++)
		fetch(p, i);
	while (choose(p, &lane)) {
		const struct held_record record = p->held[lane];
		bool over = n >= BATCH_RECORDS || p->arena.used >= BATCH_BYTES;

		p->held[lane].data = NULL;
		take_record(p, record.data, record.size);
		n++;
		if (!over)
			fetch(p, lane);
	}
	if (!output_waits(p, LANE_KEEP))
		take_hashes(p);
	pipeline_gaps(p, false);
	seal_lanes(p, false);
	for (int i = 0; i < LANES; i++)
		release(p, i);
	return n;
}

int pipeline_seed(struct pipeline *p, const void *record, size_t size)
{
	struct event event = {};
	int err;

	arena_reset(&p->arena);
	err = decode_record(record, size, &p->arena, &event);
	return err ?: enrich_seed(p->enrich, &event);
}

void pipeline_seeded(struct pipeline *p)
{
	enrich_seeded(p->enrich);
}

bool pipeline_waiting(const struct pipeline *p)
{
	for (int lane = 0; lane < LANES; lane++)
		if (!output_waits(p, lane) && ring_waiting_bytes(p->rings[lane]))
			return true;
	return false;
}

bool pipeline_behind(const struct pipeline *p)
{
	for (int lane = 0; lane < LANES; lane++)
		if (!output_waits(p, lane) &&
		    ring_waiting_bytes(p->rings[lane]) >
			    ring_size_bytes(p->rings[lane]) / RUSH_RING_SHARE)
			return true;
	return false;
}

int pipeline_hash_fd(const struct pipeline *p)
{
	return output_waits(p, LANE_KEEP) ? -1 : enrich_hash_fd(p->enrich);
}

uint64_t pipeline_spool_bytes(const struct pipeline *p)
{
	return spool_bytes(p->spool);
}
