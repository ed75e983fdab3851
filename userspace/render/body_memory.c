/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of classes about memory that can be executed, and descriptors that were handed over. */
#include "render/body.h"

#include <inttypes.h>

#include "base/cleanup.h"
#include "render/words.h"

static void put_file(const struct body *body, const Hinomi__File *file)
{
	if (!file)
		return;
	body_bytes(body->what, &file->path);
	if (file->memory)
		body_note(body, STYLE_ALARM, "in memory only");
	else if (file->deleted)
		body_note(body, STYLE_ALARM, "deleted file");
}

void say_image_load(const struct body *body, const Hinomi__Event *event)
{
	put_file(body, event->image_load->file);
	if (event->image_load->later)
		body_note(body, STYLE_DIM, "made executable later");
}

void say_memory_exec(const struct body *body, const Hinomi__Event *event)
{
	static const char *const kinds[] = {
		[HINOMI__MEMORY_EXEC__MEMORY__MEMORY_UNSPECIFIED] = "memory",
		[HINOMI__MEMORY_EXEC__MEMORY__MEMORY_ANONYMOUS] = "anonymous memory",
		[HINOMI__MEMORY_EXEC__MEMORY__MEMORY_STACK] = "its stack",
		[HINOMI__MEMORY_EXEC__MEMORY__MEMORY_HEAP] = "its heap",
		[HINOMI__MEMORY_EXEC__MEMORY__MEMORY_FILE] = "memory of ",
	};
	const Hinomi__MemoryExec *memory = event->memory_exec;
	unsigned kind = (unsigned)memory->memory;

	fputs(kind < ARRAY_SIZE(kinds) ? kinds[kind] : kinds[0], body->what);
	put_file(body, memory->file);
	if (memory->writable)
		fputs(", writable as well", body->what);
	else if (memory->was_writable)
		fputs(", written before", body->what);
	if (memory->size)
		fprintf(body->note, "  %" PRIu64 " bytes at %#" PRIx64, memory->size,
			memory->address);
}

void say_userfaultfd(const struct body *body, const Hinomi__Event *event)
{
	fprintf(body->what, "flags %#x", event->userfaultfd->flags);
}

void say_file_received(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__FileReceived *received = event->file_received;

	put_file(body, received->file);
	if (received->peer) {
		fputs(" to ", body->what);
		words_address(body->what, received->peer);
	}
	fputs("  ", body->note);
	words_open_flags(body->note, received->flags);
	fprintf(body->note, ", opened by uid %u", received->opener_uid);
}
