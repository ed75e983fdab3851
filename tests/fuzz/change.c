/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as netlink messages, options and ioctls: parsed, then all that the result refers to is
 * read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "decode/change.h"
#include "decode/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says by which parser, the second with which number. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena arena;
	struct source source = {.arena = &arena};
	Hinomi__NetChange change = HINOMI__NET_CHANGE__INIT;
	uint8_t *copy, *out;
	size_t packed;

	if (size < 2)
		return 0;
	copy = malloc(size - 2 ? size - 2 : 1);
	if (!copy)
		return 0;
	memcpy(copy, data + 2, size - 2);
	if (!arena.limit_bytes)
		arena_init(&arena, 1 << 20);
	arena_reset(&arena);
	if (data[0] < 200)
		netlink_parse(&source, data[0] & 15, copy, size - 2, data[0] & 16, &change);
	else if (data[0] < 220)
		option_parse(&source, data[0] & 1 ? 263 : 0, data[1], copy, size - 2, &change);
	else
		ioctl_parse(&source, 0x8900u + data[1], copy, size - 2, data[0] & 1, &change);
	packed = hinomi__net_change__get_packed_size(&change);
	out = malloc(packed + 1);
	if (!out || hinomi__net_change__pack(&change, out) != packed)
		abort();
	free(out);
	free(copy);
	return 0;
}
