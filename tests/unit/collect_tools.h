/* SPDX-License-Identifier: Apache-2.0 */
/* A collector's store, and chains of frames to bring it. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "collect/accept.h"
#include "collect/body.h"
#include "collect/finding.h"
#include "collect/query.h"
#include "collect/silence.h"
#include "collect/store.h"
#include "fill.h"
#include "frame/frame.h"
#include "frame/public_key.h"
#include "seal/seal.h"
#include "seal/signer.h"

#define FRAMES 40

static char dir[64];
static struct accept_options options;
static const struct accept_missing none;

/* A chain of frames; each is also what a body has of it. */
struct made {
	struct seal_identity identity;
	struct {
		uint8_t bytes[4096];
		size_t size;
	} frames[FRAMES + 1]; /* by number */
};

static inline void reopen(void)
{
	store_free(options.store);
	findings_free(options.findings);
	options.store = NULL;
	options.findings = NULL;
	assert_int_equal(store_open(dir, &options.store), 0);
	assert_int_equal(findings_open(store_dir(options.store), &options.findings), 0);
}

static inline int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/hinomi-collect-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	reopen();
	return 0;
}

static inline int teardown(void **state)
{
	char command[128];

	(void)state;
	store_free(options.store);
	findings_free(options.findings);
	options.store = NULL;
	options.findings = NULL;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static EVP_PKEY *signs; /* NULL: frames are not signed */
static enum lane made_lane = LANE_BULK;

static inline struct made *make_chain(const char *sensor, unsigned salt, const struct made *common,
				      uint64_t from)
{
	struct made *made = calloc(1, sizeof(*made));
	struct seal_state state = {0};
	struct sealer *sealer;
	struct arena arena;

	arena_init(&arena, 8 << 20);
	memcpy(made->identity.sensor_id, sensor, strlen(sensor));
	if (common) {
		CLEANUP(frame_free) struct frame *last = NULL;

		memcpy(made, common, sizeof(*made));
		assert_int_equal(frame_read(made->frames[from - 1].bytes + 4,
					    made->frames[from - 1].size - 4, &last),
				 0);
		state.number = from - 1;
		memcpy(state.previous, last->hash, 32);
	}
	assert_int_equal(sealer_new(made_lane, &made->identity, &state, &sealer), 0);
	if (signs) {
		struct signer *signer;

		assert_int_equal(signer_new(signs, &made->identity, made_lane, from, &signer), 0);
		sealer_sign_with(sealer, signer);
	}
	for (uint64_t i = from; i <= FRAMES; i++) {
		enum kind kind = made_lane == LANE_KEEP ? KIND_exec : KIND_fork;
		struct event event = fill_event(&arena, kind, 0, i, &salt);
		const uint8_t *bytes;
		size_t size;

		assert_int_equal(sealer_add(sealer, &event), 0);
		assert_int_equal(sealer_finish(sealer, NULL, 0, false, &bytes, &size), 0);
		assert_true(size + 4 <= sizeof(made->frames[i].bytes));
		for (int b = 0; b < 4; b++)
			made->frames[i].bytes[b] = (uint8_t)(size >> (8 * b));
		memcpy(made->frames[i].bytes + 4, bytes, size);
		made->frames[i].size = size + 4;
		arena_reset(&arena);
	}
	sealer_free(sealer);
	arena_done(&arena);
	return made;
}

/* Frames from first to last, in that order. */
static inline struct accept_result bring(const struct made *made, uint64_t first, uint64_t last)
{
	static uint8_t body[FRAMES * 4096];
	struct accept_result result;
	size_t size = 0;

	for (uint64_t i = first; i <= last; i++) {
		memcpy(body + size, made->frames[i].bytes, made->frames[i].size);
		size += made->frames[i].size;
	}
	accept_frames(&options, body, size, &none, &result);
	return result;
}

static inline void assert_taken(const struct accept_result *result, uint64_t number)
{
	if (result->problem)
		print_message("%s\n", result->text);
	assert_int_equal(result->problem, HINOMI__PROBLEM__PROBLEM_NONE);
	assert_int_equal(answer_status(result), 200);
	assert_int_equal(result->nreceipts, 1);
	assert_int_equal(result->receipts[0].number, number);
}

static inline uint64_t position(const struct made *made)
{
	struct accept_result result;

	accept_position(&options, made->identity.sensor_id, LANE_BULK, &result);
	return result.nreceipts ? result.receipts[0].number : 0;
}

static inline size_t count_findings(const char *kind)
{
	char path[96], line[2048], word[64];
	size_t count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/findings.jsonl", dir);
	snprintf(word, sizeof(word), "\"finding\":\"%s\"", kind);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += !!strstr(line, word);
	fclose(file);
	return count;
}
