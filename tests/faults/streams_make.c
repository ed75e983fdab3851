/* SPDX-License-Identifier: Apache-2.0 */
#include <hinomi/record.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/event.h"
#include "seal/seal.h"
#include "seal/signer.h"
#include "streams.h"

#define PENDING 64

/* Numbers of events, or of frames, that are gone and not yet declared. */
struct loss {
	enum lane lane;
	uint32_t cpu;
	uint64_t first, last, first_frame, last_frame;
	Hinomi__Gap__Cause cause;
};

/* One run of a sensor, or what it knows of the runs before. */
struct life {
	struct stream *stream;
	const struct making *making;
	struct seal_identity who;
	struct sealer *sealers[LANES];
	uint64_t next[LANES][CPUS], own; /* numbers given out */
	uint64_t made[LANES];		 /* frames */
	Hinomi__LedgerRow rows[LANES][CPUS];
	struct loss losses[PENDING];
	size_t nlosses;
	bool is_copy, loses_frames;
};

/* ---- the clocks that seal/ asks */

static uint64_t boot_ns, real_ns;

uint64_t clock_boot_ns(void)
{
	return boot_ns;
}

uint64_t clock_real_ns(void)
{
	return real_ns;
}

struct clock_pair clock_pair_now(void)
{
	return (struct clock_pair){.boot_ns = boot_ns, .real_ns = real_ns};
}

/* Some frames come at once, some keys get old; somebody sets the clock. */
static void let_time_pass(uint64_t *seed)
{
	uint64_t passed_ns = random_below(seed, 25) * NS_PER_SEC + random_below(seed, NS_PER_SEC);

	boot_ns += passed_ns;
	real_ns += passed_ns;
	if (!random_below(seed, 8))
		real_ns += (random_below(seed, 172800) - 86400) * NS_PER_SEC;
}

uint64_t random_next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t random_below(uint64_t *seed, uint64_t limit)
{
	return random_next(seed) % limit;
}

static void must(bool good)
{
	if (!good)
		abort();
}

static void random_id(struct life *life, uint8_t id[16])
{
	for (int i = 0; i < 2; i++) {
		uint64_t word = random_next(&life->stream->seed);

		memcpy(id + 8 * i, &word, 8);
	}
}

static void start(struct life *life, bool same_boot)
{
	if (!same_boot) {
		random_id(life, life->who.boot_id);
		boot_ns = random_below(&life->stream->seed, 3600) * NS_PER_SEC + 1;
	}
	random_id(life, life->who.rings_id);
	memset(life->next, 0, sizeof(life->next));
	memset(life->rows, 0, sizeof(life->rows));
	life->own = 0;
	for (int lane = 0; lane < LANES; lane++) {
		struct seal_state state = {0};
		struct signer *signer;

		if (life->sealers[lane])
			sealer_state(life->sealers[lane], &state);
		sealer_free(life->sealers[lane]);
		must(!sealer_new((enum lane)lane, &life->who, &state, &life->sealers[lane]));
		must(!signer_new(life->stream->identity, &life->who, (enum lane)lane,
				 state.number + 1, &signer));
		sealer_sign_with(life->sealers[lane], signer);
		for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
			Hinomi__LedgerRow *row = &life->rows[lane][cpu];

			hinomi__ledger_row__init(row);
			row->kind = lane == LANE_KEEP ? KIND_exec : KIND_fork;
			row->cpu = cpu;
		}
	}
}

static void add(struct life *life, enum lane lane, uint32_t cpu, uint64_t seq, Hinomi__Gap *gap)
{
	Hinomi__Event body = HINOMI__EVENT__INIT;
	Hinomi__Exec exec = HINOMI__EXEC__INIT;
	Hinomi__Fork fork = HINOMI__FORK__INIT;
	struct event event = {.body = &body, .lane = lane};

	body.lane = (Hinomi__Lane)lane;
	body.cpu = cpu;
	body.seq = seq;
	event.kind = gap ? KIND_gap : lane == LANE_KEEP ? KIND_exec : KIND_fork;
	if (gap)
		body.gap = gap;
	else if (lane == LANE_KEEP)
		body.exec = &exec;
	else
		body.fork = &fork;
	body.body_case = (Hinomi__Event__BodyCase)event.kind;
	must(!sealer_add(life->sealers[lane], &event));
}

static struct loss *lose(struct life *life, enum lane lane)
{
	must(life->nlosses < PENDING && lane < LANES);
	return &life->losses[life->nlosses++];
}

