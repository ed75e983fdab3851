/* SPDX-License-Identifier: Apache-2.0 */
/* A row of frames as POST /v1/frames brings them: foreign bytes, taken apart in place. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct body {
	const uint8_t *data;
	size_t size, at;
};

/* 1: the next frame's bytes; 0: the end; -EBADMSG: a length that does not fit what is left. */
int body_next(struct body *body, const uint8_t **frame, size_t *size);
