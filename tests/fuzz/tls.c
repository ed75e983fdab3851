/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a ClientHello: parsed, and then every byte that the result refers to is read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "decode/source.h"
#include "decode/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena arena;
	struct source source = {.arena = &arena};
	Hinomi__TlsHello hello = HINOMI__TLS_HELLO__INIT;
	uint8_t *copy = malloc(size ? size : 1), *out;
	size_t packed;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (!arena.limit_bytes)
		arena_init(&arena, 1 << 20);
	arena_reset(&arena);
	tls_parse(&source, copy, size, &hello);
	packed = hinomi__tls_hello__get_packed_size(&hello);
	out = malloc(packed + 1);
	if (!out || hinomi__tls_hello__pack(&hello, out) != packed)
		abort();
	free(out);
	free(copy);
	return 0;
}
