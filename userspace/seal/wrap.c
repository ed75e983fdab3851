/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/wrap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "seal/pack.h"
#include "seal/seal.h"

#define COMPRESS_FROM  512 /* bytes; less is not worth it */
#define COMPRESS_LEVEL 1

/* the most that a header, its tags, and one element of its lists take */
#define HEADER_BYTES   768
#define TRAILER_BYTES  (2 + SIGNATURE_BYTES) /* of the signature, with its tag and length */
#define SEQUENCE_BYTES 32
#define ROW_BYTES      128

_Static_assert(HEADER_BYTES + (SEAL_CPUS_MAX + 1) * SEQUENCE_BYTES + SEAL_ROWS_MAX * ROW_BYTES <=
		       SEAL_FRAME_MAX - SEAL_PAYLOAD_MAX,
	       "the largest header and payload make a frame");

enum { FRAME_HEADER = 1, FRAME_PAYLOAD = 2, FRAME_SIGNATURE = 3 }; /* field numbers of Frame */

int wrapper_init(struct wrapper *wrapper)
{
	*wrapper = (struct wrapper){0};
	wrapper->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	wrapper->digest = EVP_MD_CTX_new();
	if (!wrapper->sha256 || !wrapper->digest)
		return -ENOMEM;
	wrapper->zstd = ZSTD_createCCtx();
	if (!wrapper->zstd)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(wrapper->zstd, ZSTD_c_compressionLevel, COMPRESS_LEVEL);
	ZSTD_CCtx_setParameter(wrapper->zstd, ZSTD_c_contentSizeFlag, 0); /* the header has it */
	return 0;
}

void wrapper_done(struct wrapper *wrapper)
{
	ZSTD_freeCCtx(wrapper->zstd);
	signer_free(wrapper->signer);
	EVP_MD_CTX_free(wrapper->digest);
	EVP_MD_free(wrapper->sha256);
	free(wrapper->buffer);
	free(wrapper->rows);
	*wrapper = (struct wrapper){0};
}

static int sha256(struct wrapper *wrapper, const void *data, size_t size, uint8_t ret[32])
{
	if (EVP_DigestInit_ex2(wrapper->digest, wrapper->sha256, NULL) != 1 ||
	    EVP_DigestUpdate(wrapper->digest, data, size) != 1 ||
	    EVP_DigestFinal_ex(wrapper->digest, ret, NULL) != 1)
		return -EIO;
	return 0;
}

/* Room for a header with so many elements before the payload. */
static int reserve(struct wrapper *wrapper, size_t nsequences, size_t nrows)
{
	size_t need = HEADER_BYTES + nsequences * SEQUENCE_BYTES + nrows * ROW_BYTES;
	uint8_t *buffer;

	if (nrows > SEAL_ROWS_MAX)
		return -EMSGSIZE;
	if (wrapper->buffer && need <= wrapper->reserve)
		return 0;
	need *= 2;
	buffer = malloc(need + SEAL_PAYLOAD_MAX + TRAILER_BYTES);
	if (!buffer)
		return -ENOMEM;
	free(wrapper->buffer);
	wrapper->buffer = buffer;
	wrapper->reserve = need;
	return 0;
}

static int point_rows(struct wrapper *wrapper, Hinomi__FrameHeader *header,
		      const Hinomi__LedgerRow *rows, size_t nrows)
{
	if (nrows > wrapper->max_rows) {
		Hinomi__LedgerRow **grown = reallocarray(wrapper->rows, nrows, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		wrapper->rows = grown;
		wrapper->max_rows = nrows;
	}
	for (size_t i = 0; i < nrows; i++)
		wrapper->rows[i] = (Hinomi__LedgerRow *)&rows[i];
	header->n_ledger = nrows;
	header->ledger = wrapper->rows;
	return 0;
}

/* Into out, at most size bytes; how many, or 0 when that would not be less than before. */
static size_t compress_payload(struct wrapper *wrapper, const uint8_t *payload, size_t size,
			       uint8_t *out)
{
	size_t n;

	if (size <= COMPRESS_FROM)
		return 0;
	n = ZSTD_compress2(wrapper->zstd, out, size - 1, payload, size);
	return ZSTD_isError(n) ? 0 : n;
}

/* The header and its tag before the payload, which has encoded bytes. */
static int put_header(struct wrapper *wrapper, const Hinomi__FrameHeader *header, size_t encoded)
{
	const uint8_t *payload = wrapper->buffer + wrapper->reserve, *end;
	struct packer packer = {.start = wrapper->buffer, .at = wrapper->buffer + wrapper->reserve};
	int r;

	if (encoded)
		pack_field(&packer, FRAME_PAYLOAD, payload + encoded);
	end = packer.at;
	pack_message(&packer, &hinomi__frame_header__descriptor, header);
	if (packer.full)
		return -EMSGSIZE;
	r = sha256(wrapper, packer.at, (size_t)(end - packer.at), wrapper->hash);
	if (r)
		return r;
	pack_field(&packer, FRAME_HEADER, end);
	if (packer.full)
		return -EMSGSIZE;
	wrapper->frame = packer.at;
	wrapper->size = (size_t)(payload + encoded - packer.at);
	return 0;
}

static int put_signature(struct wrapper *wrapper)
{
	uint8_t *at = (uint8_t *)wrapper->frame + wrapper->size;
	int r;

	if (!wrapper->signer)
		return 0;
	at[0] = FRAME_SIGNATURE << 3 | 2; /* length-delimited */
	at[1] = SIGNATURE_BYTES;
	r = signer_sign(wrapper->signer, wrapper->hash, at + 2);
	if (!r)
		wrapper->size += TRAILER_BYTES;
	return r;
}

int wrap(struct wrapper *wrapper, Hinomi__FrameHeader *header, const Hinomi__LedgerRow *rows,
	 size_t nrows, const uint8_t *payload, size_t size)
{
	uint8_t *out;
	size_t encoded;
	int r;

	r = reserve(wrapper, header->n_sequences, nrows);
	if (!r)
		r = point_rows(wrapper, header, rows, nrows);
	if (r)
		return r;
	out = wrapper->buffer + wrapper->reserve;
	encoded = compress_payload(wrapper, payload, size, out);
	header->encoding =
		encoded ? HINOMI__ENCODING__ENCODING_DELTA_ZSTD : HINOMI__ENCODING__ENCODING_DELTA;
	if (!encoded) {
		memcpy(out, payload, size);
		encoded = size;
	}
	r = sha256(wrapper, out, encoded, wrapper->payload_hash);
	if (r)
		return r;
	header->payload_size = size;
	header->payload_sha256 = (ProtobufCBinaryData){32, wrapper->payload_hash};
	if (wrapper->signer)
		r = signer_prepare(wrapper->signer, header);
	r = r ?: put_header(wrapper, header, encoded);
	return r ?: put_signature(wrapper);
}