static void add_of_cpu(struct life *life, enum lane lane, uint32_t cpu)
{
	uint64_t *seed = &life->stream->seed, *next = &life->next[lane][cpu];
	Hinomi__LedgerRow *row = &life->rows[lane][cpu];
	uint64_t events = 1 + random_below(seed, 6), some = 1 + random_below(seed, 9);

	if (!random_below(seed, 12)) {
		*lose(life, lane) = (struct loss){
			.lane = lane, .cpu = cpu, .first = *next + 1, .last = *next + some};
		*next += some;
		row->seen += some;
		row->lost += some;
	} else if (!random_below(seed, 8)) {
		must(!sealer_cover(life->sealers[lane], cpu, *next + 1, *next + some));
		*next += some;
		row->seen += some;
		row->filtered += some;
	}
	for (uint64_t i = 0; i < events; i++)
		add(life, lane, cpu, ++*next, NULL);
	row->seen += events;
	row->delivered += events;
	some = row->seen + random_below(seed, 3); /* under way */
	row->begun = some > row->begun ? some : row->begun;
}

static void declare(struct life *life)
{
	for (size_t i = 0; i < life->nlosses; i++) {
		const struct loss *loss = &life->losses[i];
		Hinomi__Gap gap = HINOMI__GAP__INIT;

		gap.lane = (Hinomi__Lane)loss->lane;
		gap.cpu = loss->cpu;
		gap.first_seq = loss->first;
		gap.last_seq = loss->last;
		gap.first_frame = loss->first_frame;
		gap.last_frame = loss->last_frame;
		gap.cause = loss->cause;
		add(life, LANE_KEEP, CPU_SENSOR, ++life->own, &gap);
	}
	life->nlosses = 0;
}

/* What a sensor that hides a loss would do. */
static void forget_one(struct life *life, size_t from, uint64_t number)
{
	struct stream *stream = life->stream;

	if (!life->making->forgets || stream->forgotten.frame || life->nlosses == from)
		return;
	stream->forgotten.lane = life->losses[from].lane;
	stream->forgotten.frame = number;
	memmove(&life->losses[from], &life->losses[from + 1],
		(--life->nlosses - from) * sizeof(life->losses[0]));
}

static void lose_frames(struct life *life, enum lane lane, uint64_t first, uint64_t last,
			Hinomi__Gap__Cause cause)
{
	struct loss *loss = lose(life, lane);

	*loss = (struct loss){
		.lane = lane, .first_frame = first, .last_frame = last, .cause = cause};
}

/* The oldest frames go for want of space, and what they declared of the other lane with them. */
static void evict(struct life *life, enum lane lane)
{
	struct stream *stream = life->stream;
	uint64_t first = frame_number(&stream->frames[lane][0]), bulk;
	size_t count = 1 + random_below(&stream->seed, stream->counts[lane] - 4);

	for (size_t i = 0; i < count; i++)
		stream_remove(stream, lane, 0);
	lose_frames(life, lane, first, frame_number(&stream->frames[lane][0]) - 1,
		    HINOMI__GAP__CAUSE__CAUSE_EVICTED);
	if (lane == LANE_BULK || !stream->counts[LANE_BULK])
		return;
	bulk = frame_number(&stream->frames[LANE_BULK][0]);
	if (bulk > 1)
		lose_frames(life, LANE_BULK, bulk - 1, bulk - 1, HINOMI__GAP__CAUSE__CAUSE_EVICTED);
}

static void store(struct life *life, enum lane lane, const uint8_t *bytes, size_t size)
{
	struct stream *stream = life->stream;
	struct stored *stored = &stream->frames[lane][stream->counts[lane]];

	must(stream->counts[lane] < STREAM_FRAMES_MAX);
	stored->bytes = malloc(size);
	stored->size = size;
	memcpy(stored->bytes, bytes, size);
	stream->counts[lane]++;
}

static void frame(struct life *life, enum lane lane)
{
	struct stream *stream = life->stream;
	bool is_whole = life->making->forgets || life->making->whole;
	uint64_t number = ++life->made[lane];
	size_t nlosses = life->nlosses, size;
	const uint8_t *bytes;

	let_time_pass(&stream->seed);
	for (uint32_t cpu = 0; cpu < CPUS; cpu++)
		if (random_below(&stream->seed, 4))
			add_of_cpu(life, lane, cpu);
	forget_one(life, nlosses, number);
	if (lane == LANE_KEEP)
		declare(life);
	must(!sealer_finish(life->sealers[lane], life->rows[lane], CPUS, true, &bytes, &size));
	/* the disk may lose one; a must-keep frame has what others declared, which may leave in its
	 * turn only where no such declaration is */
	if (lane == LANE_BULK && !is_whole && life->loses_frames && stream->counts[lane] &&
	    !random_below(&stream->seed, 8))
		lose_frames(life, lane, number, number, HINOMI__GAP__CAUSE__CAUSE_SPOOL_FAILED);
	else
		store(life, lane, bytes, size);
	if (stream->counts[lane] > 8 && !is_whole && (lane == LANE_BULK || !life->loses_frames) &&
	    !random_below(&stream->seed, 6))
		evict(life, lane);
}

/* ---- a copy of the machine, with all that is in its memory */

static void put_all(FILE *out, const void *bytes, size_t size)
{
	must(fwrite(bytes, 1, size, out) == size);
}

