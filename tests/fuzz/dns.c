/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a DNS message: parsed, and then every byte that the result refers to is read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "decode/dns.h"
#include "decode/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena arena;
	struct source source = {.arena = &arena};
	Hinomi__Dns dns = HINOMI__DNS__INIT;
	uint8_t *copy = malloc(size ? size : 1), *out;
	size_t packed;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (!arena.limit_bytes)
		arena_init(&arena, 1 << 20);
	arena_reset(&arena);
	dns_parse(&source, copy, size, size & 1, &dns);
	if (size & 1 && dns.malformed) /* it was to be cut */
		abort();
	packed = hinomi__dns__get_packed_size(&dns);
	out = malloc(packed + 1);
	if (!out || hinomi__dns__pack(&dns, out) != packed)
		abort();
	free(out);
	free(copy);
	return 0;
}
