/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/escape.h"
#include "base/fdinfo.h"
#include "base/log.h"

static void crc32c_is_castagnoli(void **state)
{
	uint8_t bytes[64] = {0};

	(void)state;
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(0, "", 0), 0);
	assert_int_equal(crc32c(0, bytes, 32), 0x8a9136aa); /* RFC 3720, B.4 */
	memset(bytes, 0xff, 32);
	assert_int_equal(crc32c(0, bytes, 32), 0x62a8ab43);
}

static void crc32c_same_without_the_instruction(void **state)
{
	uint8_t bytes[300];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 131 + 7);
	for (size_t off = 0; off < 9; off++)
		for (size_t size = 0; size + off <= sizeof(bytes); size++) {
			uint32_t whole = crc32c(0, bytes + off, size);

			assert_int_equal(whole, crc32c_table(0, bytes + off, size));
			assert_int_equal(whole, crc32c(crc32c(0, bytes + off, size / 3),
						       bytes + off + size / 3, size - size / 3));
		}
}

static void arena_aligned_zeroed_limited(void **state)
{
	struct arena arena;
	char *p;

	(void)state;
	arena_init(&arena, 1 << 20);
	for (int round = 0; round < 3; round++) {
		for (size_t size = 0; size < 500; size++) {
			p = arena_alloc(&arena, size);
			assert_non_null(p);
			assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
			for (size_t i = 0; i < size; i++)
				assert_int_equal(p[i], 0);
			memset(p, 0xee, size);
		}
		p = arena_alloc(&arena, 300000);
		assert_non_null(p);
		assert_int_equal(p[299999], 0);
		memset(p, 0xee, 300000);
		assert_null(arena_alloc(&arena, 1 << 20));
		assert_null(arena_alloc(&arena, SIZE_MAX));
		arena_reset(&arena);
		assert_int_equal(arena.used, 0);
	}
	assert_non_null(arena_alloc(&arena, 1 << 20));
	assert_null(arena_alloc(&arena, 1));
	arena_done(&arena);
	arena_done(&arena);
}

static void arena_keeps_its_chunks(void **state)
{
	struct arena arena;
	void *first;

	(void)state;
	arena_init(&arena, 8 << 20);
	first = arena_alloc(&arena, 100);
	for (int round = 0; round < 50; round++) {
		arena_reset(&arena);
		assert_ptr_equal(arena_alloc(&arena, 100), first);
		for (int i = 0; i < 20; i++)
			assert_non_null(
				arena_alloc(&arena, (size_t)(round * 7919 + i * 104729) % 200000));
	}
	assert_memory_equal(arena_copy(&arena, "abc", 4), "abc", 4);
	assert_non_null(arena_copy(&arena, NULL, 0));
	arena_done(&arena);
}

static void clock_pair_is_of_one_moment(void **state)
{
	uint64_t boot = clock_boot_ns(), real = clock_real_ns();
	struct clock_pair pair = clock_pair_now();

	(void)state;
	assert_true(pair.boot_ns >= boot && pair.boot_ns <= clock_boot_ns());
	assert_true(pair.real_ns >= real && pair.real_ns < real + 60 * NS_PER_SEC);
}

typedef void (*escaper)(FILE *, const void *, size_t);

static char *escaped(escaper escape, const void *data, size_t size)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	escape(out, data, size);
	fclose(out);
	assert_int_equal(strlen(text), length);
	return text;
}

static void check_escape(escaper escape, const char *data, size_t size, const char *want)
{
	CLEANUP(free) char *text = escaped(escape, data, size);

	assert_string_equal(text, want);
}

#define TEXT(data, want) check_escape(escape_text, data, sizeof(data) - 1, want)
#define JSON(data, want) check_escape(escape_json, data, sizeof(data) - 1, want)

static void escape_shows_what_is_there(void **state)
{
	(void)state;
	TEXT("", "");
	TEXT("plain \"quoted\" \xe7\x81\xab \xf0\x9f\x94\xa5",
	     "plain \"quoted\" \xe7\x81\xab \xf0\x9f\x94\xa5");
	TEXT("a\nb\tc\033[31m\r\0\x7f", "a\\nb\\tc\\e[31m\\x0d\\x00\\x7f");
	TEXT("back\\slash", "back\\\\slash");
	TEXT("\xc2\x85 \xe2\x80\xae \xe2\x80\x8b \xf3\xa0\x81\x81",
	     "\\u{85} \\u{202e} \\u{200b} \\u{e0041}");
	JSON("say \"\\\"\n\t\x01\x7f", "say \\\"\\\\\\\\\\\"\\n\\t\\u0001\\u007f");
	JSON("\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\x81\xc3\xa9",
	     "\\u009b\\u202e\\udb40\\udc41\xc3\xa9");
}

