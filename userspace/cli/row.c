/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/row.h"

#include <errno.h>
#include <stdlib.h>

#include "frame/frame.h"

struct row_reader {
	FILE *file;
	uint8_t *bytes;
	size_t room;
	uint64_t at, next;
};

int row_open(FILE *file, struct row_reader **ret)
{
	struct row_reader *row = calloc(1, sizeof(*row));

	if (!row)
		return -ENOMEM;
	row->file = file;
	*ret = row;
	return 0;
}

void row_free(struct row_reader *row)
{
	if (!row)
		return;
	free(row->bytes);
	free(row);
}

static int reserve(struct row_reader *row, size_t size)
{
	uint8_t *larger;

	if (size <= row->room)
		return 0;
	larger = realloc(row->bytes, size);
	if (!larger)
		return -ENOMEM;
	row->bytes = larger;
	row->room = size;
	return 0;
}

int row_next(struct row_reader *row, const void **frame, size_t *size)
{
	uint8_t head[4];
	size_t got = fread(head, 1, sizeof(head), row->file), length;
	int err;

	row->at = row->next;
	if (ferror(row->file))
		return -EIO;
	if (!got)
		return 0;
	length = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 |
		 (size_t)head[3] << 24;
	if (got < sizeof(head) || !length || length > FRAME_BYTES_MAX)
		return -EBADMSG;
	err = reserve(row, length);
	if (err)
		return err;
	if (fread(row->bytes, 1, length, row->file) != length)
		return ferror(row->file) ? -EIO : -EBADMSG;
	row->next += sizeof(head) + length;
	*frame = row->bytes;
	*size = length;
	return 1;
}

uint64_t row_at(const struct row_reader *row)
{
	return row->at;
}

int row_write(FILE *file, const void *frame, size_t size)
{
	uint8_t head[4];

	for (int i = 0; i < 4; i++)
		head[i] = (uint8_t)(size >> 8 * i);
	if (fwrite(head, sizeof(head), 1, file) != 1 || fwrite(frame, size, 1, file) != 1)
		return -errno ?: -EIO;
	return 0;
}
