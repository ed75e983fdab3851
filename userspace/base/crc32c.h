/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli), as in RFC 3720; crc32c(0, "123456789", 9) is 0xe3069283. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *data, size_t size);
/* The same without the CPU's instruction; for tests. */
uint32_t crc32c_table(uint32_t crc, const void *data, size_t size);
