/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Makes libcrypto ready; once, before anything is hashed or signed.  -ENOMEM: it could not, and
 * calling it would crash (OpenSSL 3.0 does not look whether its own beginning succeeded). */
int crypto_start(void);
