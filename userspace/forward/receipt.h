/* SPDX-License-Identifier: Apache-2.0 */
/* What a collector answered; its bytes are foreign. */
#pragma once

#include <hinomi/kinds.h>
#include <stdbool.h>
#include <stdint.h>

#include "collect.pb-c.h"
#include "frame/sealed.h"

struct http_answer;
struct pin;

struct receipt {
	bool known;	  /* the answer has one for the chain that was asked for */
	uint64_t number;  /* frames up to this are stored; 0: none */
	uint64_t behind;  /* not 0: it has signed for frames up to this before, and has fewer now */
	uint8_t hash[32]; /* of its header */
	Hinomi__Problem problem;
	char text[256]; /* escaped */
};

/* Whose receipts are believed, and where those of a chain are kept as evidence. */
struct receipt_keeper {
	struct pin *pin;
	struct sealed_file file;
};

/* -EBADMSG: the answer is none of this protocol, or its receipt is not signed by the collector;
 * text says which. */
int receipt_read(const struct http_answer *http, const uint8_t sensor_id[16], enum lane lane,
		 struct receipt_keeper *keeper, struct receipt *ret);