static void get_all(FILE *in, void *bytes, size_t size)
{
	must(fread(bytes, 1, size, in) == size);
}

static void give_away(const struct stream *stream, FILE *out)
{
	put_all(out, stream->counts, sizeof(stream->counts));
	for (int lane = 0; lane < LANES; lane++)
		for (size_t i = 0; i < stream->counts[lane]; i++) {
			const struct stored *stored = &stream->frames[lane][i];

			put_all(out, &stored->size, sizeof(stored->size));
			put_all(out, stored->bytes, stored->size);
		}
	must(!fclose(out));
}

static void take_over(struct stream *stream, FILE *in)
{
	get_all(in, stream->counts, sizeof(stream->counts));
	for (int lane = 0; lane < LANES; lane++)
		for (size_t i = 0; i < stream->counts[lane]; i++) {
			struct stored *stored = &stream->frames[lane][i];

			get_all(in, &stored->size, sizeof(stored->size));
			stored->bytes = malloc(stored->size);
			get_all(in, stored->bytes, stored->size);
		}
	fclose(in);
}

/* The copy goes on in a process of its own; where it ends, NULL in the original. */
static FILE *copy_machine(struct life *life)
{
	struct stream *copy = life->making->copy;
	int ends[2];
	pid_t pid;

	memcpy(life->stream->copied, life->made, sizeof(life->made));
	must(!pipe(ends));
	fflush(NULL);
	pid = fork();
	must(pid >= 0);
	close(ends[pid ? 1 : 0]);
	if (!pid) {
		life->is_copy = true;
		life->stream->seed ^= 0x5555555555555555;
		return fdopen(ends[1], "w");
	}
	*copy = (struct stream){.identity = life->stream->identity};
	EVP_PKEY_up_ref(copy->identity);
	take_over(copy, fdopen(ends[0], "r"));
	must(waitpid(pid, NULL, 0) == pid);
	return NULL;
}

void stream_make(struct stream *stream, uint64_t seed, const struct making *making)
{
	struct life life = {.stream = stream, .making = making};
	uint64_t runs, copied_run;
	FILE *out = NULL;

	*stream = (struct stream){.seed = seed ^ making->sensor << 32};
	stream->identity =
		making->identity ? making->identity : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	must(stream->identity);
	if (making->identity)
		EVP_PKEY_up_ref(making->identity);
	real_ns = 1790000000 * NS_PER_SEC;
	memcpy(life.who.sensor_id, &making->sensor, sizeof(making->sensor));
	life.loses_frames = random_below(&stream->seed, 2);
	runs = 1 + random_below(&stream->seed, 3);
	copied_run = random_below(&stream->seed, runs);
	for (uint64_t run = 0; run < runs; run++) {
		uint64_t frames = 6 + random_below(&stream->seed, 8);
		uint64_t copied_at = random_below(&stream->seed, frames);

		start(&life, run && random_below(&stream->seed, 2));
		for (uint64_t i = 0; i < frames; i++) {
			if (making->copy && run == copied_run && i == copied_at)
				out = copy_machine(&life);
			frame(&life, random_below(&stream->seed, 3) ? LANE_BULK : LANE_KEEP);
		}
		frame(&life, LANE_BULK); /* so that each lane has some */
		frame(&life, LANE_KEEP);
	}
	while (life.nlosses)
		frame(&life, LANE_KEEP);
	for (int lane = 0; lane < LANES; lane++)
		sealer_free(life.sealers[lane]);
	if (!life.is_copy)
		return;
	give_away(stream, out);
	_exit(0);
}

void stream_free(struct stream *stream)
{
	for (int lane = 0; lane < LANES; lane++)
		for (size_t i = 0; i < stream->counts[lane]; i++)
			free(stream->frames[lane][i].bytes);
	EVP_PKEY_free(stream->identity);
}

static struct stored copy_of(const struct stored *frame)
{
	struct stored copy = {malloc(frame->size), frame->size};

	memcpy(copy.bytes, frame->bytes, frame->size);
	return copy;
}

void stream_copy(struct stream *to, const struct stream *from)
{
	*to = *from;
	EVP_PKEY_up_ref(to->identity);
	for (int lane = 0; lane < LANES; lane++)
		for (size_t i = 0; i < to->counts[lane]; i++)
			to->frames[lane][i] = copy_of(&from->frames[lane][i]);
}

void stream_remove(struct stream *stream, enum lane lane, size_t index)
{
	struct stored *frames = stream->frames[lane];

	free(frames[index].bytes);
	memmove(&frames[index], &frames[index + 1],
		(--stream->counts[lane] - index) * sizeof(*frames));
}

void stream_insert(struct stream *stream, enum lane lane, size_t index, const struct stored *frame)
{
	struct stored *frames = stream->frames[lane];

	must(stream->counts[lane] < STREAM_FRAMES_MAX);
	memmove(&frames[index + 1], &frames[index],
		(stream->counts[lane]++ - index) * sizeof(*frames));
	frames[index] = copy_of(frame);
}
