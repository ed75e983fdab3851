/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/body.h"

#include <errno.h>

#include "frame/frame.h"

int body_next(struct body *body, const uint8_t **frame, size_t *size)
{
	const uint8_t *p = body->data + body->at;
	size_t left = body->size - body->at, length;

	if (!left)
		return 0;
	if (left < 4)
		return -EBADMSG;
	length = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
	if (!length || length > FRAME_BYTES_MAX || length > left - 4)
		return -EBADMSG;
	*frame = p + 4;
	*size = length;
	body->at += 4 + length;
	return 1;
}
