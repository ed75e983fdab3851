/* SPDX-License-Identifier: Apache-2.0 */
/* Events as JSON.  Messages are filled by walking the descriptors, so that a new class or field is
 * tested without a line here. */
#include "render_tools.h"

#include <ctype.h>

#include "base/escape.h"

static const uint8_t hostile[] = "a\033[31m\n\t\\\"'\x80\xff\xc3\xa9\xe2\x80\xae\xe7\x81\xab z";

/* ---- a checker of JSON: consumes one value, NULL when it is not one */

static const char *json_value(const char *p);

static const char *json_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	for (; *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p != '\\')
			continue;
		p++;
		if (*p == 'u') {
			for (int i = 0; i < 4; i++)
				if (!isxdigit((unsigned char)*++p))
					return NULL;
		} else if (!*p || !strchr("\"\\/bfnrt", *p)) {
			return NULL;
		}
	}
	return p + 1;
}

static const char *json_list(const char *p, char end, bool members)
{
	if (*++p == end)
		return p + 1;
	for (;;) {
		if (members) {
			p = json_string(p);
			if (!p || *p++ != ':')
				return NULL;
		}
		p = json_value(p);
		if (!p)
			return NULL;
		if (*p == end)
			return p + 1;
		if (*p++ != ',')
			return NULL;
	}
}

static const char *json_value(const char *p)
{
	static const char *const words[] = {"true", "false", "null"};
	char *end;

	if (*p == '{')
		return json_list(p, '}', true);
	if (*p == '[')
		return json_list(p, ']', false);
	if (*p == '"')
		return json_string(p);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strncmp(p, words[i], strlen(words[i])))
			return p + strlen(words[i]);
	if (*p != '-' && !isdigit((unsigned char)*p))
		return NULL;
	strtod(p, &end);
	return end;
}

static void assert_json_line(const char *line)
{
	const char *end = json_value(line);

	if (!end || strcmp(end, "\n"))
		fail_msg("not JSON: %s", line);
}

static char *json_of(const struct fixture *f, const Hinomi__Event *event)
{
	static char *text;
	static size_t size;
	FILE *out = open_memstream(&text, &size);

	render_json(out, &f->frame, event);
	fclose(out);
	return text;
}

static void check_class_json(const struct fixture *f, Hinomi__Event *event)
{
	char *line = json_of(f, event);
	char expect[64];

	assert_json_line(line);
	snprintf(expect, sizeof(expect), "\"class\":\"%s\"", event_class(event));
	assert_non_null(strstr(line, expect));
	snprintf(expect, sizeof(expect), ",\"%s\":{", event_class(event));
	assert_non_null(strstr(line, expect));
	assert_non_null(strstr(line, "\"process\":{\"key\":{\"pid\":"));
	assert_non_null(strstr(line, "\"lane\":\"bulk\""));
	assert_non_null(strstr(line, "\"result\":-2147483648"));
	assert_null(strchr(line, '\033'));
	free(line);
}

static void test_json_classes(void **state)
{
	(void)state;
	for_each_class(check_class_json);
}

/* Messages of frame.proto as well: render_message has no favourites. */
static void test_json_messages(void **state)
{
	static const ProtobufCMessageDescriptor *const types[] = {
		&hinomi__frame__descriptor, &hinomi__frame_header__descriptor,
		&hinomi__payload__descriptor, &hinomi__coverage__descriptor};
	unsigned salt = 0;
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		render_message(out, fill_message(&arena, types[i], 0, &salt));
		putc('\n', out);
		fclose(out);
		assert_json_line(text);
		free(text);
	}
	arena_done(&arena);
}

static Hinomi__Process bare_process = HINOMI__PROCESS__INIT;
static Hinomi__Credentials root = HINOMI__CREDENTIALS__INIT;

