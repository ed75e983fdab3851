/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct source {
	const char *spool;
	enum lane lane;
	struct cursor done; /* what was given out, or need not be */
	bool chain_known;   /* done has the frame that the next must follow */
	struct spool_reader *reader;
	bool resumed; /* it begins at a cursor, and has given no frame yet */
	struct frame *frame;
	enum source_notice notice;
};

int source_new(const char *spool, enum lane lane, const struct cursor *from, struct source **ret)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source)
		return -ENOMEM;
	source->spool = spool;
	source->lane = lane;
	source_rewind(source, from);
	*ret = source;
	return 0;
}

static void close_reader(struct source *source)
{
	spool_reader_free(source->reader);
	source->reader = NULL;
}

void source_free(struct source *source)
{
	if (!source)
		return;
	close_reader(source);
	frame_free(source->frame);
	free(source);
}

void source_rewind(struct source *source, const struct cursor *from)
{
	close_reader(source);
	source->done = *from;
	source->chain_known = from->frame || from->events;
}

enum source_notice source_notice(const struct source *source)
{
	return source->notice;
}

static int notice(struct source *source, enum source_notice what)
{
	source->notice = what;
	return -EAGAIN;
}

/* The position is of another spool, and the numbers of that may be given again in this one: twice
 * rather than never. */
static int start_over(struct source *source)
{
	close_reader(source);
	source->done = (struct cursor){0};
	source->chain_known = false;
	return notice(source, SOURCE_REPLACED);
}

static bool is_of_chain(const struct source *source, const Hinomi__FrameHeader *header)
{
	return header->sensor_id.len == sizeof(source->done.sensor_id) &&
	       !memcmp(header->sensor_id.data, source->done.sensor_id, header->sensor_id.len);
}

static bool is_hash_known(const struct source *source)
{
	static const uint8_t none[sizeof(source->done.hash)];

	return memcmp(source->done.hash, none, sizeof(none));
}

/* 1: the frame that ends where the cursor stands is the one it names; 0: no.  A new spool may have
 * grown past the position, or not yet to it. */
static int check_cursor(const struct source *source)
{
	const struct spool_position *at = &source->done.at;
	CLEANUP(spool_reader_free) struct spool_reader *reader = NULL;
	CLEANUP(frame_free) struct frame *frame = NULL;
	struct spool_position next, start = {.segment = at->segment};
	const void *bytes;
	size_t size;
	int n = spool_reader_open(source->spool, source->lane, start, &reader);

	if (n)
		return n == -ESTALE ? 0 : n;
	/* after a power cut the bound may stand before the cursor, until the writer has set it anew
	 */
	spool_reader_all(reader);
	do {
		n = spool_read(reader, &bytes, &size);
		next = spool_reader_next(reader);
	} while (n == -EBADMSG ||
		 (n == 1 && next.segment == at->segment && next.offset < at->offset));
	if (n != 1 || next.segment != at->segment || next.offset != at->offset)
		return n < 0 ? n : 0;
	n = frame_read(bytes, size, &frame);
	if (n)
		return n == -ENOMEM ? n : 0;
	return is_of_chain(source, frame->header) && frame->header->number == source->done.frame &&
	       (!is_hash_known(source) ||
		!memcmp(frame->hash, source->done.hash, sizeof(frame->hash)));
}

/* Is the first frame behind the cursor of the history that the cursor is of?  1, 0, -errno. */
static int check_resumed(const struct source *source, const Hinomi__FrameHeader *header)
{
	const ProtobufCBinaryData *previous = &header->previous;

	if (!is_of_chain(source, header))
		return 0;
	if (is_hash_known(source) && header->number == source->done.frame + 1 &&
	    previous->len == sizeof(source->done.hash) &&
	    !memcmp(previous->data, source->done.hash, previous->len))
		return 1;
	/* it does not say: something is missing here, or the position is of an earlier spool */
	return check_cursor(source);
}

static int open_reader(struct source *source)
{
	int err = spool_reader_open(source->spool, source->lane, source->done.at, &source->reader);

	source->resumed = source->done.at.segment;
	return err == -ESTALE ? start_over(source) : err;
}

/* 1: this frame is the next; 0: it was seen before. */
static int judge(struct source *source, struct source_frame *ret)
{
	const Hinomi__FrameHeader *header = source->frame->header;
	struct cursor *done = &source->done;

	if (header->sensor_id.len != sizeof(done->sensor_id) || !header->number)
		return notice(source, SOURCE_DAMAGED);
	if (source->chain_known && source->resumed) {
		int n = check_resumed(source, header);

		if (n != 1)
			return n ? n : start_over(source);
	}
	if (source->chain_known && !is_of_chain(source, header))
		source->chain_known = false; /* the spool has a second sensor's frames */
	source->resumed = false;
	if (source->chain_known && header->number <= done->frame)
		return 0;
	*ret = (struct source_frame){.frame = source->frame};
	if (source->chain_known && header->number > done->frame + 1)
		ret->missing_from = done->frame + 1;
	else if (source->chain_known)
		ret->skip = done->events;
	memcpy(done->sensor_id, header->sensor_id.data, sizeof(done->sensor_id));
	memcpy(done->hash, source->frame->hash, sizeof(done->hash));
	done->frame = header->number;
	done->events = 0;
	source->chain_known = true;
	return 1;
}

static int next_frame(struct source *source, struct source_frame *ret)
{
	const void *bytes;
	size_t size;
	int n = spool_read(source->reader, &bytes, &size), err;

	frame_free(source->frame);
	source->frame = NULL;
	if (n == -EBADMSG && spool_reader_damage(source->reader).evicted)
		return 1; /* the hole in the numbers will tell */
	if (n == -EBADMSG)
		return notice(source, SOURCE_DAMAGED);
	if (n == -ESTALE)
		return -ENOENT; /* deleted: there may be another soon */
	if (n <= 0)
		return n;
	err = frame_read(bytes, size, &source->frame);
	if (err == -ENOMEM)
		return err;
	if (err)
		return notice(source, SOURCE_DAMAGED);
	n = judge(source, ret);
	if (n == 1) {
		ret->bytes = bytes;
		ret->size = size;
		ret->at = spool_reader_at(source->reader);
		ret->next = spool_reader_next(source->reader);
		source->done.at = ret->next;
	}
	return n == 0 ? 1 : n;
}

int source_next(struct source *source, struct source_frame *ret)
{
	int n;

	if (!source->reader) {
		n = open_reader(source);
		if (n)
			return n;
	}
	do {
		ret->frame = NULL;
		n = next_frame(source, ret);
	} while (n == 1 && !ret->frame);
	if (n == 0 && source->resumed) {
		n = check_cursor(source);
		source->resumed = false;
		if (n == 0)
			return start_over(source);
		n = n < 0 ? n : 0;
	}
	if (n < 0 && n != -EAGAIN)
		close_reader(source); /* the next call opens it where this one stood */
	return n;
}

struct cursor source_frame_end(const struct source_frame *frame)
{
	struct cursor cursor = {.frame = frame->frame->header->number, .at = frame->next};

	memcpy(cursor.sensor_id, frame->frame->header->sensor_id.data, sizeof(cursor.sensor_id));
	memcpy(cursor.hash, frame->frame->hash, sizeof(cursor.hash));
	return cursor;
}
