/* SPDX-License-Identifier: Apache-2.0 */
/*
 * streams N [WAY]: N clean streams without a finding, N of each way of tampering
 * found and located.  The judge knows where it tampered; the verifier has to say it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/verifier.h"
#include "frame/sealed.h"
#include "streams_mutate.h"

#define SEED 20261123

static void give_receipts(const struct stream *whole, struct verifier *verifier)
{
	uint8_t id[16] = {1}, hash[32];

	for (int lane = 0; lane < LANES; lane++)
		for (size_t i = 0; i < whole->counts[lane]; i++) {
			Hinomi__Receipt receipt = HINOMI__RECEIPT__INIT;

			frame_hash(&whole->frames[lane][i], hash);
			receipt.sensor_id = (ProtobufCBinaryData){sizeof(id), id};
			receipt.lane = (Hinomi__Lane)lane;
			receipt.number = receipt.end = number_at(whole, (enum lane)lane, i);
			receipt.header_sha256 = (ProtobufCBinaryData){sizeof(hash), hash};
			if (verifier_receipt(verifier, &receipt))
				abort();
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
static bool is_located_in(const struct attempt *attempt, const char *report)
{
	const char *lane = attempt->lane == LANE_KEEP ? "keep: " : "bulk: ", *line = report;

	for (; (line = strstr(line, lane)); line++) {
		const char *at = line + strlen(lane);
		uint64_t number, last;

		if (sscanf(at, "frame %" SCNu64, &number) == 1 && number + 1 > attempt->first &&
		    number <= attempt->last)
			return true;
		if (sscanf(at, "begins with frame %" SCNu64, &number) == 1 &&
		    number + 1 > attempt->first && number <= attempt->last)
			return true;
		if (sscanf(at, "frames %" SCNu64 " to %" SCNu64, &number, &last) == 2 &&
		    number <= attempt->last && last + 1 > attempt->first)
			return true;
		if ((!attempt->first || attempt->may_end) && strstr(at, "the end was cut off"))
			return true;
	}
	return strstr(report, "(here)"); /* a frame whose number cannot be told: by its place */
}

static bool is_located(const struct attempt *attempt, const char *report)
{
	struct attempt other = *attempt;

	if (is_located_in(attempt, report))
		return true;
	if (!attempt->either)
		return false;
	other.lane = !attempt->lane;
	other.first = attempt->whole->copied[other.lane] + 1;
	other.last = number_at(attempt->whole, other.lane, attempt->whole->counts[other.lane] - 1);
	return is_located_in(&other, report);
}

static bool try_one(const struct mutation *mutation, uint64_t *seed)
{
	struct stream whole;
	struct attempt attempt = {.whole = &whole, .seed = seed};
	char *report = NULL;
	uint64_t findings;
	bool good;

	stream_make(&whole, random_next(seed), &ours);
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

		stream_make(&stream, random_next(&seed), &ours);
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
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0, wrong;

	if (!count) {
		fputs("usage: streams N [WAY]\n", stderr);
		return 2;
	}
	wrong = clean_streams(count);
	for (size_t i = 0; mutations[i].name; i++) {
		uint64_t seed = SEED + i;
		unsigned missed = 0;

		if (argc > 2 && strcmp(argv[2], mutations[i].name))
			continue;
		for (unsigned n = 0; n < count; n++)
			missed += !try_one(&mutations[i], &seed);
		printf("%s streams/%s %u streams, %u missed\n", missed ? "not ok" : "ok",
		       mutations[i].name, count, missed);
		wrong += missed;
	}
	return wrong ? 1 : 0;
}
