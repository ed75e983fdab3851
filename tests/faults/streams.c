/* SPDX-License-Identifier: Apache-2.0 */
/*
 * streams N: N clean streams without a finding, N of each way of tampering found
 * and located.  The judge knows where it tampered; the verifier has to say it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/verifier.h"
#include "frame/sealed.h"
#include "streams.h"

#define SEED 20261123

/* What one mutation does, and where. */
struct attempt {
	struct stream stream; /* the copy, to be tampered with */
	const struct stream *whole;
	uint64_t *seed;
	enum lane lane;
	size_t at;		 /* index of the first frame that is not as it was */
	uint64_t first, last;	 /* numbers of frames, one of which must be named; 0: the end */
	bool receipts, enrolled; /* the verifier has them */
};

struct mutation {
	const char *name;
	void (*change)(struct attempt *attempt);
};

/* ---- ways of tampering */

static uint64_t number_at(const struct stream *stream, enum lane lane, size_t index)
{
	(void)stream, (void)lane;
	return index + 1; /* streams begin with frame 1 */
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
	struct stream other;

	stream_make(&other, random_next(attempt->seed), 2);
	stream_insert(&attempt->stream, attempt->lane, attempt->at,
		      &other.frames[attempt->lane][attempt->at % other.counts[attempt->lane]]);
	stream_free(&other);
	attempt->first = 1; /* named by the number that it says it has */
	attempt->last = STREAM_FRAMES_MAX;
}

static void reordered(struct attempt *attempt)
{
	struct stored *frames = &attempt->stream.frames[attempt->lane][attempt->at],
		      second = frames[1];

	frames[1] = frames[0];
	frames[0] = second;
	attempt->last++;
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
	attempt->first = attempt->last =
		number_at(attempt->whole, attempt->lane, attempt->whole->counts[attempt->lane] - 1);
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

/* Another life of the same machine (a copy, or one that was set back) in the place of ours. */
static void forked(struct attempt *attempt)
{
	sealed_with_a_later_key(attempt);
}

/* Frames of an earlier boot or start once more behind the last. */
static void rolled_back(struct attempt *attempt)
{
	enum lane lane = attempt->lane;

	for (size_t i = attempt->at; i < attempt->whole->counts[lane]; i++)
		stream_insert(&attempt->stream, lane, attempt->stream.counts[lane],
			      &attempt->whole->frames[lane][i]);
	attempt->last = attempt->whole->counts[lane];
}

static void spliced(struct attempt *attempt)
{
	struct stream other;
	enum lane lane = attempt->lane;

	stream_make(&other, random_next(attempt->seed), 1); /* of the same id, with its own key */
	cut(attempt);
	for (size_t i = attempt->at; i < other.counts[lane]; i++)
		stream_insert(&attempt->stream, lane, attempt->stream.counts[lane],
			      &other.frames[lane][i]);
	if (attempt->at >= other.counts[lane]) { /* nothing was there to put in */
		attempt->receipts = true;
		attempt->first = attempt->last = 0;
	}
	stream_free(&other);
}

/* From here on by who has every key: the frames hang together, what they say does not. */
static void forge_all(struct attempt *attempt, change_fn change)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	forge_frame(&attempt->stream.frames[attempt->lane][attempt->at], change);
	forge_chain(&attempt->stream, attempt->lane, attempt->at, key, true);
	EVP_PKEY_free(key);
	attempt->last = STREAM_FRAMES_MAX; /* sums may differ only later */
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
	forge_all(attempt, lie_in_ledger);
}

static const struct mutation mutations[] = {
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
	{"rolled-back", rolled_back},
	{"spliced", spliced},
	{"event-dropped", event_dropped},
	{"clock-set-back", clock_set_back},
	{"ledger-wrong", ledger_wrong},
};

/* ---- the judge */

static void give_receipts(const struct stream *whole, struct verifier *verifier)
{
	for (int lane = 0; lane < LANES; lane++) {
		Hinomi__Receipt receipt = HINOMI__RECEIPT__INIT;
		const struct stored *last = &whole->frames[lane][whole->counts[lane] - 1];
		uint8_t id[16] = {1}, hash[32];

		frame_hash(last, hash);
		receipt.sensor_id = (ProtobufCBinaryData){sizeof(id), id};
		receipt.lane = (Hinomi__Lane)lane;
		receipt.number = receipt.end = number_at(whole, lane, whole->counts[lane] - 1);
		receipt.header_sha256 = (ProtobufCBinaryData){sizeof(hash), hash};
		verifier_receipt(verifier, &receipt);
	}
}

