/* SPDX-License-Identifier: Apache-2.0 */
#include "frame/crypto.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

int crypto_start(void)
{
	EVP_MD *digest;

	if (!OSSL_LIB_CTX_get0_global_default() ||
	    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return -ENOMEM;
	digest = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!digest)
		return -ENOMEM;
	EVP_MD_free(digest);
	return 0;
}
