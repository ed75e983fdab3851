/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "decode/metadata.h"
#include "decode/source.h"
#include "decode/tls.h"

#define RECORD_HEAD "\x16\x03\x01"
#define RANDOM	    "0123456789abcdef0123456789abcdef"
/* version, random, no session, one cipher, no compression */
#define HEAD	  "\x03\x03" RANDOM "\0\0\x02\x13\x01\x01\0"
#define NAME	  "\0\0\0\x13\0\x11\0\0\x0emarker.example"
#define PROTOCOLS "\0\x10\0\x11\0\x0f\x02\x2a\x2a\x02h2\x08http/1.1"
#define VERSIONS  "\0\x2b\0\x07\x06\x7a\x7a\x03\x04\x03\x03"
#define ENCRYPTED "\xfe\x0d\0\x04\0\0\0\0"

static struct arena arena;
static Hinomi__TlsHello hello;
static uint8_t bytes[1024];

/* One hello out of these extensions, in records of at most `record` bytes; its size. */
static size_t make(const char *extensions, size_t len, size_t record)
{
	uint8_t message[512];
	size_t body = sizeof(HEAD) - 1 + 2 + len, size = 4, out = 0;

	memcpy(message, (uint8_t[]){1, 0, (uint8_t)(body >> 8), (uint8_t)body}, 4);
	memcpy(message + size, HEAD, sizeof(HEAD) - 1);
	size += sizeof(HEAD) - 1;
	message[size++] = (uint8_t)(len >> 8);
	message[size++] = (uint8_t)len;
	memcpy(message + size, extensions, len);
	size += len;
	for (size_t at = 0; at < size; at += record) {
		size_t n = size - at < record ? size - at : record;

		memcpy(bytes + out, RECORD_HEAD, 3);
		bytes[out + 3] = (uint8_t)(n >> 8);
		bytes[out + 4] = (uint8_t)n;
		memcpy(bytes + out + 5, message + at, n);
		out += 5 + n;
	}
	return out;
}

/* From memory of exactly this size, so that a read behind it is seen. */
static void parse(size_t size)
{
	struct source source = {.arena = &arena};
	static uint8_t *copy;

	free(copy);
	copy = malloc(size ? size : 1);
	memcpy(copy, bytes, size);
	arena_reset(&arena);
	hinomi__tls_hello__init(&hello);
	tls_parse(&source, copy, size, &hello);
	assert_int_equal(source.error, 0);
}

#define EXTENSIONS NAME PROTOCOLS VERSIONS
#define assert_bytes(value, text)                                          \
	do {                                                               \
		assert_int_equal((value).len, sizeof(text) - 1);           \
		assert_memory_equal((value).data, text, sizeof(text) - 1); \
	} while (0)

static void whole_hello(void **state)
{
	size_t records[] = {4000, 100, 3, 1};

	(void)state;
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		parse(make(EXTENSIONS, sizeof(EXTENSIONS) - 1, records[i]));
		assert_false(hello.malformed || hello.incomplete || hello.encrypted);
		assert_bytes(hello.server_name, "marker.example");
		assert_int_equal(hello.n_protocols, 2);
		assert_bytes(hello.protocols[0], "h2");
		assert_bytes(hello.protocols[1], "http/1.1");
		assert_int_equal(hello.version, 0x0304);
		assert_int_equal(hello.size, sizeof(HEAD) - 1 + 2 + sizeof(EXTENSIONS) - 1);
	}
}

static void other_hellos(void **state)
{
	(void)state;
	parse(make(ENCRYPTED NAME, sizeof(ENCRYPTED NAME) - 1, 4000));
	assert_true(hello.encrypted);
	assert_int_equal(hello.version, 0x0303);
	parse(make("", 0, 4000));
	assert_false(hello.malformed || hello.server_name.len || hello.n_protocols);
}

/* Cut anywhere, it is incomplete and never wrong. */
static void cut_hello(void **state)
{
	size_t size = make(EXTENSIONS, sizeof(EXTENSIONS) - 1, 30);

	(void)state;
	for (size_t n = 0; n < size; n++) {
		parse(n);
		assert_true(hello.incomplete);
		assert_false(hello.malformed);
		assert_true(!hello.server_name.len || hello.server_name.len == 14);
	}
}

