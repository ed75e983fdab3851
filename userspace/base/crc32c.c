/* SPDX-License-Identifier: Apache-2.0 */
/* The CPU's own instruction where it has one, else eight tables at once. */
#include "base/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#include <asm/hwcap.h>
#endif

#define POLYNOMIAL 0x82f63b78u /* reflected */

static uint32_t table[8][256];

uint32_t crc32c_table(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;

	crc = ~crc;
	for (; size >= 8; p += 8, size -= 8) {
		uint32_t low = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
				      (uint32_t)p[3] << 24);

		crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^
		      table[5][low >> 16 & 0xff] ^ table[4][low >> 24] ^ table[3][p[4]] ^
		      table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
	}
	while (size--)
		crc = crc >> 8 ^ table[0][(crc ^ *p++) & 0xff];
	return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t hardware(uint32_t crc, const void *data,
							   size_t size)
{
	const uint8_t *p = data;
	uint64_t wide = ~crc, word;

	for (; size >= 8; p += 8, size -= 8) {
		memcpy(&word, p, 8);
		wide = _mm_crc32_u64(wide, word);
	}
	crc = (uint32_t)wide;
	while (size--)
		crc = _mm_crc32_u8(crc, *p++);
	return ~crc;
}

static int has_hardware(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#elif defined(__aarch64__)
/* in assembler: gcc and clang do not agree on how a function asks for the extension */
static uint32_t hardware(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t word;

	crc = ~crc;
	for (; size >= 8; p += 8, size -= 8) {
		memcpy(&word, p, 8);
		__asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(word));
	}
	for (; size; p++, size--)
		__asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"(*p));
	return ~crc;
}

static int has_hardware(void)
{
	return !!(getauxval(AT_HWCAP) & HWCAP_CRC32);
}
#else
#define hardware crc32c_table
static int has_hardware(void)
{
	return 0;
}
#endif

static uint32_t (*best)(uint32_t, const void *, size_t);

/* before main: no thread can see it half done */
__attribute__((constructor)) static void crc32c_choose(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		table[0][i] = crc;
	}
	for (int k = 1; k < 8; k++)
		for (int i = 0; i < 256; i++)
			table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 0xff];
	best = has_hardware() ? hardware : crc32c_table;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
	return best(crc, data, size);
}
