/* SPDX-License-Identifier: Apache-2.0 */
/* What an OTLP back end's answer says; its bytes are foreign and need not be OTLP at all. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "forward/retry.h"

struct http_answer;

struct answer {
	enum verdict verdict;
	bool broken;	   /* there is an answer, but it is none of this protocol */
	uint64_t rejected; /* of accepted requests: records that the far end dropped */
	bool warning;	   /* accepted, with a message */
	char text[256];	   /* for people: what it says, or what is wrong with it; escaped */
};

void answer_read(const struct http_answer *http, struct answer *ret);
