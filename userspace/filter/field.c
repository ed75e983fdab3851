/* SPDX-License-Identifier: Apache-2.0 */
/* Paths are resolved by protobuf-c's descriptors, so that a new field needs no code here. */
#include "filter/field.h"

#include <errno.h>
#include <string.h>

#include "base/nearest.h"

/* How far along a path one got. */
struct walk {
	struct word rest;			   /* what is not resolved yet */
	const ProtobufCMessageDescriptor *message; /* in which it is looked for */
	bool other_class;			   /* it begins with a class that is not this one */
};

static struct word segment_of(struct word path)
{
	const char *dot = memchr(path.data, '.', path.len);

	return (struct word){.data = path.data, .len = dot ? (size_t)(dot - path.data) : path.len};
}

static bool is_segment(struct word segment, const char *name)
{
	return strlen(name) == segment.len && !memcmp(segment.data, name, segment.len);
}

static struct word behind(struct word path, struct word segment)
{
	size_t used = segment.len < path.len ? segment.len + 1 : segment.len;

	return (struct word){.data = path.data + used, .len = path.len - used};
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *message,
						  struct word name)
{
	for (unsigned i = 0; i < message->n_fields; i++)
		if (is_segment(name, message->fields[i].name))
			return &message->fields[i];
	return NULL;
}

static bool is_body(const ProtobufCFieldDescriptor *field)
{
	return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

static void step_into(struct field *to, struct walk *walk, const ProtobufCFieldDescriptor *field)
{
	to->steps[to->nsteps++] = (struct step){
		.offset = field->offset,
		.case_offset = field->quantifier_offset,
		.kind = is_body(field) ? field->id : 0,
	};
	walk->message = field->descriptor;
}

/* `process`, `body` and names of classes lead into a message; other fields of Event are found
 * below. */
static int walk_begin(struct walk *walk, unsigned kind, struct field *to)
{
	struct word first = segment_of(walk->rest);
	const ProtobufCFieldDescriptor *field;

	walk->message = &hinomi__event__descriptor;
	if (is_segment(first, "process")) {
		to->of_process = true;
		walk->message = &hinomi__process__descriptor;
	} else if (is_segment(first, "body")) {
		field = protobuf_c_message_descriptor_get_field(walk->message, kind);
		step_into(to, walk, field);
	} else {
		field = find_field(walk->message, first);
		if (!field || !is_body(field))
			return 0;
		walk->other_class = field->id != kind;
		if (walk->other_class)
			return -ENOENT;
		step_into(to, walk, field);
	}
	walk->rest = behind(walk->rest, first);
	return 0;
}

static int complain_message(struct word path, const ProtobufCMessageDescriptor *message,
			    const struct complaint *complaint)
{
	struct nearest nearest;

	nearest_init(&nearest, "", 0);
	for (unsigned i = 0; i < message->n_fields; i++)
		nearest_offer(&nearest, message->fields[i].name);
	return complain(complaint, "`%.*s` is made of fields; name one of them: %s",
			WORD_ARGS(path), nearest_list(&nearest));
}

static int walk_on(struct walk *walk, struct word path, const struct complaint *complaint,
		   struct field *to)
{
	while (walk->rest.len) {
		struct word name = segment_of(walk->rest);
		const ProtobufCFieldDescriptor *field = find_field(walk->message, name);

		if (!field)
			return -ENOENT;
		to->holder = walk->message;
		to->last = field;
		walk->rest = behind(walk->rest, name);
		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			break;
		if (field->label == PROTOBUF_C_LABEL_REPEATED || to->nsteps == FIELD_STEPS_MAX)
			return complain(
				complaint,
				"`%.*s` leads through a list of messages, which no test can do",
				WORD_ARGS(path));
		step_into(to, walk, field);
		to->last = NULL;
	}
	return to->last ? 0 : complain_message(path, walk->message, complaint);
}

static int walk_path(struct walk *walk, struct word path, unsigned kind,
		     const struct complaint *complaint, struct field *ret)
{
	int r;

	*ret = (struct field){0};
	*walk = (struct walk){.rest = path};
	r = walk_begin(walk, kind, ret);
	if (!r)
		r = walk_on(walk, path, complaint, ret);
	if (!r && walk->rest.len)
		return complain(complaint, "`%.*s` has no fields; it ends before `.%.*s`",
				(int)(walk->rest.data - 1 - path.data), path.data,
				WORD_ARGS(walk->rest));
	return r;
}

int field_resolve(struct word path, unsigned kind, const struct complaint *complaint,
		  struct field *ret)
{
	struct walk walk;

	return walk_path(&walk, path, kind, complaint, ret);
}

/* The names that could have stood where the walk ended. */
static void offer_names(struct nearest *nearest, const ProtobufCMessageDescriptor *message)
{
	for (unsigned i = 0; i < message->n_fields; i++)
		nearest_offer(nearest, message->fields[i].name);
	if (message == &hinomi__event__descriptor)
		nearest_offer(nearest, "body");
}

int field_complain(struct word path, const bool kinds[KINDS_MAX], const struct complaint *complaint)
{
	struct nearest nearest;
	struct field field;
	struct walk walk;
	size_t shortest = path.len + 1;
	bool other_class = false;

	for (unsigned kind = 0; kind < KINDS_MAX; kind++) {
		if (!kinds[kind])
			continue;
		walk_path(&walk, path, kind, complaint, &field);
		other_class |= walk.other_class;
		if (walk.rest.len < shortest) {
			shortest = walk.rest.len;
			nearest_init(&nearest, segment_of(walk.rest).data,
				     segment_of(walk.rest).len);
		}
		if (walk.rest.len == shortest)
			offer_names(&nearest, walk.message);
	}
	if (other_class)
		return complain(
			complaint,
			"the rule is not about the class that `%.*s` begins with; list that "
			"class, or write `body.` for whatever the class holds",
			WORD_ARGS(path));
	return complain(complaint,
			"no class of the rule has a field `%.*s`; in place of `%.*s`: %s",
			WORD_ARGS(path), (int)nearest.len, nearest.word, nearest_list(&nearest));
}

const void *field_holder(const struct field *field, const struct event *event)
{
	const char *at =
		field->of_process ? (const char *)event->process : (const char *)event->body;

	for (unsigned i = 0; at && i < field->nsteps; i++) {
		const struct step *step = &field->steps[i];

		if (step->kind && *(const unsigned *)(at + step->case_offset) != step->kind)
			return NULL;
		at = *(const char *const *)(at + step->offset);
	}
	return at;
}
