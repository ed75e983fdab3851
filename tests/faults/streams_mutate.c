/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "streams_mutate.h"

#define MANY ((uint64_t)1 << 40) /* more than any number of a frame */

const struct making ours = {.sensor = 1};

uint64_t number_at(const struct stream *stream, enum lane lane, size_t index)
{
	return frame_number(&stream->frames[lane][index]);
}

static uint64_t last_number(const struct stream *stream, enum lane lane)
{
	return number_at(stream, lane, stream->counts[lane] - 1);
}

static void changed(struct attempt *attempt)
{
	struct stored *frame = &attempt->stream.frames[attempt->lane][attempt->at];

	frame->bytes[random_below(attempt->seed, frame->size)] ^=
		(uint8_t)(1 << random_below(attempt->seed, 8));
	attempt->first--; /* may be seen by the one before or behind */
	attempt->last++;
}

static void deleted(struct attempt *attempt)
{
	stream_remove(&attempt->stream, attempt->lane, attempt->at);
}

static void inserted(struct attempt *attempt)
{
	static const struct making making = {.sensor = 2};
	struct stream other;

	stream_make(&other, random_next(attempt->seed), &making);
	stream_insert(&attempt->stream, attempt->lane, attempt->at,
		      &other.frames[attempt->lane][attempt->at % other.counts[attempt->lane]]);
	stream_free(&other);
	attempt->first = 1; /* named by the number that it says it has */
	attempt->last = MANY;
}

static void reordered(struct attempt *attempt)
{
	struct stored *frames = &attempt->stream.frames[attempt->lane][attempt->at],
		      second = frames[1];

	frames[1] = frames[0];
	frames[0] = second;
	attempt->last = number_at(attempt->whole, attempt->lane, attempt->at + 1);
}

static void repeated(struct attempt *attempt)
{
	const struct stream *whole = attempt->whole;
	size_t behind = attempt->at + 1 +
			random_below(attempt->seed, whole->counts[attempt->lane] - attempt->at);

	stream_insert(&attempt->stream, attempt->lane, behind,
		      &whole->frames[attempt->lane][attempt->at]);
}

static void cut(struct attempt *attempt)
{
	while (attempt->stream.counts[attempt->lane] > attempt->at)
		stream_remove(&attempt->stream, attempt->lane, attempt->at);
}

static void truncated(struct attempt *attempt)
{
	cut(attempt);
	attempt->receipts = true;
	attempt->first = attempt->last = 0;
}

/* Cut, and written on by who has no key. */
static void truncated_and_continued(struct attempt *attempt)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	forge_chain(&attempt->stream, attempt->lane, attempt->at, key, false);
	EVP_PKEY_free(key);
}

static void touch_payload(Hinomi__FrameHeader *header, Hinomi__Payload *payload)
{
	(void)header;
	for (size_t i = 0; i < payload->n_events; i++)
		payload->events[i]->time_ns ^= 1;
}

/* Who has the machine now, with its key of now and its identity, writes the past anew: only what
 * was told to others before can show it. */
static void sealed_with_a_later_key(struct attempt *attempt)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	forge_frame(&attempt->stream.frames[attempt->lane][attempt->at], touch_payload);
	forge_chain(&attempt->stream, attempt->lane, attempt->at, key, true);
	EVP_PKEY_free(key);
	attempt->receipts = true;
	attempt->last = MANY;
}

static void without_signature(struct attempt *attempt)
{
	forge_chain(&attempt->stream, attempt->lane, attempt->at, NULL, false);
}

static void downgrade(Hinomi__FrameHeader *header, Hinomi__Payload *payload)
{
	(void)payload;
	header->algorithm = (Hinomi__Algorithm)99;
}

static void downgraded(struct attempt *attempt)
{
	forge_frame(&attempt->stream.frames[attempt->lane][attempt->at], downgrade);
}

static void other_identity(struct attempt *attempt)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	EVP_PKEY *stranger = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	EVP_PKEY_free(attempt->stream.identity);
	attempt->stream.identity = stranger;
	forge_chain(&attempt->stream, attempt->lane, attempt->at, key, true);
	EVP_PKEY_free(key);
}

/* The machine was copied, memory and all, and both went on. */
static void make_copy(struct attempt *attempt, struct stream *copy)
{
	const struct making making = {.sensor = 1, .copy = copy};

	stream_free(attempt->whole);
	stream_make(attempt->whole, random_next(attempt->seed), &making);
	attempt->first = attempt->whole->copied[attempt->lane] + 1;
	attempt->last = last_number(attempt->whole, attempt->lane);
}

