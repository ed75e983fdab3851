/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges what a sensor brings: each frame continues its chain, is known already, or
 * is a finding.  What is taken is on disk before the receipt says so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "collect.pb-c.h"

struct findings;
struct notary;
struct store;

#define ACCEPT_CHAINS_MAX 16 /* in one request */

struct accept_options {
	struct store *store;
	struct findings *findings;
	struct notary *notary;
	FILE *events; /* each stored event as JSON; NULL: none */
};

/* "Hinomi-Missing", 0: not given */
struct accept_missing {
	uint64_t from, to;
};

struct accept_receipt {
	uint8_t sensor_id[16];
	int lane;
	uint64_t number, end; /* of the frame, and of the chain's last */
	uint8_t hash[32];
};

struct accept_result {
	struct accept_receipt receipts[ACCEPT_CHAINS_MAX];
	size_t nreceipts;
	Hinomi__Problem problem;
	uint64_t number; /* of the frame with the problem */
	char text[160];
};

void accept_frames(const struct accept_options *options, const void *body, size_t size,
		   const struct accept_missing *missing, struct accept_result *ret);
/* Where a chain goes on; problem is UNKNOWN when nothing was heard of the sensor. */
void accept_position(const struct accept_options *options, const uint8_t sensor_id[16], int lane,
		     struct accept_result *ret);
/* HTTP status of a result. */
unsigned answer_status(const struct accept_result *result);
/* The Answer with its receipts signed, encoded, the caller's; they are kept.  NULL: out of memory,
 * or they could not be. */
uint8_t *answer_pack(const struct accept_options *options, const struct accept_result *result,
		     size_t *size);
