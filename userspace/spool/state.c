/* SPDX-License-Identifier: Apache-2.0 */
#include "spool/state.h"

#include <errno.h>
#include <string.h>

#include "base/crc32c.h"
#include "spool/bytes.h"
#include "spool/io.h"

#define DURABLE_MAGIC "HINODUR1"
#define EVICTED_MAGIC "HINOEVI1"
#define SLOT_BYTES    1024u
#define SLOT_STRIDE   (EVICTED_BYTES / 2)
#define SLOT_CRC      (SLOT_BYTES - 4)
#define SLOT_HEAD     32u
#define ENTRY_BYTES   40u
#define RELEASED      1u
#define AGED	      2u

_Static_assert(SLOT_HEAD + EVICTIONS_PENDING * ENTRY_BYTES <= SLOT_CRC, "a slot holds them all");

/* magic 8, segment 8, offset 8, zero 4, checksum 4 */
int durable_read(int fd, struct spool_position *ret)
{
	uint8_t bytes[DURABLE_BYTES];
	ssize_t n = io_read(fd, bytes, sizeof(bytes), 0);

	if (n < 0)
		return (int)n;
	if (n != sizeof(bytes) || memcmp(bytes, DURABLE_MAGIC, 8) ||
	    get32(bytes + 28) != crc32c(0, bytes, 28))
		return -EBADMSG;
	ret->segment = get64(bytes + 8);
	ret->offset = get64(bytes + 16);
	return 0;
}

int durable_write(int fd, const struct spool_position *position)
{
	uint8_t bytes[DURABLE_BYTES] = {0};

	memcpy(bytes, DURABLE_MAGIC, 8);
	put64(bytes + 8, position->segment);
	put64(bytes + 16, position->offset);
	put32(bytes + 28, crc32c(0, bytes, 28));
	return io_write(fd, bytes, sizeof(bytes), 0);
}

/* magic 8, generation 8, segment 8, count 4, zero 4, entries, checksum at the end of the slot */
static bool slot_decode(const uint8_t *slot, enum lane lane, struct evicted *ret)
{
	uint32_t count = get32(slot + 24);

	if (memcmp(slot, EVICTED_MAGIC, 8) || get32(slot + SLOT_CRC) != crc32c(0, slot, SLOT_CRC) ||
	    count > EVICTIONS_PENDING)
		return false;
	ret->generation = get64(slot + 8);
	ret->segment = get64(slot + 16);
	ret->count = count;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *entry = slot + SLOT_HEAD + (size_t)i * ENTRY_BYTES;

		ret->pending[i] = (struct spool_eviction){
			.lane = lane,
			.segment = get64(entry),
			.frames = get64(entry + 8),
			.first_frame = get64(entry + 16),
			.last_frame = get64(entry + 24),
			.error = -(int)get32(entry + 32),
			.released = get32(entry + 36) & RELEASED,
			.aged = get32(entry + 36) & AGED,
		};
	}
	return true;
}

int evicted_read(int fd, enum lane lane, struct evicted *ret)
{
	uint8_t bytes[EVICTED_BYTES] = {0};
	struct evicted other;
	ssize_t n = io_read(fd, bytes, sizeof(bytes), 0);

	if (n < 0)
		return (int)n;
	*ret = (struct evicted){0};
	for (int slot = 0; slot < 2; slot++)
		if (slot_decode(bytes + (size_t)slot * SLOT_STRIDE, lane, &other) &&
		    other.generation > ret->generation)
			*ret = other;
	return 0;
}

int evicted_write(int fd, struct evicted *evicted)
{
	uint8_t slot[SLOT_BYTES] = {0};
	int err;

	memcpy(slot, EVICTED_MAGIC, 8);
	put64(slot + 8, evicted->generation + 1);
	put64(slot + 16, evicted->segment);
	put32(slot + 24, evicted->count);
	for (unsigned i = 0; i < evicted->count; i++) {
		const struct spool_eviction *from = &evicted->pending[i];
		uint8_t *entry = slot + SLOT_HEAD + (size_t)i * ENTRY_BYTES;

		put64(entry, from->segment);
		put64(entry + 8, from->frames);
		put64(entry + 16, from->first_frame);
		put64(entry + 24, from->last_frame);
		put32(entry + 32, (uint32_t)-from->error);
		put32(entry + 36, (from->released ? RELEASED : 0) | (from->aged ? AGED : 0));
	}
	put32(slot + SLOT_CRC, crc32c(0, slot, SLOT_CRC));
	err = io_write(fd, slot, sizeof(slot), (evicted->generation + 1) % 2 * SLOT_STRIDE);
	if (!err && spool_io.fdatasync(fd))
		err = -errno;
	if (!err)
		evicted->generation++;
	return err;
}

void evicted_remove(struct evicted *evicted, unsigned index)
{
	memmove(evicted->pending + index, evicted->pending + index + 1,
		(evicted->count - index - 1) * sizeof(*evicted->pending));
	evicted->count--;
}

void evicted_add(struct evicted *evicted, const struct spool_eviction *eviction)
{
	struct spool_eviction *last;

	if (evicted->count < EVICTIONS_PENDING) {
		evicted->pending[evicted->count++] = *eviction;
		return;
	}
	last = &evicted->pending[EVICTIONS_PENDING - 1];
	last->segment = eviction->segment;
	last->frames += eviction->frames;
	if (!last->first_frame || eviction->first_frame < last->first_frame)
		last->first_frame = eviction->first_frame;
	if (eviction->last_frame > last->last_frame)
		last->last_frame = eviction->last_frame;
	last->error = last->error ? last->error : eviction->error;
	last->released = last->released && eviction->released;
	last->aged = last->aged && eviction->aged;
}