/* The copy's life in the place of ours. One lane is enough to show it: of the other the copy may
 * have evicted whatever could. */
static void forked(struct attempt *attempt)
{
	stream_free(&attempt->stream);
	make_copy(attempt, &attempt->stream);
	attempt->receipts = attempt->may_end = attempt->either = true;
}

/* Both lives in one stream: a frame of the copy behind our last. */
static void both_of_a_fork(struct attempt *attempt)
{
	struct stream copy;
	size_t i = 0;

	make_copy(attempt, &copy);
	while (i < copy.counts[attempt->lane] - 1 &&
	       number_at(&copy, attempt->lane, i) < attempt->first)
		i++;
	attempt->first = number_at(&copy, attempt->lane, i);
	if (attempt->last < attempt->first) { /* ours ends where they part: no fork yet */
		stream_free(&copy);
		both_of_a_fork(attempt);
		return;
	}
	attempt->last = attempt->first;
	stream_free(&attempt->stream);
	stream_copy(&attempt->stream, attempt->whole);
	stream_insert(&attempt->stream, attempt->lane, attempt->stream.counts[attempt->lane],
		      &copy.frames[attempt->lane][i]);
	stream_free(&copy);
}

/* Frames of an earlier boot or start once more behind the last. */
static void rolled_back(struct attempt *attempt)
{
	enum lane lane = attempt->lane;

	for (size_t i = attempt->at; i < attempt->whole->counts[lane]; i++)
		stream_insert(&attempt->stream, lane, attempt->stream.counts[lane],
			      &attempt->whole->frames[lane][i]);
	attempt->last = last_number(attempt->whole, lane);
}

static void spliced(struct attempt *attempt)
{
	struct stream other;
	enum lane lane = attempt->lane;

	stream_make(&other, random_next(attempt->seed), &ours); /* with its own key */
	cut(attempt);
	for (size_t i = attempt->at; i < other.counts[lane]; i++)
		stream_insert(&attempt->stream, lane, attempt->stream.counts[lane],
			      &other.frames[lane][i]);
	if (attempt->at >= other.counts[lane]) { /* nothing was there to put in */
		attempt->receipts = true;
		attempt->first = attempt->last = 0;
	}
	if (attempt->first) {
		attempt->first = 1; /* named by the numbers that they say they have */
		attempt->last = MANY;
	}
	stream_free(&other);
}

/* Two sensors of one template: even their identities are the same. */
static void make_twin(struct attempt *attempt, struct stream *twin)
{
	const struct making making = {.sensor = 2, .identity = attempt->whole->identity};

	stream_make(twin, random_next(attempt->seed), &making);
	attempt->first = 1;
	attempt->last = MANY;
}

/* The one goes on with the other's frames. */
static void spliced_of_two_sensors(struct attempt *attempt)
{
	enum lane lane = attempt->lane;
	struct stream twin;
	size_t from;

	make_twin(attempt, &twin);
	cut(attempt);
	from = random_below(attempt->seed, twin.counts[lane]);
	for (size_t i = from; i < twin.counts[lane]; i++)
		stream_insert(&attempt->stream, lane, attempt->stream.counts[lane],
			      &twin.frames[lane][i]);
	stream_free(&twin);
}

/* One lane of each. */
static void lanes_of_two_sensors(struct attempt *attempt)
{
	struct stream twin;

	make_twin(attempt, &twin);
	attempt->at = 0;
	cut(attempt);
	for (size_t i = 0; i < twin.counts[attempt->lane]; i++)
		stream_insert(&attempt->stream, attempt->lane, i, &twin.frames[attempt->lane][i]);
	stream_free(&twin);
	attempt->lane = LANE_KEEP; /* which is read second */
}

/* What declares that older ones are gone declares less than that. */
static void front_cut(struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->at; i++)
		stream_remove(&attempt->stream, attempt->lane, 0);
}

/* The sensor itself says nothing of numbers that it has not. */
static void sequence_hole(struct attempt *attempt)
{
	const struct making making = {.sensor = 1, .forgets = true};

	stream_free(attempt->whole);
	do
		stream_make(attempt->whole, random_next(attempt->seed), &making);
	while (!attempt->whole->forgotten.frame && (stream_free(attempt->whole), true));
	stream_free(&attempt->stream);
	stream_copy(&attempt->stream, attempt->whole);
	attempt->lane = attempt->whole->forgotten.lane;
	attempt->first = attempt->last = attempt->whole->forgotten.frame;
}

