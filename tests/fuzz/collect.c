/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that a collector is sent. Input: what it is (1 byte), body. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "collect/body.h"
#include "collect/gunzip.h"
#include "collect/logs.h"
#include "collect/query.h"
#include "frame/frame.h"

static void frames(const uint8_t *data, size_t size)
{
	struct body body = {.data = data, .size = size};
	const uint8_t *bytes;
	size_t length;

	while (body_next(&body, &bytes, &length) == 1) {
		CLEANUP(frame_free) struct frame *frame = NULL;

		if (bytes < data || bytes + length > data + size)
			abort();
		if (!frame_read(bytes, length, &frame))
			frame_open_payload(frame);
	}
}

/* A line for each record, whole lines when it is accepted, and no control character in any. */
static void logs(const uint8_t *data, size_t size)
{
	CLEANUP(free) char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	int err;

	if (!out)
		return;
	err = logs_write(out, data, size);
	fclose(out);
	if (!err && length && text[length - 1] != '\n')
		abort();
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < ' ' && text[i] != '\n')
			abort();
}

static void texts(const uint8_t *data, size_t size)
{
	char text[256], address[64], port[6];
	uint8_t id[ID_BYTES];
	uint64_t from, to;
	enum lane lane;

	size = size < sizeof(text) ? size : sizeof(text) - 1;
	memcpy(text, data, size);
	text[size] = '\0';
	query_id(text, id);
	query_lane(text, &lane);
	query_listen(text, address, sizeof(address), port);
	if (!query_range(text, &from, &to) && (!from || from > to))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free) uint8_t *unpacked = NULL;
	size_t length;

	if (!size)
		return 0;
	switch (data[0] % 4) {
	case 0:
		frames(data + 1, size - 1);
		break;
	case 1:
		logs(data + 1, size - 1);
		break;
	case 2:
		if (!gunzip(data + 1, size - 1, 1 << 20, &unpacked, &length))
			logs(unpacked, length);
		break;
	default:
		texts(data + 1, size - 1);
	}
	return 0;
}
