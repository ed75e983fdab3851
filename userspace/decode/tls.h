/* SPDX-License-Identifier: Apache-2.0 */
/* A ClientHello of TLS (RFC 8446), out of bytes that any process may have sent. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "event.pb-c.h"

struct source;

/*
 * Fills what the bytes say.  They may break off (`incomplete`) or be something else
 * (`malformed`); what they do not say whole is left out.
 */
void tls_parse(struct source *source, const uint8_t *bytes, size_t size, Hinomi__TlsHello *to);
