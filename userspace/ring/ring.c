// SPDX-License-Identifier: Apache-2.0
/* Layout and rules: Documentation/bpf/ringbuf.rst and kernel/bpf/ringbuf.c. */
#include "ring/ring.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <hinomi/record.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct ring {
	volatile uint64_t *consumer; /* written by us: everything before is given back */
	const volatile uint64_t *producer;
	const char *data;
	char *across; /* room for a record that goes over the end and on at the beginning */
	uint64_t mask, size;
	uint64_t position; /* read so far, not yet given back */
	size_t page;
};

int ring_open(int map_fd, struct ring **ret)
{
	CLEANUP(ring_free) struct ring *ring = calloc(1, sizeof(*ring));
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);
	void *at;

	if (!ring)
		return -ENOMEM;
	ring->page = sysconf(_SC_PAGESIZE);
	if (bpf_obj_get_info_by_fd(map_fd, &info, &len))
		return -errno;
	ring->size = info.max_entries;
	ring->mask = ring->size - 1;
	at = mmap(NULL, ring->page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	ring->consumer = at;
	/* the kernel offers it twice in a row, and every page would count twice */
	at = mmap(NULL, ring->page + ring->size, PROT_READ, MAP_SHARED, map_fd, ring->page);
	if (at == MAP_FAILED)
		return -errno;
	ring->producer = at;
	ring->data = (const char *)at + ring->page;
	ring->across = malloc(RECORD_BYTES_MAX);
	if (!ring->across)
		return -ENOMEM;
	ring->position = __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
	*ret = TAKE(ring);
	return 0;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	if (ring->consumer)
		munmap((void *)ring->consumer, ring->page);
	if (ring->producer)
		munmap((void *)ring->producer, ring->page + ring->size);
	free(ring->across);
	free(ring);
}

/* In one piece.  Nothing that is not yet released can go over the end twice. */
static const void *record_at(const struct ring *ring, uint64_t position, size_t size)
{
	uint64_t offset = position & ring->mask;
	size_t before = ring->size - offset;

	if (size <= before)
		return ring->data + offset;
	if (size > RECORD_BYTES_MAX || !ring->data) /* cannot be; shows as a gap */
		return NULL;
	memcpy(ring->across, ring->data + offset, before);
	memcpy(ring->across + before, ring->data, size - before);
	return ring->across;
}

const void *ring_next(struct ring *ring, size_t *size)
{
	uint64_t end = ring ? __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) : 0;

	while (ring && ring->position < end) {
		const uint32_t *head = (const void *)(ring->data + (ring->position & ring->mask));
		uint32_t len = __atomic_load_n(head, __ATOMIC_ACQUIRE);
		const void *record;
		uint64_t next;

		if (len & BPF_RINGBUF_BUSY_BIT)
			return NULL;
		*size = len & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		next = ring->position + ((*size + BPF_RINGBUF_HDR_SZ + 7) & ~7ULL);
		if (next > end) /* cannot be: do not read beyond what was written */
			return NULL;
		record = len & BPF_RINGBUF_DISCARD_BIT
				 ? NULL
				 : record_at(ring, ring->position + BPF_RINGBUF_HDR_SZ, *size);
		ring->position = next;
		if (record)
			return record;
	}
	return NULL;
}

void ring_release(struct ring *ring)
{
	if (ring)
		__atomic_store_n(ring->consumer, ring->position, __ATOMIC_RELEASE);
}

uint64_t ring_waiting_bytes(const struct ring *ring)
{
	return ring ? __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) - ring->position : 0;
}

uint64_t ring_read_bytes(const struct ring *ring)
{
	return ring ? ring->position - *ring->consumer : 0;
}

uint64_t ring_size_bytes(const struct ring *ring)
{
	return ring ? ring->size : 0;
}
