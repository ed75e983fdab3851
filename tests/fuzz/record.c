/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a ring record: decoded, and then every byte that the event refers to is read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "decode/decode.h"

static void read_all(const ProtobufCMessage *message)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *out = malloc(size + 1);

	if (!out || protobuf_c_message_pack(message, out) != size)
		abort();
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena arena;
	struct event event;
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (!arena.limit_bytes)
		arena_init(&arena, 4 << 20);
	arena_reset(&arena);
	if (!decode_record(copy, size, &arena, &event)) {
		read_all(&event.body->base);
		if (event.process)
			read_all(&event.process->base);
	}
	free(copy);
	return 0;
}
