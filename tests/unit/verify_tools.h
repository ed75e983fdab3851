/* SPDX-License-Identifier: Apache-2.0 */
/* Streams that seal/ makes, ways to tamper with them, and what the verifier says. */
#pragma once

#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/verifier.h"
#include "frame/frame.h"
#include "frame.pb-c.h"
#include "hinomi/record.h"
#include "seal/seal.h"

#define FRAMES_MAX 32
#define EVENTS	   5 /* of each cpu in a frame */

struct stored {
	uint8_t *bytes;
	size_t size;
};

static struct stored frames[LANES][FRAMES_MAX];
static size_t counts[LANES];
static uint64_t sequences[LANES][2]; /* last number of each cpu */
static char *report;

static const struct seal_identity identity = {"sensor", "boot", "rings"};
static const struct seal_identity next_start = {"sensor", "boot", "rings2"};
static const struct seal_identity stranger = {"other", "boot", "rings"};
static struct sealer *sealers[LANES];

static inline void store(enum lane lane, const uint8_t *bytes, size_t size)
{
	struct stored *stored = &frames[lane][counts[lane]++];

	assert_true(counts[lane] <= FRAMES_MAX);
	stored->bytes = malloc(size);
	stored->size = size;
	memcpy(stored->bytes, bytes, size);
}

static inline Hinomi__LedgerRow ledger_row(unsigned kind, uint32_t cpu, uint64_t delivered)
{
	Hinomi__LedgerRow row = HINOMI__LEDGER_ROW__INIT;

	row.kind = kind;
	row.cpu = cpu;
	row.begun = row.seen = row.delivered = delivered;
	return row;
}

static inline void add_event(enum lane lane, uint32_t cpu, uint64_t seq, Hinomi__Gap *gap)
{
	Hinomi__Event body = HINOMI__EVENT__INIT;
	Hinomi__Exec exec = HINOMI__EXEC__INIT;
	Hinomi__Fork fork = HINOMI__FORK__INIT;
	struct event event = {.body = &body, .lane = lane};

	body.lane = (Hinomi__Lane)lane;
	body.cpu = cpu;
	body.seq = seq;
	if (gap) {
		event.kind = KIND_gap;
		body.gap = gap;
	} else if (lane == LANE_KEEP) {
		event.kind = KIND_exec;
		body.exec = &exec;
	} else {
		event.kind = KIND_fork;
		body.fork = &fork;
	}
	body.body_case = (Hinomi__Event__BodyCase)event.kind;
	assert_int_equal(sealer_add(sealers[lane], &event), 0);
}

static inline void finish(enum lane lane, const Hinomi__LedgerRow *rows, size_t count)
{
	const uint8_t *bytes;
	size_t size;

	assert_int_equal(sealer_finish(sealers[lane], rows, count, count > 0, &bytes, &size), 0);
	store(lane, bytes, size);
}

static inline void add_frame(enum lane lane)
{
	unsigned kind = lane == LANE_KEEP ? KIND_exec : KIND_fork;
	Hinomi__LedgerRow rows[2];

	for (uint32_t cpu = 0; cpu < 2; cpu++) {
		for (int i = 0; i < EVENTS; i++)
			add_event(lane, cpu, ++sequences[lane][cpu], NULL);
		rows[cpu] = ledger_row(kind, cpu, sequences[lane][cpu]);
	}
	finish(lane, rows, 2);
}

static inline void begin(const struct seal_identity *who)
{
	for (int lane = 0; lane < LANES; lane++) {
		struct seal_state state = {0};

		if (sealers[lane])
			sealer_state(sealers[lane], &state);
		sealer_free(sealers[lane]);
		assert_int_equal(sealer_new((enum lane)lane, who, &state, &sealers[lane]), 0);
		sequences[lane][0] = sequences[lane][1] = 0;
	}
}

