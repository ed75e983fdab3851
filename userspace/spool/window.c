/* SPDX-License-Identifier: Apache-2.0 */
#include "spool/window.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

struct entry {
	struct record record;
	uint8_t frame[]; /* padded to 8 */
};

_Static_assert(sizeof(struct entry) % RECORD_ALIGN == 0, "entries stay aligned");

static size_t entry_bytes(uint32_t length)
{
	return sizeof(struct entry) + (size_t)body_bytes(length);
}

/* Mapped, so that what was never needed costs nothing. */
int window_init(struct window *window, size_t limit)
{
	void *bytes = mmap(NULL, limit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		return -errno;
	*window = (struct window){.bytes = bytes, .limit = limit};
	return 0;
}

void window_done(struct window *window)
{
	if (window->bytes)
		munmap(window->bytes, window->limit);
	*window = (struct window){0};
}

bool window_add(struct window *window, const struct record *record, const void *frame)
{
	size_t size = entry_bytes(record->length);
	struct entry *entry;

	if (size > window->limit - window->used)
		return false;
	entry = (struct entry *)(window->bytes + window->used);
	entry->record = *record;
	memcpy(entry->frame, frame, record->length);
	window->used += size;
	window->written = window->used;
	return true;
}

const void *window_unwritten(const struct window *window, struct record *ret)
{
	const struct entry *entry = (const struct entry *)(window->bytes + window->written);

	if (window->written == window->used)
		return NULL;
	*ret = entry->record;
	return entry->frame;
}

void window_advance(struct window *window)
{
	const struct entry *entry = (const struct entry *)(window->bytes + window->written);

	window->written += entry_bytes(entry->record.length);
}

/* What is left moves to the front: the pages in use are those of the highest backlog ever, not all.
 */
void window_drop(struct window *window, size_t mark)
{
	memmove(window->bytes, window->bytes + mark, window->used - mark);
	window->used -= mark;
	window->written -= mark;
}
