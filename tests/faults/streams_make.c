/* SPDX-License-Identifier: Apache-2.0 */
#include <hinomi/record.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "seal/seal.h"
#include "seal/signer.h"
#include "streams.h"

/* One run of a sensor, or what it knows of the runs before. */
struct life {
	struct stream *stream;
	struct seal_identity who;
	struct sealer *sealers[LANES];
	uint64_t next[LANES][CPUS], own; /* numbers given out */
	Hinomi__LedgerRow rows[LANES][CPUS];
	/* losses that are not declared yet */
	struct {
		enum lane lane;
		uint32_t cpu;
		uint64_t first, last;
	} losses[16];
	size_t nlosses;
};

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
	if (!same_boot)
		random_id(life, life->who.boot_id);
	random_id(life, life->who.rings_id);
	memset(life->next, 0, sizeof(life->next));
	memset(life->rows, 0, sizeof(life->rows));
	life->own = 0;
	life->nlosses = 0;
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

static void add_of_cpu(struct life *life, enum lane lane, uint32_t cpu)
{
	uint64_t *seed = &life->stream->seed, *next = &life->next[lane][cpu];
	Hinomi__LedgerRow *row = &life->rows[lane][cpu];
	uint64_t events = 1 + random_below(seed, 6), some = 1 + random_below(seed, 9);

	if (!random_below(seed, 12) && life->nlosses < 16) {
		life->losses[life->nlosses].lane = lane;
		life->losses[life->nlosses].cpu = cpu;
		life->losses[life->nlosses].first = *next + 1;
		life->losses[life->nlosses++].last = *next + some;
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
}

static void declare(struct life *life)
{
	for (size_t i = 0; i < life->nlosses; i++) {
		Hinomi__Gap gap = HINOMI__GAP__INIT;

		gap.lane = (Hinomi__Lane)life->losses[i].lane;
		gap.cpu = life->losses[i].cpu;
		gap.first_seq = life->losses[i].first;
		gap.last_seq = life->losses[i].last;
		add(life, LANE_KEEP, CPU_SENSOR, ++life->own, &gap);
	}
	life->nlosses = 0;
}

static void frame(struct life *life, enum lane lane)
{
	struct stream *stream = life->stream;
	struct stored *stored = &stream->frames[lane][stream->counts[lane]];
	const uint8_t *bytes;
	size_t size;

	must(stream->counts[lane] < STREAM_FRAMES_MAX);
	for (uint32_t cpu = 0; cpu < CPUS; cpu++)
		if (random_below(&stream->seed, 4))
			add_of_cpu(life, lane, cpu);
	if (lane == LANE_KEEP)
		declare(life);
	must(!sealer_finish(life->sealers[lane], life->rows[lane], CPUS, true, &bytes, &size));
	stored->bytes = malloc(size);
	stored->size = size;
	memcpy(stored->bytes, bytes, size);
	stream->counts[lane]++;
}

void stream_make(struct stream *stream, uint64_t seed, uint64_t sensor)
{
	struct life life = {.stream = stream};
	uint64_t runs;

	*stream = (struct stream){.seed = seed ^ sensor << 32};
	stream->identity = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	must(stream->identity);
	memcpy(life.who.sensor_id, &sensor, sizeof(sensor));
	runs = 1 + random_below(&stream->seed, 3);
	for (uint64_t run = 0; run < runs; run++) {
		uint64_t frames = 6 + random_below(&stream->seed, 8);

		start(&life, run && random_below(&stream->seed, 2));
		for (uint64_t i = 0; i < frames; i++)
			frame(&life, random_below(&stream->seed, 3) ? LANE_BULK : LANE_KEEP);
		frame(&life, LANE_BULK); /* so that each lane has some */
		frame(&life, LANE_KEEP);
	}
	for (int lane = 0; lane < LANES; lane++)
		sealer_free(life.sealers[lane]);
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
