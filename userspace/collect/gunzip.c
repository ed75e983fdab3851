/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/gunzip.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/cleanup.h"

#define GZIP_WINDOW (15 + 16)
#define FIRST_BYTES 65536

/* Room for more, up to one byte above the limit, which tells that it is not enough. */
static int grow(uint8_t **buffer, size_t *capacity, size_t limit)
{
	size_t wanted = *capacity ? *capacity * 2 : FIRST_BYTES;
	uint8_t *larger;

	if (*capacity > limit)
		return -EFBIG;
	if (wanted > limit)
		wanted = limit + 1;
	larger = realloc(*buffer, wanted);
	if (!larger)
		return -ENOMEM;
	*buffer = larger;
	*capacity = wanted;
	return 0;
}

static int unpack(z_stream *zip, size_t limit, uint8_t **buffer)
{
	size_t capacity = 0;

	for (;;) {
		int err, n;

		if (zip->total_out == capacity) {
			err = grow(buffer, &capacity, limit);
			if (err)
				return err;
		}
		zip->next_out = *buffer + zip->total_out;
		zip->avail_out = (uInt)(capacity - zip->total_out);
		n = inflate(zip, Z_NO_FLUSH);
		if (n == Z_STREAM_END)
			return zip->avail_in ? -EBADMSG : zip->total_out > limit ? -EFBIG : 0;
		if (n == Z_MEM_ERROR)
			return -ENOMEM;
		if (n != Z_OK)
			return -EBADMSG;
		if (!zip->avail_in && zip->avail_out)
			return -EBADMSG;
	}
}

int gunzip(const void *data, size_t size, size_t limit, uint8_t **ret, size_t *ret_size)
{
	z_stream zip = {.next_in = (Bytef *)data, .avail_in = (uInt)size};
	CLEANUP(free) uint8_t *buffer = NULL;
	int err;

	if (inflateInit2(&zip, GZIP_WINDOW) != Z_OK)
		return -ENOMEM;
	err = unpack(&zip, limit, &buffer);
	*ret_size = zip.total_out;
	inflateEnd(&zip);
	if (!err)
		*ret = TAKE(buffer);
	return err;
}