/* From here on by who has every key: the frames hang together, what they say does not. */
static void forge_all(struct attempt *attempt, change_fn change)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	forge_frame(&attempt->stream.frames[attempt->lane][attempt->at], change);
	forge_chain(&attempt->stream, attempt->lane, attempt->at, key, true);
	EVP_PKEY_free(key);
	attempt->last = MANY; /* sums may differ only later */
}

/* The ledger counts from the rings' beginning: behind missing frames it proves less. */
static void make_whole(struct attempt *attempt)
{
	const struct making making = {.sensor = 1, .whole = true};

	stream_free(attempt->whole);
	stream_make(attempt->whole, random_next(attempt->seed), &making);
	stream_free(&attempt->stream);
	stream_copy(&attempt->stream, attempt->whole);
	attempt->lane = attempt->whole->counts[LANE_KEEP] < 3 ? LANE_BULK : LANE_KEEP;
	attempt->at = 1 + random_below(attempt->seed, attempt->whole->counts[attempt->lane] - 2);
	attempt->first = number_at(attempt->whole, attempt->lane, attempt->at);
}

static bool dropped;

static void drop_event(Hinomi__FrameHeader *header, Hinomi__Payload *payload)
{
	dropped = payload->n_events;
	if (dropped) {
		hinomi__event__free_unpacked(payload->events[--payload->n_events], NULL);
		header->events--;
	}
}

static void event_dropped(struct attempt *attempt)
{
	make_whole(attempt);
	forge_all(attempt, drop_event);
	if (!dropped) /* it had none */
		changed(attempt);
}

static void set_clock_back(Hinomi__FrameHeader *header, Hinomi__Payload *payload)
{
	(void)payload;
	for (size_t i = 0; i < header->n_clocks; i++)
		header->clocks[i]->boot_ns = 1;
}

/* A boot's first frame may begin where it likes: another is taken. */
static void clock_set_back(struct attempt *attempt)
{
	const struct stored *frames = attempt->whole->frames[attempt->lane];

	while (attempt->at > 1 && frame_begins_boot(&frames[attempt->at], &frames[attempt->at - 1]))
		attempt->at--;
	if (frame_begins_boot(&frames[attempt->at], &frames[attempt->at - 1])) {
		changed(attempt);
		return;
	}
	attempt->first = number_at(attempt->whole, attempt->lane, attempt->at);
	forge_all(attempt, set_clock_back);
}

static void lie_in_ledger(Hinomi__FrameHeader *header, Hinomi__Payload *payload)
{
	(void)payload;
	if (header->n_ledger)
		header->ledger[0]->seen++;
}

static void ledger_wrong(struct attempt *attempt)
{
	make_whole(attempt);
	forge_all(attempt, lie_in_ledger);
}

static bool uncounted;

static void uncount(Hinomi__FrameHeader *header, Hinomi__Payload *payload)
{
	(void)payload;
	uncounted = false;
	for (size_t i = 0; i < header->n_ledger; i++) {
		uncounted |= header->ledger[i]->begun != 0;
		header->ledger[i]->begun = 0;
	}
}

static void begun_wrong(struct attempt *attempt)
{
	forge_all(attempt, uncount);
	if (!uncounted) /* it counted none */
		changed(attempt);
}

const struct mutation mutations[] = {
	{"changed", changed},
	{"deleted", deleted},
	{"inserted", inserted},
	{"reordered", reordered},
	{"repeated", repeated},
	{"truncated", truncated},
	{"truncated-and-continued", truncated_and_continued},
	{"sealed-with-a-later-key", sealed_with_a_later_key},
	{"without-signature", without_signature},
	{"downgraded-algorithm", downgraded},
	{"other-identity", other_identity},
	{"fork", forked},
	{"both-of-a-fork", both_of_a_fork},
	{"rolled-back", rolled_back},
	{"spliced", spliced},
	{"spliced-of-two-sensors", spliced_of_two_sensors},
	{"lanes-of-two-sensors", lanes_of_two_sensors},
	{"front-cut", front_cut},
	{"sequence-hole", sequence_hole},
	{"event-dropped", event_dropped},
	{"clock-set-back", clock_set_back},
	{"ledger-wrong", ledger_wrong},
	{"begun-wrong", begun_wrong},
	{0},
};