static inline int setup(void **state)
{
	(void)state;
	begin(&identity);
	for (int i = 0; i < 6; i++) {
		add_frame(LANE_KEEP);
		add_frame(LANE_BULK);
	}
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	for (int lane = 0; lane < LANES; lane++) {
		for (size_t i = 0; i < counts[lane]; i++)
			free(frames[lane][i].bytes);
		sealer_free(sealers[lane]);
		sealers[lane] = NULL;
		counts[lane] = 0;
	}
	free(report);
	report = NULL;
	return 0;
}

static FILE *report_out;

static inline struct verifier *verify_begin(void)
{
	struct verifier *verifier;
	static size_t size;

	free(report);
	report_out = open_memstream(&report, &size);
	assert_int_equal(verifier_new(report_out, &verifier), 0);
	return verifier;
}

/* All frames, then the judgement: how many findings; `report` has them. */
static inline uint64_t verify_end(struct verifier *verifier)
{
	uint64_t findings;
	char where[32];

	for (int lane = LANES - 1; lane >= 0; lane--)
		for (size_t i = 0; i < counts[lane]; i++) {
			snprintf(where, sizeof(where), "index %zu", i);
			assert_int_equal(verifier_frame(verifier, (enum lane)lane,
							frames[lane][i].bytes, frames[lane][i].size,
							where),
					 0);
		}
	verifier_end(verifier);
	findings = verifier_findings(verifier);
	verifier_free(verifier);
	fclose(report_out);
	return findings;
}

static inline uint64_t verify(void)
{
	return verify_end(verify_begin());
}

static inline void assert_reported(const char *text)
{
	if (!strstr(report, text))
		fail_msg("not reported: '%s'; the report is:\n%s", text, report);
}

static inline void assert_clean(void)
{
	if (verify())
		fail_msg("a clean stream has findings:\n%s", report);
}

static inline void take_out(enum lane lane, size_t index)
{
	free(frames[lane][index].bytes);
	counts[lane]--;
	memmove(&frames[lane][index], &frames[lane][index + 1],
		(counts[lane] - index) * sizeof(frames[lane][0]));
}

/* Opens the frame, lets change alter header or payload, and puts it together again; the header's
 * hash of the payload is made right, as a forger would. */
static inline void forge(enum lane lane, size_t index,
			 void (*change)(Hinomi__FrameHeader *header, Hinomi__Payload *payload))
{
	struct stored *stored = &frames[lane][index];
	Hinomi__Frame *frame = hinomi__frame__unpack(NULL, stored->size, stored->bytes);
	Hinomi__FrameHeader *header =
		hinomi__frame_header__unpack(NULL, frame->header.len, frame->header.data);
	CLEANUP(frame_free) struct frame *opened = NULL;
	Hinomi__Payload *payload;
	uint8_t *plain;
	size_t plain_size;

	assert_int_equal(frame_read(stored->bytes, stored->size, &opened), 0);
	assert_int_equal(frame_open_payload(opened), 0);
	plain_size = hinomi__payload__get_packed_size(opened->payload);
	plain = malloc(plain_size + 1);
	hinomi__payload__pack(opened->payload, plain);
	payload = hinomi__payload__unpack(NULL, plain_size, plain);
	assert_non_null(payload);
	change(header, payload);

	free(frame->payload.data);
	frame->payload.len = hinomi__payload__get_packed_size(payload);
	frame->payload.data = malloc(frame->payload.len + 1);
	hinomi__payload__pack(payload, frame->payload.data);
	header->encoding = HINOMI__ENCODING__ENCODING_PLAIN;
	header->payload_size = frame->payload.len;
	SHA256(frame->payload.data, frame->payload.len, header->payload_sha256.data);
	free(frame->header.data);
	frame->header.len = hinomi__frame_header__get_packed_size(header);
	frame->header.data = malloc(frame->header.len);
	hinomi__frame_header__pack(header, frame->header.data);
	free(stored->bytes);
	stored->size = hinomi__frame__get_packed_size(frame);
	stored->bytes = malloc(stored->size);
	hinomi__frame__pack(frame, stored->bytes);

	free(plain);
	hinomi__payload__free_unpacked(payload, NULL);
	hinomi__frame_header__free_unpacked(header, NULL);
	hinomi__frame__free_unpacked(frame, NULL);
}
