/* SPDX-License-Identifier: Apache-2.0 */
#include "stand_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach/attach.h"
#include "mix.h"
#include "ring/ring.h"

#define HEAD_BYTES 8

struct attach {
	uint8_t rings_id[16];
	struct ledger_cell cells[MIX_CPUS * KINDS_MAX];
	struct sequence_cell sequences[MIX_CPUS];
	uint64_t lost_told[KINDS_MAX];
};

struct ring {
	char *data;
	size_t size, end, position;
};

static struct attach the_attach;
static struct ring rings[LANES] = {
	[LANE_KEEP] = {.size = 4u << 20},
	[LANE_BULK] = {.size = 16u << 20},
};
static size_t touched[LANES];

struct attach *stand_in_new(void)
{
	for (int lane = 0; lane < LANES; lane++) {
		rings[lane].data = aligned_alloc(4096, rings[lane].size);
		if (!rings[lane].data)
			abort();
	}
	return &the_attach;
}

bool stand_in_put(const struct record *record)
{
	struct ring *ring = &rings[record->lane];
	size_t need = HEAD_BYTES + ((record->size + 7u) & ~7u);

	if (ring->size - ring->end < need)
		return false;
	memcpy(ring->data + ring->end, &record->size, 4);
	memcpy(ring->data + ring->end + HEAD_BYTES, record, record->size);
	ring->end += need;
	if (ring->end > touched[record->lane])
		touched[record->lane] = ring->end;
	the_attach.cells[record->cpu * KINDS_MAX + record->kind].seen++;
	the_attach.cells[record->cpu * KINDS_MAX + record->kind].sent[record->lane]++;
	the_attach.sequences[record->cpu].next[record->lane] = record->seq;
	return true;
}

size_t stand_in_bytes(void)
{
	return touched[LANE_KEEP] + touched[LANE_BULK];
}

int ring_open(int map_fd, struct ring **ret)
{
	*ret = &rings[map_fd];
	return 0;
}

void ring_free(struct ring *ring)
{
	(void)ring;
}

const void *ring_next(struct ring *ring, size_t *size)
{
	const char *head = ring->data + ring->position;
	uint32_t length;

	if (ring->position == ring->end)
		return NULL;
	memcpy(&length, head, sizeof(length));
	*size = length;
	ring->position += HEAD_BYTES + ((length + 7u) & ~7u);
	return head + HEAD_BYTES;
}

void ring_release(struct ring *ring)
{
	if (ring->position == ring->end)
		ring->position = ring->end = 0;
}

uint64_t ring_waiting_bytes(const struct ring *ring)
{
	return ring->end - ring->position;
}

uint64_t ring_read_bytes(const struct ring *ring)
{
	return ring->position;
}

uint64_t ring_size_bytes(const struct ring *ring)
{
	return ring->size;
}

int attach_ring_fd(const struct attach *attach, enum lane lane)
{
	(void)attach;
	return (int)lane;
}

struct ledger_cell *attach_ledger(const struct attach *attach)
{
	return ((struct attach *)attach)->cells;
}

struct sequence_cell *attach_sequences(const struct attach *attach)
{
	return (struct sequence_cell *)attach->sequences;
}

unsigned attach_cpus(const struct attach *attach)
{
	(void)attach;
	return MIX_CPUS;
}

void attach_skipped(const struct attach *attach, uint64_t by_kind[KINDS_MAX])
{
	(void)attach;
	memset(by_kind, 0, KINDS_MAX * sizeof(*by_kind));
}

const uint8_t *attach_rings_id(const struct attach *attach)
{
	return attach->rings_id;
}

bool attach_resumed(const struct attach *attach)
{
	(void)attach;
	return false;
}

void attach_hook_seen(struct attach *attach, unsigned hook)
{
	(void)attach, (void)hook;
}

bool attach_is_canary(struct attach *attach, const struct record *record)
{
	(void)attach, (void)record;
	return false;
}

void attach_canary_seen(struct attach *attach, unsigned kind, unsigned hook, uint64_t time_ns)
{
	(void)attach, (void)kind, (void)hook, (void)time_ns;
}

const struct coverage *attach_coverage(const struct attach *attach, size_t *count)
{
	(void)attach;
	*count = 0;
	return NULL;
}

size_t attach_spent(const struct attach *attach, struct spent *ret, size_t max)
{
	(void)attach, (void)ret, (void)max;
	return 0;
}

bool attach_rests_on(const struct attach *attach, unsigned kind, const char *program)
{
	(void)attach, (void)kind, (void)program;
	return false;
}

uint64_t attach_helpers_ns(const struct attach *attach)
{
	(void)attach;
	return 0;
}

bool attach_detached(const struct attach *attach)
{
	(void)attach;
	return true;
}

int attach_flows(struct attach *attach, bool all)
{
	(void)attach, (void)all;
	return -ENOENT;
}

bool attach_untold(const struct attach *attach)
{
	(void)attach;
	return false;
}
