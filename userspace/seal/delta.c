/* SPDX-License-Identifier: Apache-2.0 */
/* Which message each is held against. */
#include "seal/delta.h"

#include <assert.h>
#include <errno.h>
#include <hinomi/record.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "seal/seal.h"

#define BODIES 64 /* of one class that are remembered, by the file that they are about */

enum item { ITEM_PROCESS = 1, ITEM_EVENT = 2 };

struct bodies {
	struct body {
		struct place *place;
		uint64_t inode;
		uint64_t frame;
		uint32_t number; /* it is in the number-th event of that frame */
	} slots[BODIES], *newest;
	int file; /* offset of the file that they are about; 0: of none */
};

int delta_init(struct delta *delta, uint8_t *bytes, size_t size)
{
	*delta = (struct delta){
		.payload = bytes, .writer = {.at = bytes, .end = bytes + size}, .frame = 1};
	delta->event = place_new(&hinomi__event__descriptor);
	delta->next_seq = calloc(SEAL_CPUS_MAX + 1, sizeof(*delta->next_seq));
	delta->seq_frame = calloc(SEAL_CPUS_MAX + 1, sizeof(*delta->seq_frame));
	if (!delta->event || !delta->next_seq || !delta->seq_frame)
		return -ENOMEM;
	return strings_init(&delta->writer.strings);
}

void delta_done(struct delta *delta)
{
	for (unsigned i = 0; i < DELTA_FAMILIES; i++)
		place_free(delta->families[i].place);
	for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
		for (unsigned i = 0; delta->bodies[kind] && i < BODIES; i++)
			place_free(delta->bodies[kind]->slots[i].place);
		free(delta->bodies[kind]);
	}
	place_free(delta->event);
	free(delta->next_seq);
	free(delta->seq_frame);
	strings_done(&delta->writer.strings);
	*delta = (struct delta){0};
}

void delta_reset(struct delta *delta)
{
	delta->writer.at = delta->payload;
	delta->writer.weight = 0;
	delta->writer.error = 0;
	delta->newest = NULL;
	delta->processes = delta->events = 0;
	delta->frame++;
	memset(delta->event->last, 0, sizeof(Hinomi__Event));
	strings_reset(&delta->writer.strings);
}

/* The body that is set, as an index of the place; nfields: none is. */
static unsigned body_of(const struct place *place, const Hinomi__Event *event)
{
	unsigned from = place->nplain, to = place->nfields;

	while (from < to) {
		unsigned middle = (from + to) / 2;

		if (place->fields[middle].id < event->body_case)
			from = middle + 1;
		else
			to = middle;
	}
	if (from < place->nfields && place->fields[from].id == event->body_case)
		return from;
	return place->nfields;
}

static int finish_item(struct delta *delta, uint8_t *start)
{
	if (!delta->writer.error && delta->writer.weight > SEAL_WEIGHT_MAX)
		delta->writer.error = -E2BIG;
	if (delta->writer.error)
		delta->writer.at = start;
	return delta->writer.error;
}

/* Brothers and sisters have most in common, and then those of the same user and session. */
static const struct family *family_before(const struct delta *delta, const struct family *family,
					  const struct family *of)
{
	const struct family *found = delta->newest;

	if (family->frame == delta->frame && family->parent == of->parent &&
	    family->uid == of->uid && family->session == of->session &&
	    family->cgroup == of->cgroup)
		return family;
	for (unsigned i = 0; i < DELTA_FAMILIES; i++) {
		const struct family *other = &delta->families[i];

		if (other->frame == delta->frame && other->uid == of->uid &&
		    other->session == of->session && other->cgroup == of->cgroup)
			found = other;
	}
	return found;
}

