/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/batch.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "forward/wire.h"
#include "frame/frame.h"

#define HEAD_MAX    6 /* tag and length */
#define GZIP_LEVEL  1
#define GZIP_WINDOW (15 + 16) /* the 16 asks for gzip's header */

/* a record in the buffer, with the head that it has in a ScopeLogs */
struct entry {
	size_t start, end; /* start: of the head */
	size_t size;	   /* without the head */
	struct cursor after;
};

struct batch {
	struct batch_options options;
	struct entry *entries;
	size_t count;
	uint8_t *bytes;
	size_t used, capacity;
	uint8_t *resource, *scope; /* the other fields of ResourceLogs and ScopeLogs, packed */
	size_t resource_size, scope_size;
	uint8_t source[48]; /* sensor, boot, rings */
	uint8_t *body;
	size_t body_capacity;
	z_stream zip;
	bool zip_ready;
};

int batch_new(const struct batch_options *options, struct batch **ret)
{
	CLEANUP(batch_free) struct batch *batch = calloc(1, sizeof(*batch));
	int err;

	if (!batch)
		return -ENOMEM;
	batch->options = *options;
	batch->entries = calloc(options->events_max, sizeof(*batch->entries));
	if (!batch->entries)
		return -ENOMEM;
	err = scope_pack(&batch->scope, &batch->scope_size);
	if (err)
		return err;
	if (options->gzip && deflateInit2(&batch->zip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8,
					  Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	batch->zip_ready = options->gzip;
	*ret = TAKE(batch);
	return 0;
}

void batch_free(struct batch *batch)
{
	if (!batch)
		return;
	if (batch->zip_ready)
		deflateEnd(&batch->zip);
	free(batch->entries);
	free(batch->bytes);
	free(batch->resource);
	free(batch->scope);
	free(batch->body);
	free(batch);
}

void batch_clear(struct batch *batch)
{
	batch->count = 0;
	batch->used = 0;
}

size_t batch_count(const struct batch *batch)
{
	return batch->count;
}

bool batch_is_full(const struct batch *batch)
{
	return batch->count >= batch->options.events_max || batch->used >= batch->options.bytes_max;
}

static void source_of(const struct frame *frame, uint8_t ret[48])
{
	const ProtobufCBinaryData *const ids[] = {
		&frame->header->sensor_id, &frame->header->boot_id, &frame->header->rings_id};

	memset(ret, 0, 48);
	for (size_t i = 0; i < 3; i++)
		if (ids[i]->len == 16)
			memcpy(ret + 16 * i, ids[i]->data, 16);
}

bool batch_fits(const struct batch *batch, const struct frame *frame)
{
	uint8_t source[48];

	source_of(frame, source);
	return !batch->count || !memcmp(source, batch->source, sizeof(source));
}

static int reserve(uint8_t **buffer, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? *capacity : 65536;
	uint8_t *larger;

	while (wanted < size)
		wanted *= 2;
	if (wanted == *capacity)
		return 0;
	larger = realloc(*buffer, wanted);
	if (!larger)
		return -ENOMEM;
	*buffer = larger;
	*capacity = wanted;
	return 0;
}

/* Tag and length. */
static size_t put_head(uint8_t *out, unsigned number, size_t size)
{
	out[0] = wire_tag(number, WIRE_BYTES);
	return 1 + wire_put_varint(out + 1, size);
}

/* The resource is of the first record's frame. */
static int begin(struct batch *batch, const struct frame *frame)
{
	uint8_t source[48], *packed = NULL;
	size_t size;
	int err;

	source_of(frame, source);
	if (batch->resource && !memcmp(source, batch->source, sizeof(source)))
		return 0;
	err = resource_pack(frame, batch->options.labels, batch->options.nlabels, &packed, &size);
	if (err)
		return err;
	free(batch->resource);
	batch->resource = packed;
	batch->resource_size = size;
	memcpy(batch->source, source, sizeof(source));
	return 0;
}

int batch_add(struct batch *batch, const struct frame *frame, const uint8_t *record, size_t size,
	      const struct cursor *after)
{
	struct entry *entry = &batch->entries[batch->count];
	int err;

	if (batch->count >= batch->options.events_max ||
	    (batch->count && batch->used + HEAD_MAX + size > batch->options.bytes_max))
		return -E2BIG;
	err = batch->count ? 0 : begin(batch, frame);
	if (!err)
		err = reserve(&batch->bytes, &batch->capacity, batch->used + HEAD_MAX + size);
	if (err)
		return err;
	entry->start = batch->used;
	entry->size = size;
	entry->after = *after;
	batch->used += put_head(batch->bytes + batch->used, 2, size);
	memcpy(batch->bytes + batch->used, record, size);
	batch->used += size;
	entry->end = batch->used;
	batch->count++;
	return 0;
}

struct piece {
	const uint8_t *data;
	size_t size;
};

static int plain(struct batch *batch, const struct piece *pieces, size_t count, size_t *size)
{
	size_t total = 0;
	int err;

	for (size_t i = 0; i < count; i++)
		total += pieces[i].size;
	err = reserve(&batch->body, &batch->body_capacity, total);
	if (err)
		return err;
	*size = 0;
	for (size_t i = 0; i < count; i++) {
		memcpy(batch->body + *size, pieces[i].data, pieces[i].size);
		*size += pieces[i].size;
	}
	return 0;
}

static int gzip(struct batch *batch, const struct piece *pieces, size_t count, size_t *size)
{
	z_stream *zip = &batch->zip;
	size_t total = 0;
	int err;

	for (size_t i = 0; i < count; i++)
		total += pieces[i].size;
	deflateReset(zip);
	err = reserve(&batch->body, &batch->body_capacity, deflateBound(zip, total));
	if (err)
		return err;
	zip->next_out = batch->body;
	zip->avail_out = (uInt)batch->body_capacity;
	for (size_t i = 0; i < count; i++) {
		bool last = i == count - 1;

		zip->next_in = (Bytef *)pieces[i].data;
		zip->avail_in = (uInt)pieces[i].size;
		if (deflate(zip, last ? Z_FINISH : Z_NO_FLUSH) != (last ? Z_STREAM_END : Z_OK))
			return -EIO;
	}
	*size = zip->total_out;
	return 0;
}

int batch_request(struct batch *batch, size_t first, size_t count, const uint8_t **body,
		  size_t *size)
{
	uint8_t outer[HEAD_MAX], inner[HEAD_MAX];
	const struct entry *from = &batch->entries[first], *to = &batch->entries[first + count - 1];
	size_t records = to->end - from->start, scope = batch->scope_size + records;
	size_t inner_size = put_head(inner, 2, scope);
	size_t outer_size = put_head(outer, 1, batch->resource_size + inner_size + scope);
	const struct piece pieces[] = {{outer, outer_size},
				       {batch->resource, batch->resource_size},
				       {inner, inner_size},
				       {batch->scope, batch->scope_size},
				       {batch->bytes + from->start, records}};
	int err = (batch->options.gzip ? gzip : plain)(batch, pieces, ARRAY_SIZE(pieces), size);

	if (!err)
		*body = batch->body;
	return err;
}

const struct cursor *batch_after(const struct batch *batch, size_t index)
{
	return &batch->entries[index].after;
}

const uint8_t *batch_record(const struct batch *batch, size_t index, size_t *size)
{
	const struct entry *entry = &batch->entries[index];

	*size = entry->size;
	return batch->bytes + entry->end - entry->size;
}
