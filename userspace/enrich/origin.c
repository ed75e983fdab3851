/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/origin.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "enrich/image.h"

#define NONE   UINT32_MAX
#define GOLDEN 0x9e3779b97f4a7c15ULL

struct entry {
	uint64_t inode;
	uint32_t device, generation;
	uint32_t chain_next, newer, older; /* slots; free ones are linked by chain_next */
	struct origin origin;
};

struct origins {
	struct entry *entries;
	uint32_t *buckets; /* slot + 1, so that zeroed memory is empty */
	uint32_t max, used, free_first, newest, oldest;
	unsigned bits;
	struct origins_stats stats;
};

DEFINE_CLEANUP(struct origins *, origins_free);

int origins_new(uint32_t max, struct origins **ret)
{
	CLEANUP(origins_free) struct origins *origins = calloc(1, sizeof(*origins));
	void *entries;

	if (!origins)
		return -ENOMEM;
	origins->max = max;
	origins->free_first = origins->newest = origins->oldest = NONE;
	while (1u << origins->bits < max)
		origins->bits++;
	/* only what is used ever becomes memory */
	entries = mmap(NULL, max * sizeof(*origins->entries), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (entries == MAP_FAILED)
		return -ENOMEM;
	origins->entries = entries;
	origins->buckets = calloc((size_t)1 << origins->bits, sizeof(*origins->buckets));
	if (!origins->buckets)
		return -ENOMEM;
	*ret = TAKE(origins);
	return 0;
}

static void origin_drop(struct origin *origin)
{
	image_unref(origin->image);
	session_unref(origin->session);
	origin->image = NULL;
	origin->session = NULL;
}

void origins_free(struct origins *origins)
{
	if (!origins)
		return;
	for (uint32_t i = 0; i < origins->used; i++)
		origin_drop(&origins->entries[i].origin);
	if (origins->entries)
		munmap(origins->entries, origins->max * sizeof(*origins->entries));
	free(origins->buckets);
	free(origins);
}

bool origins_wants(const Hinomi__File *file)
{
	if (!file || !file->inode || !S_ISREG(file->mode))
		return false;
	switch (file->filesystem) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case TRACEFS_MAGIC:
	case DEBUGFS_MAGIC:
	case SECURITYFS_MAGIC:
		return false;
	default:
		return true;
	}
}

static uint32_t device_of(const Hinomi__File *file)
{
	return file->device_major << 20 | (file->device_minor & 0xfffff);
}

static uint32_t *bucket_of(const struct origins *origins, uint64_t inode, uint32_t device)
{
	return &origins->buckets[((inode ^ (uint64_t)device << 32) * GOLDEN) >>
				 (64 - origins->bits)];
}

static struct entry *entry_find(const struct origins *origins, const Hinomi__File *file)
{
	uint32_t device = device_of(file), next = *bucket_of(origins, file->inode, device);

	while (next) {
		struct entry *entry = &origins->entries[next - 1];

		if (entry->inode == file->inode && entry->device == device &&
		    entry->generation == file->generation)
			return entry;
		next = entry->chain_next;
	}
	return NULL;
}

static uint32_t slot_of(const struct origins *origins, const struct entry *entry)
{
	return (uint32_t)(entry - origins->entries);
}

static void line_leave(struct origins *origins, struct entry *entry)
{
	*(entry->newer == NONE ? &origins->newest : &origins->entries[entry->newer].older) =
		entry->older;
	*(entry->older == NONE ? &origins->oldest : &origins->entries[entry->older].newer) =
		entry->newer;
}

static void line_enter(struct origins *origins, struct entry *entry)
{
	uint32_t slot = slot_of(origins, entry);

	entry->newer = NONE;
	entry->older = origins->newest;
	*(origins->newest == NONE ? &origins->oldest : &origins->entries[origins->newest].newer) =
		slot;
	origins->newest = slot;
}

static void entry_remove(struct origins *origins, struct entry *entry)
{
	uint32_t slot = slot_of(origins, entry);
	uint32_t *link = bucket_of(origins, entry->inode, entry->device);

	while (*link != slot + 1)
		link = &origins->entries[*link - 1].chain_next;
	*link = entry->chain_next;
	line_leave(origins, entry);
	origin_drop(&entry->origin);
	entry->chain_next = origins->free_first;
	origins->free_first = slot;
	origins->stats.files--;
}

static struct entry *entry_add(struct origins *origins, const Hinomi__File *file)
{
	uint32_t device = device_of(file), *bucket = bucket_of(origins, file->inode, device);
	struct entry *entry;
	uint32_t slot;

	if (origins->free_first == NONE && origins->used == origins->max) {
		entry_remove(origins, &origins->entries[origins->oldest]);
		origins->stats.evicted++;
	}
	slot = origins->free_first == NONE ? origins->used++ : origins->free_first;
	entry = &origins->entries[slot];
	if (origins->free_first == slot)
		origins->free_first = entry->chain_next;
	*entry = (struct entry){.inode = file->inode,
				.device = device,
				.generation = file->generation,
				.chain_next = *bucket};
	*bucket = slot + 1;
	line_enter(origins, entry);
	origins->stats.files++;
	return entry;
}

void origins_note(struct origins *origins, const Hinomi__File *file, const struct origin *origin)
{
	struct entry *entry = entry_find(origins, file);
	struct origin new = *origin;

	image_ref(new.image);
	session_ref(new.session);
	if (entry) {
		origin_drop(&entry->origin);
		line_leave(origins, entry);
		line_enter(origins, entry);
	} else {
		entry = entry_add(origins, file);
	}
	entry->origin = new;
}

const struct origin *origins_find(const struct origins *origins, const Hinomi__File *file)
{
	const struct entry *entry = entry_find(origins, file);

	return entry ? &entry->origin : NULL;
}

void origins_forget(struct origins *origins, const Hinomi__File *file)
{
	struct entry *entry = entry_find(origins, file);

	if (entry)
		entry_remove(origins, entry);
}

struct origins_stats origins_stats(const struct origins *origins)
{
	return origins->stats;
}
