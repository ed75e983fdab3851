/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519, checked; shares no code with seal/. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SIGNATURE_BYTES 64

/* 0: this key signed the text; -EBADMSG: it did not; -ENOMEM: not known. */
int signature_check(const uint8_t key[32], const uint8_t *signature, const uint8_t *text,
		    size_t size);