static void escape_refuses_bad_utf8(void **state)
{
	(void)state;
	TEXT("\xc0\xaf", "\\xc0\\xaf"); /* overlong */
	TEXT("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
	TEXT("\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf");
	TEXT("\xed\xa0\x80", "\\xed\\xa0\\x80");	  /* surrogate */
	TEXT("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
	TEXT("\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80");
	TEXT("\x80\xff\xfe", "\\x80\\xff\\xfe");
	TEXT("\xe2\x80", "\\xe2\\x80"); /* cut */
	TEXT("\xe2"
	     "a",
	     "\\xe2"
	     "a");
	JSON("\xed\xb0\x80", "\\\\xed\\\\xb0\\\\x80");
	JSON("\\x41", "\\\\\\\\x41");
	TEXT("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
	     "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
}

/* What a JSON parser makes of the inside of a string; fails on what JSON forbids. */
static size_t json_decode(const char *text, char *out)
{
	char *start = out;

	while (*text) {
		unsigned c, low;

		assert_true((unsigned char)*text >= 0x20 && *text != '"');
		if (*text != '\\') {
			*out++ = *text++;
			continue;
		}
		text++;
		if (*text == 'u') {
			assert_int_equal(sscanf(text, "u%4x", &c), 1);
			text += 5;
			if (c >= 0xd800 && c < 0xdc00) {
				assert_int_equal(sscanf(text, "\\u%4x", &low), 1);
				assert_true(low >= 0xdc00 && low < 0xe000);
				c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
				text += 6;
			}
			if (c < 0x80) {
				*out++ = (char)c;
			} else if (c < 0x800) {
				*out++ = (char)(0xc0 | c >> 6);
				*out++ = (char)(0x80 | (c & 0x3f));
			} else if (c < 0x10000) {
				*out++ = (char)(0xe0 | c >> 12);
				*out++ = (char)(0x80 | (c >> 6 & 0x3f));
				*out++ = (char)(0x80 | (c & 0x3f));
			} else {
				*out++ = (char)(0xf0 | c >> 18);
				*out++ = (char)(0x80 | (c >> 12 & 0x3f));
				*out++ = (char)(0x80 | (c >> 6 & 0x3f));
				*out++ = (char)(0x80 | (c & 0x3f));
			}
			continue;
		}
		assert_non_null(strchr("\"\\nt", *text));
		*out++ = *text == 'n' ? '\n' : *text == 't' ? '\t' : *text;
		text++;
	}
	return (size_t)(out - start);
}

static void check_reversible(const uint8_t *bytes, size_t size)
{
	CLEANUP(free) char *text = escaped(escape_text, bytes, size);
	CLEANUP(free) char *json = escaped(escape_json, bytes, size);
	char utf8[4 * 64];
	size_t decoded;

	assert_int_equal(unescape(text, strlen(text), text), size);
	assert_memory_equal(text, bytes, size);
	decoded = json_decode(json, json);
	assert_int_equal(escape_utf8(bytes, size, utf8), decoded);
	assert_memory_equal(utf8, json, decoded);
	assert_true(is_utf8(utf8, decoded));
	assert_true(is_utf8(bytes, size) || memcmp(utf8, bytes, size));
	assert_int_equal(unescape(json, decoded, json), size);
	assert_memory_equal(json, bytes, size);
}

static void escape_is_reversible(void **state)
{
	uint8_t bytes[64];
	unsigned seed = 1;

	(void)state;
	for (unsigned lead = 0; lead < 256; lead++)
		for (unsigned i = 0; i < 0x10000; i += 37) {
			uint8_t four[] = {(uint8_t)lead, (uint8_t)(i >> 8), (uint8_t)i, 0x80};

			check_reversible(four, sizeof(four));
		}
	for (int round = 0; round < 5000; round++) {
		size_t size = (size_t)rand_r(&seed) % sizeof(bytes);

		for (size_t i = 0; i < size; i++)
			bytes[i] = rand_r(&seed) % 3 ? (uint8_t)rand_r(&seed)
						     : (uint8_t) "\\x4u{e}\"n"[rand_r(&seed) % 9];
		check_reversible(bytes, size);
	}
}

static void unescape_refuses_junk(void **state)
{
	static const char *const junk[] = {"\\",	   "a\\q",   "\\x4",   "\\xg0",
					   "\\u",	   "\\u{}",  "\\u{41", "\\u{110000}",
					   "\\u{0000041}", "\\u0041"};
	char out[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(junk); i++)
		assert_int_equal(unescape(junk[i], strlen(junk[i]), out), -EINVAL);
	assert_int_equal(unescape("\\\0", 2, out), -EINVAL);
}

/* what log_line wrote to stderr */
__attribute__((format(printf, 1, 0))) static char *logged(const char *format, const char *argument)
{
	static char text[8192];
	int pipe_fd[2], saved = dup(STDERR_FILENO);
	ssize_t size;

	assert_int_equal(pipe(pipe_fd), 0);
	dup2(pipe_fd[1], STDERR_FILENO);
	close(pipe_fd[1]);
	log_line(LOG_LEVEL_INFO, format, argument); /* NOLINT: the formats are ours */
	dup2(saved, STDERR_FILENO);
	close(saved);
	size = read(pipe_fd[0], text, sizeof(text) - 1);
	close(pipe_fd[0]);
	text[size > 0 ? size : 0] = 0;
	return text;
}

static void log_is_one_line(void **state)
{
	char longer[5000];

	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_init("test");
	assert_string_equal(logged("hello %s", "there"), "test: hello there\n");
	assert_string_equal(logged("hello %s", "two\nlines\033[m"), "test: hello two?lines?[m\n");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	assert_int_equal(strlen(logged("%s", longer)), 2048);
	log_set_level(LOG_LEVEL_WARNING);
	assert_string_equal(logged("quiet %s", ""), "");
	log_set_level(LOG_LEVEL_INFO);
}

/* Nobody reads a pipe that is full: lines are dropped and counted until somebody does. */
static void log_does_not_hang(void **state)
{
	static char filler[65536], text[8192];
	int pipe_fd[2], saved = dup(STDERR_FILENO);
	ssize_t size;

	(void)state;
	log_init("test");
	log_never_hang();
	assert_int_equal(pipe(pipe_fd), 0);
	assert_int_equal(fcntl(pipe_fd[1], F_SETPIPE_SZ, sizeof(filler)), sizeof(filler));
	assert_int_equal(write(pipe_fd[1], filler, sizeof(filler)), sizeof(filler));
	dup2(pipe_fd[1], STDERR_FILENO);
	alarm(10);
	for (int i = 0; i < 50; i++)
		log_info("%d", i);
	alarm(0);
	assert_int_equal(read(pipe_fd[0], filler, sizeof(filler)), sizeof(filler));
	log_info("again");
	log_info("and again");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipe_fd[1]);
	size = read(pipe_fd[0], text, sizeof(text) - 1);
	close(pipe_fd[0]);
	text[size > 0 ? size : 0] = 0;
	assert_string_equal(text, "test: 50 lines before this one were dropped: nobody read them\n"
				  "test: again\ntest: and again\n");
}

static void fdinfo_says_a_number(void **state)
{
	static const char text[] = "pos:\t0\nflags:\t02000002\nprog_type:\t26\nrun_cnt:\t7\n"
				   "recursion_misses:\t18446744073709551615\nbad:\tx\nlast:\t12";
	FILE *file = tmpfile();
	int zero = open("/dev/zero", O_RDONLY), own;
	uint64_t n = 1;

	(void)state;
	assert_non_null(file);
	assert_int_equal(write(fileno(file), text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(fdinfo_number(fileno(file), "recursion_misses", &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(fdinfo_number(fileno(file), "last", &n), 0);
	assert_int_equal(n, 12);
	assert_int_equal(fdinfo_number(fileno(file), "run", &n), -ENODATA);
	assert_int_equal(fdinfo_number(fileno(file), "misses", &n), -ENODATA);
	assert_int_equal(fdinfo_number(fileno(file), "bad", &n), -EBADMSG);
	assert_int_equal(fdinfo_number(-1, "last", &n), -EBADF);
	assert_int_equal(n, 12);
	assert_true(fdinfo_open(-1) < 0);

	own = fdinfo_open(zero);
	assert_int_equal(lseek(fileno(file), 5, SEEK_SET), 5);
	assert_true(own >= 0);
	assert_int_equal(fdinfo_number(own, "pos", &n), 0);
	assert_int_equal(fdinfo_number(own, "mnt_id", &n), 0); /* once more from its start */
	close(own);
	close(zero);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_is_castagnoli),
		cmocka_unit_test(crc32c_same_without_the_instruction),
		cmocka_unit_test(arena_aligned_zeroed_limited),
		cmocka_unit_test(arena_keeps_its_chunks),
		cmocka_unit_test(clock_pair_is_of_one_moment),
		cmocka_unit_test(escape_shows_what_is_there),
		cmocka_unit_test(escape_refuses_bad_utf8),
		cmocka_unit_test(escape_is_reversible),
		cmocka_unit_test(unescape_refuses_junk),
		cmocka_unit_test(log_is_one_line),
		cmocka_unit_test(log_does_not_hang),
		cmocka_unit_test(fdinfo_says_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