static void test_json_values(void **state)
{
	uint8_t ip4[] = {10, 0, 0, 1}, sha[32] = {0xde, 0xad};
	Hinomi__Address peer = HINOMI__ADDRESS__INIT;
	Hinomi__Socket socket = HINOMI__SOCKET__INIT;
	Hinomi__Event event = HINOMI__EVENT__INIT;
	Hinomi__FileHash hash = HINOMI__FILE_HASH__INIT;
	struct fixture f;
	char *line;

	(void)state;
	fixture_init(&f, &bare_process);
	root.cap_effective = 0x1ffffffffff;
	bare_process.credentials = &root;
	event.process = 1;
	event.seq = 42;
	event.cpu = 3;
	event.time_ns = 1000 * NS_PER_SEC + 123456789;
	event.lane = HINOMI__LANE__LANE_BULK;
	event.body_case = HINOMI__EVENT__BODY_CONNECT;
	event.connect = &socket;
	socket.family = peer.family = 2;
	peer.port = 443;
	peer.ip = (ProtobufCBinaryData){.data = ip4, .len = 4};
	socket.peer = &peer;
	line = json_of(&f, &event);
	assert_json_line(line);
	assert_non_null(strstr(line, "{\"time\":\"2026-11-23T14:00:00.123456789Z\","));
	assert_non_null(strstr(line, "\"id\":\"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd-bulk-3-42\""));
	assert_non_null(strstr(line, "\"ip\":\"10.0.0.1\",\"port\":443"));
	assert_non_null(strstr(line, "\"credentials\":{\"uid\":0,\"gid\":0,"));
	assert_non_null(strstr(line, "\"cap_effective\":\"0x1ffffffffff\""));
	assert_non_null(strstr(line, "\"result\":0"));
	assert_non_null(strstr(line, "\"frame\":7,"));
	assert_null(strstr(line, "\"local\"")); /* absent */
	assert_null(strstr(line, "\"user\""));	/* empty */
	free(line);

	event.cpu = CPU_SENSOR;
	event.process = 2; /* there is none: foreign bytes may say so */
	event.body_case = HINOMI__EVENT__BODY_FILE_HASH;
	event.file_hash = &hash;
	hash.sha256 = (ProtobufCBinaryData){.data = sha, .len = 32};
	hash.hash_state = HINOMI__HASH_STATE__HASH_STATE_TOO_LARGE;
	line = json_of(&f, &event);
	assert_json_line(line);
	assert_non_null(strstr(line, "-bulk-s-42\""));
	assert_non_null(strstr(line, "\"sha256\":\"dead0000"));
	assert_non_null(strstr(line, "\"hash_state\":\"too_large\""));
	assert_null(strstr(line, "\"process\""));
	free(line);

	hash.hash_state = 99;
	event.body_case = HINOMI__EVENT__BODY__NOT_SET;
	line = json_of(&f, &event);
	assert_json_line(line);
	assert_non_null(strstr(line, "\"class\":\"unknown\""));
	free(line);
	fixture_done(&f);
}

/* A class of a newer sensor keeps its bytes. */
static void test_json_unknown_fields(void **state)
{
	static const uint8_t packed[] = {0x08 | 0x02, 0x00, 0x82, 0x06, 0x01, 0x7f}; /* 96: bytes */
	Hinomi__Event *event = hinomi__event__unpack(NULL, sizeof(packed) - 2, packed + 2);
	struct fixture f;
	char *line;

	(void)state;
	assert_non_null(event);
	fixture_init(&f, NULL);
	line = json_of(&f, event);
	assert_json_line(line);
	assert_non_null(strstr(line, "\"unknown_fields\":[{\"number\":96,"));
	free(line);
	hinomi__event__free_unpacked(event, NULL);
	fixture_done(&f);
}

/* What a JSON parser makes of the string, then our own escapes undone: the bytes as they were. */
static size_t parse_string(const char *p, char *ret)
{
	char *out = ret;

	for (; *p != '"'; p++) {
		unsigned code;

		if (*p != '\\') {
			*out++ = *p;
			continue;
		}
		p++;
		if (*p == 'n') {
			*out++ = '\n';
		} else if (*p == 't') {
			*out++ = '\t';
		} else if (*p == 'u') {
			assert_int_equal(sscanf(p + 1, "%4x", &code), 1);
			out += code < 0x80    ? sprintf(out, "%c", (int)code)
			       : code < 0x800 ? sprintf(out, "%c%c", (int)(0xc0 | code >> 6),
							(int)(0x80 | (code & 0x3f)))
					      : sprintf(out, "%c%c%c", (int)(0xe0 | code >> 12),
							(int)(0x80 | (code >> 6 & 0x3f)),
							(int)(0x80 | (code & 0x3f)));
			p += 4;
		} else {
			*out++ = *p;
		}
	}
	return (size_t)(out - ret);
}

static void test_json_reversible(void **state)
{
	uint8_t all[256 + sizeof(hostile)], back[4096];
	Hinomi__Event event = HINOMI__EVENT__INIT;
	Hinomi__Exec exec = HINOMI__EXEC__INIT;
	char parsed[4096], *line, *start;
	ssize_t size;
	struct fixture f;

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		all[i] = (uint8_t)(i + 1);
	memcpy(all + 256, hostile, sizeof(hostile));
	fixture_init(&f, NULL);
	event.body_case = HINOMI__EVENT__BODY_EXEC;
	event.exec = &exec;
	exec.cwd = (ProtobufCBinaryData){.data = all, .len = sizeof(all)};
	line = json_of(&f, &event);
	assert_json_line(line);
	start = strstr(line, "\"cwd\":\"");
	assert_non_null(start);
	size = (ssize_t)parse_string(start + strlen("\"cwd\":\""), parsed);
	size = unescape(parsed, (size_t)size, back);
	assert_int_equal(size, sizeof(all));
	assert_memory_equal(back, all, sizeof(all));
	free(line);
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_classes),	cmocka_unit_test(test_json_messages),
		cmocka_unit_test(test_json_values),	cmocka_unit_test(test_json_unknown_fields),
		cmocka_unit_test(test_json_reversible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