int delta_process(struct delta *delta, const Hinomi__Process *process)
{
	struct family of = {
		.parent = process->parent ? process->parent->pid : 0,
		.uid = process->credentials ? process->credentials->euid : 0,
		.session = process->session_id,
		.cgroup = process->cgroup_id,
	};
	uint32_t hash = (of.parent * 31 + of.uid * 7 + of.session) * 0x9e3779b1u;
	struct family *family = &delta->families[hash / (UINT32_MAX / DELTA_FAMILIES + 1)];
	const struct family *before = family_before(delta, family, &of);
	uint8_t *start = delta->writer.at;

	if (!has_room(&delta->writer, 2 * SCALAR_MAX))
		return delta->writer.error;
	put_varint(&delta->writer, ITEM_PROCESS);
	put_varint(&delta->writer, before ? delta->processes + 1 - before->number : 0);
	put_message(&delta->writer, before ? before->place : NULL, &family->place,
		    &hinomi__process__descriptor, process);
	of.place = family->place;
	of.frame = delta->frame;
	of.number = ++delta->processes;
	*family = of;
	delta->newest = family;
	return finish_item(delta, start);
}

static struct bodies *bodies_new(const ProtobufCMessageDescriptor *type)
{
	struct bodies *bodies = calloc(1, sizeof(*bodies));

	for (unsigned i = 0; bodies && i < type->n_fields; i++)
		if (type->fields[i].descriptor == &hinomi__file__descriptor &&
		    type->fields[i].label != PROTOBUF_C_LABEL_REPEATED && !bodies->file)
			bodies->file = (int)type->fields[i].offset;
	return bodies;
}

static void put_body(struct delta *delta, unsigned id, const ProtobufCMessageDescriptor *type,
		     const uint8_t *message)
{
	struct bodies *bodies = delta->bodies[id];
	const Hinomi__File *file;
	struct body *body, *before;
	uint64_t inode;

	if (!bodies)
		bodies = delta->bodies[id] = bodies_new(type);
	if (!bodies) {
		delta->writer.error = -ENOMEM;
		return;
	}
	file = bodies->file ? *(const Hinomi__File *const *)(message + bodies->file) : NULL;
	inode = file ? file->inode : 0;
	body = &bodies->slots[inode * 0x9e3779b97f4a7c15ull / (UINT64_MAX / BODIES + 1)];
	before = body->frame == delta->frame && body->inode == inode ? body : bodies->newest;
	if (before && before->frame != delta->frame)
		before = NULL;
	if (!has_room(&delta->writer, 2 * SCALAR_MAX))
		return;
	put_key(&delta->writer, id, FORM_MESSAGE);
	put_varint(&delta->writer, before ? delta->events - before->number : 0);
	put_message(&delta->writer, before ? before->place : NULL, &body->place, type, message);
	body->inode = inode;
	body->frame = delta->frame;
	body->number = delta->events;
	bodies->newest = body;
}

int delta_event(struct delta *delta, const Hinomi__Event *event, uint32_t pid)
{
	size_t cpu = event->cpu < SEAL_CPUS_MAX ? event->cpu : SEAL_CPUS_MAX;
	struct place *place = delta->event;
	Hinomi__Event *last = (Hinomi__Event *)place->last;
	uint8_t *start = delta->writer.at;
	unsigned body;

	if (!has_room(&delta->writer, 2 * SCALAR_MAX))
		return delta->writer.error;
	put_varint(&delta->writer, ITEM_EVENT);
	put_varint(&delta->writer, delta->processes - event->process);
	last->process = event->process;
	last->tid = pid ? pid : last->tid;
	last->seq = delta->seq_frame[cpu] == delta->frame ? delta->next_seq[cpu] : 1;
	delta->seq_frame[cpu] = delta->frame;
	delta->next_seq[cpu] = event->seq + 1;
	delta->events++;
	put_fields(&delta->writer, place, place, (const uint8_t *)event);
	body = body_of(place, event);
	if (body < place->nfields && place->fields[body].id < KINDS_MAX)
		put_body(delta, place->fields[body].id, place->type->fields[body].descriptor,
			 *(const uint8_t *const *)((const uint8_t *)event +
						   place->fields[body].offset));
	else if (has_room(&delta->writer, 1))
		*delta->writer.at++ = 0;
	return finish_item(delta, start);
}
