/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser: names are followed through their compression at most NAME_JUMPS times
 * and always backwards, so nothing goes round; records and bytes are counted.
 */
#include "decode/dns.h"

#include <stdbool.h>
#include <string.h>

#include "decode/source.h"

#define HEADER_SIZE   12
#define NAME_MAX_WIRE 255
#define NAME_MAX_TEXT (2 * NAME_MAX_WIRE) /* each byte with a backslash before it */
#define NAME_JUMPS    16
#define QUESTIONS_MAX 8
#define ANSWERS_MAX   32

enum {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_PTR = 12,
	TYPE_MX = 15,
	TYPE_AAAA = 28,
	TYPE_SRV = 33
};

struct message {
	struct source *source;
	const uint8_t *bytes;
	size_t size, at;
	bool failed;
};

static unsigned take16(struct message *m)
{
	if (m->failed || m->size - m->at < 2) {
		m->failed = true;
		return 0;
	}
	m->at += 2;
	return (unsigned)m->bytes[m->at - 2] << 8 | m->bytes[m->at - 1];
}

static uint32_t take32(struct message *m)
{
	uint32_t high = take16(m);

	return high << 16 | take16(m);
}

struct name {
	char text[NAME_MAX_TEXT];
	size_t len;  /* of the text */
	size_t wire; /* bytes that the labels have */
};

/* The label at `at`, behind what the name holds already; false: no name. */
static bool label_add(const struct message *m, size_t at, struct name *name)
{
	size_t n = m->bytes[at];

	if (m->size - at - 1 < n || name->wire + n + 2 > NAME_MAX_WIRE) /* and the root's */
		return false;
	if (name->len)
		name->text[name->len++] = '.';
	name->wire += n + 1;
	for (size_t i = 0; i < n; i++) {
		char c = (char)m->bytes[at + 1 + i];

		if (c == '.' || c == '\\')
			name->text[name->len++] = '\\';
		name->text[name->len++] = c;
	}
	return true;
}

/* Labels with dots between them, without the last one; the root is empty. */
static bool name_read(struct message *m, struct name *name)
{
	size_t at = m->at, lowest = at;
	unsigned jumps = 0;

	name->len = name->wire = 0;
	while (at < m->size && m->bytes[at]) {
		uint8_t c = m->bytes[at];

		if (c < 64) {
			if (!label_add(m, at, name))
				return false;
			at += (size_t)c + 1;
			continue;
		}
		if (c < 192 || m->size - at < 2 || ++jumps > NAME_JUMPS)
			return false;
		if (jumps == 1)
			m->at = at + 2;
		at = (size_t)(c & 63) << 8 | m->bytes[at + 1];
		if (at >= lowest)
			return false;
		lowest = at;
	}
	if (at >= m->size)
		return false;
	if (!jumps)
		m->at = at + 1;
	return true;
}

static ProtobufCBinaryData take_name(struct message *m)
{
	ProtobufCBinaryData bytes = {0};
	struct name name;

	if (m->failed || !name_read(m, &name)) {
		m->failed = true;
		return bytes;
	}
	bytes.data = name.len ? source_alloc(m->source, name.len) : NULL;
	if (!bytes.data)
		return bytes;
	memcpy(bytes.data, name.text, name.len);
	bytes.len = name.len;
	return bytes;
}

static void take_question(struct message *m, Hinomi__Dns *to)
{
	Hinomi__DnsQuestion *question = source_alloc(m->source, sizeof(*question));

	if (!question)
		return;
	hinomi__dns_question__init(question);
	question->name = take_name(m);
	question->type = take16(m);
	question->class_ = take16(m);
	if (!m->failed)
		to->questions[to->n_questions++] = question;
}

/* One that nobody has room for: answers begin behind it. */
static void skip_question(struct message *m)
{
	struct name name;

	if (!name_read(m, &name))
		m->failed = true;
	take32(m);
}

/* What the data of an answer names: an address, or another name (m is at its beginning). */
static void answer_data(struct message *m, Hinomi__DnsAnswer *answer, size_t size)
{
	struct message in = *m;
	size_t end = m->at + size;

	switch (answer->type) {
	case TYPE_A:
	case TYPE_AAAA:
		if (size == (answer->type == TYPE_A ? 4 : 16))
			answer->address = (ProtobufCBinaryData){.data = (uint8_t *)m->bytes + m->at,
								.len = size};
		else
			m->failed = true;
		return;
	case TYPE_SRV:
		in.at += 4;
		/* fall through */
	case TYPE_MX:
		in.at += 2;
		/* fall through */
	case TYPE_NS:
	case TYPE_CNAME:
	case TYPE_PTR:
		answer->target = take_name(&in);
		m->failed = in.failed || in.at != end;
	}
}

static void take_answer(struct message *m, Hinomi__Dns *to)
{
	Hinomi__DnsAnswer *answer = source_alloc(m->source, sizeof(*answer));
	size_t size;

	if (!answer)
		return;
	hinomi__dns_answer__init(answer);
	answer->name = take_name(m);
	answer->type = take16(m);
	answer->class_ = take16(m);
	answer->ttl_s = take32(m);
	size = take16(m);
	if (m->failed || m->size - m->at < size) {
		m->failed = true;
		return;
	}
	answer_data(m, answer, size);
	m->at += size;
	if (!m->failed)
		to->answers[to->n_answers++] = answer;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static void sections(struct message *m, Hinomi__Dns *to, unsigned questions)
{
	unsigned nquestions = least(questions, QUESTIONS_MAX);
	unsigned nanswers = least(to->answer_count, ANSWERS_MAX);

	if (nquestions)
		to->questions = source_alloc(m->source, nquestions * sizeof(*to->questions));
	if (nanswers)
		to->answers = source_alloc(m->source, nanswers * sizeof(*to->answers));
	for (unsigned i = 0; i < nquestions && to->questions && !m->failed; i++)
		take_question(m, to);
	for (unsigned i = nquestions; i < questions && !m->failed; i++)
		skip_question(m);
	for (unsigned i = 0; i < nanswers && to->answers && !m->failed; i++)
		take_answer(m, to);
}

void dns_parse(struct source *source, const uint8_t *bytes, size_t size, bool cut, Hinomi__Dns *to)
{
	struct message m = {.source = source, .bytes = bytes, .size = size};
	unsigned flags, questions;

	to->id = take16(&m);
	flags = take16(&m);
	questions = take16(&m);
	to->answer_count = take16(&m);
	take32(&m); /* authorities, additional records */
	to->answer = flags >> 15 & 1;
	to->opcode = flags >> 11 & 15;
	to->authoritative = flags >> 10 & 1;
	to->truncated = flags >> 9 & 1;
	to->rcode = flags & 15;
	if (!m.failed)
		sections(&m, to, questions);
	to->malformed = m.failed && !cut;
}