static uint64_t verify(const struct stream *stream, const struct stream *whole, bool receipts,
		       char **report)
{
	struct verifier *verifier = NULL;
	uint8_t identity[32];
	uint64_t findings;
	size_t size = sizeof(identity);
	FILE *out = open_memstream(report, &(size_t){0});

	if (!out || verifier_new(out, &verifier))
		abort();
	EVP_PKEY_get_raw_public_key(whole->identity, identity, &size);
	verifier_identity(verifier, identity);
	if (receipts)
		give_receipts(whole, verifier);
	for (int lane = LANES - 1; lane >= 0; lane--)
		for (size_t i = 0; i < stream->counts[lane]; i++)
			if (verifier_frame(verifier, (enum lane)lane, stream->frames[lane][i].bytes,
					   stream->frames[lane][i].size, "here"))
				abort();
	verifier_end(verifier);
	findings = verifier_findings(verifier);
	verifier_free(verifier);
	fclose(out);
	return findings;
}

/* Whether a finding names one of the frames. */
static bool is_located(const struct attempt *attempt, const char *report)
{
	const char *lane = attempt->lane == LANE_KEEP ? "keep: " : "bulk: ", *line = report;

	for (; (line = strstr(line, lane)); line++) {
		const char *at = line + strlen(lane);
		uint64_t number, last;

		if (sscanf(at, "frame %" SCNu64, &number) == 1 && number + 1 > attempt->first &&
		    number <= attempt->last)
			return true;
		if (sscanf(at, "frames %" SCNu64 " to %" SCNu64, &number, &last) == 2 &&
		    number <= attempt->last && last + 1 > attempt->first)
			return true;
		if (!attempt->first && strstr(at, "the end was cut off"))
			return true;
	}
	return strstr(report, "(here)"); /* a frame whose number cannot be told: by its place */
}

static bool try_one(const struct mutation *mutation, uint64_t *seed)
{
	struct stream whole;
	struct attempt attempt = {.whole = &whole, .seed = seed};
	char *report = NULL;
	uint64_t findings;
	bool good;

	stream_make(&whole, random_next(seed), 1);
	stream_copy(&attempt.stream, &whole);
	attempt.lane = random_below(seed, 2) ? LANE_BULK : LANE_KEEP;
	if (whole.counts[attempt.lane] < 3)
		attempt.lane = !attempt.lane;
	attempt.at = 1 + random_below(seed, whole.counts[attempt.lane] - 2);
	attempt.first = attempt.last = number_at(&whole, attempt.lane, attempt.at);
	mutation->change(&attempt);
	findings = verify(&attempt.stream, &whole, attempt.receipts, &report);
	good = findings && is_located(&attempt, report);
	if (!good)
		printf("%s of frame %" PRIu64 " to %" PRIu64 " of lane %d: %s\n%s", mutation->name,
		       attempt.first, attempt.last, attempt.lane,
		       findings ? "found, but not where it is" : "not found", report);
	free(report);
	stream_free(&attempt.stream);
	stream_free(&whole);
	return good;
}

static unsigned clean_streams(unsigned count)
{
	uint64_t seed = SEED;
	unsigned wrong = 0;

	for (unsigned i = 0; i < count; i++) {
		struct stream stream;
		char *report = NULL;

		stream_make(&stream, random_next(&seed), 1);
		if (verify(&stream, &stream, true, &report)) {
			printf("clean stream %u: %s", i, report);
			wrong++;
		}
		free(report);
		stream_free(&stream);
	}
	printf("%s streams/clean %u streams, %u with findings\n", wrong ? "not ok" : "ok", count,
	       wrong);
	return wrong;
}

int main(int argc, char **argv)
{
	unsigned count = argc == 2 ? (unsigned)strtoul(argv[1], NULL, 10) : 0, wrong;

	if (!count) {
		fputs("usage: streams N\n", stderr);
		return 2;
	}
	wrong = clean_streams(count);
	for (size_t i = 0; i < sizeof(mutations) / sizeof(*mutations); i++) {
		uint64_t seed = SEED + i;
		unsigned missed = 0;

		for (unsigned n = 0; n < count; n++)
			missed += !try_one(&mutations[i], &seed);
		printf("%s streams/%s %u streams, %u missed\n", missed ? "not ok" : "ok",
		       mutations[i].name, count, missed);
		wrong += missed;
	}
	return wrong ? 1 : 0;
}