static void no_hello(void **state)
{
	size_t size = make(EXTENSIONS, sizeof(EXTENSIONS) - 1, 4000);

	(void)state;
	bytes[5] = 2; /* a server's */
	parse(size);
	assert_true(hello.malformed);
	bytes[5] = 1;
	bytes[0] = 23;
	parse(size);
	assert_true(hello.malformed);
	size = make(EXTENSIONS, sizeof(EXTENSIONS) - 1, 4000);
	bytes[5 + 4 + sizeof(HEAD) - 1 + 1]++; /* one more byte of extensions than there is */
	parse(size);
	assert_true(hello.malformed);
}

#define PATH(name)    HINOMI__METADATA_REQUEST__PATH_CLASS__PATH_##name
#define METHOD(name)  HINOMI__METADATA_REQUEST__METHOD__METHOD_##name
#define VERSION(name) HINOMI__METADATA_REQUEST__VERSION__VERSION_##name

static Hinomi__MetadataRequest ask(const char *text)
{
	Hinomi__MetadataRequest request = HINOMI__METADATA_REQUEST__INIT;
	size_t size = strlen(text);
	uint8_t *copy = malloc(size ? size : 1);

	memcpy(copy, text, size);
	metadata_parse(copy, size, &request);
	free(copy);
	return request;
}

static void requests(void **state)
{
	Hinomi__MetadataRequest r = ask("GET /latest/meta-data/iam/security-credentials/role "
					"HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n");

	(void)state;
	assert_int_equal(r.method, METHOD(GET));
	assert_int_equal(r.path, PATH(CREDENTIALS));
	assert_int_equal(r.version, VERSION(1));
	assert_false(r.incomplete || r.session_token || r.provider_header || r.forwarded);
	r = ask("PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: "
		"1\r\n\r\n");
	assert_int_equal(r.method, METHOD(PUT));
	assert_int_equal(r.path, PATH(TOKEN));
	assert_int_equal(r.version, VERSION(2));
	assert_false(r.session_token);
	r = ask("GET /latest/user-data HTTP/1.1\nx-AWS-ec2-metadata-TOKEN: secret\n"
		"X-Forwarded-For: 192.0.2.1\n\n");
	assert_int_equal(r.path, PATH(USER_DATA));
	assert_int_equal(r.version, VERSION(2));
	assert_true(r.session_token && r.forwarded);
	r = ask("GET /computeMetadata/v1/instance/service-accounts/default/token HTTP/1.1\r\n"
		"Metadata-Flavor: Google\r\n\r\n");
	assert_int_equal(r.path, PATH(CREDENTIALS));
	assert_int_equal(r.version, VERSION(UNSPECIFIED));
	assert_true(r.provider_header);
}

static void odd_requests(void **state)
{
	(void)state;
	assert_int_equal(
		ask("GET http://169.254.169.254//latest/%75ser%2Ddata HTTP/1.0\r\n\r\n").path,
		PATH(USER_DATA));
	assert_int_equal(
		ask("HEAD /LATEST/dynamic//Instance-Identity/document HTTP/1.0\r\n\r\n").path,
		PATH(IDENTITY));
	assert_int_equal(ask("POST /%zz% HTTP/1.0\r\n\r\n").path, PATH(OTHER));
	assert_int_equal(ask("GET /latest/meta-data/").path, PATH(OTHER));
	assert_true(ask("GET /latest/meta-data/").incomplete);
	assert_int_equal(ask("GET /latest/meta-data/").version, VERSION(UNSPECIFIED));
	assert_int_equal(ask("\x16\x03\x01").method, METHOD(UNSPECIFIED));
	assert_int_equal(ask("").method, METHOD(UNSPECIFIED));
	assert_true(ask("").incomplete);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_hello), cmocka_unit_test(other_hellos),
		cmocka_unit_test(cut_hello),   cmocka_unit_test(no_hello),
		cmocka_unit_test(requests),    cmocka_unit_test(odd_requests),
	};

	arena_init(&arena, 1 << 20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
