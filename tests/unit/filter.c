/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "filter/filter.h"

#define BYTES(text)                                                \
	{                                                          \
		.len = sizeof(text) - 1, .data = (uint8_t *)(text) \
	}

static Hinomi__ProcessKey key, creator;
static Hinomi__Credentials cred;
static Hinomi__Process process;
static Hinomi__File file;
static Hinomi__Exec exec;
static Hinomi__FileOpen open_body;
static Hinomi__FileMode mode;
static Hinomi__Socket socket_body;
static Hinomi__Address peer;
static Hinomi__Event body;
static ProtobufCBinaryData args[3] = {BYTES("sh"), BYTES("-c"), BYTES("echo \"a, b\"")};

static struct event event_of(unsigned kind)
{
	hinomi__event__init(&body);
	body.body_case = (Hinomi__Event__BodyCase)kind;
	if (kind == KIND_exec)
		body.exec = &exec;
	else if (kind == KIND_connect || kind == KIND_bind)
		body.connect = &socket_body;
	else if (kind == KIND_file_mode)
		body.file_mode = &mode;
	else
		body.file_open = &open_body;
	return (struct event){.kind = kind, .body = &body, .process = &process};
}

static int setup(void **state)
{
	(void)state;
	hinomi__process_key__init(&key);
	hinomi__process_key__init(&creator);
	hinomi__credentials__init(&cred);
	hinomi__process__init(&process);
	hinomi__file__init(&file);
	hinomi__exec__init(&exec);
	hinomi__file_open__init(&open_body);
	hinomi__file_mode__init(&mode);
	hinomi__socket__init(&socket_body);
	hinomi__address__init(&peer);
	key.pid = 100;
	key.start_ns = UINT64_MAX;
	cred.euid = 1000;
	process.key = &key;
	process.credentials = &cred;
	process.comm = (ProtobufCBinaryData)BYTES("sh");
	process.executable = (ProtobufCBinaryData)BYTES("/usr/bin/sh");
	file.path = (ProtobufCBinaryData)BYTES("/usr/bin/sh");
	file.mode = 0100755;
	exec.file = open_body.file = mode.file = &file;
	exec.n_args = 3;
	exec.args = args;
	exec.hash_state = HINOMI__HASH_STATE__HASH_STATE_PENDING;
	exec.setid = true;
	peer.ip = (ProtobufCBinaryData)BYTES("\x0a\x01\x02\x03");
	peer.port = 443;
	socket_body.peer = &peer;
	return 0;
}

/* Whether one rule drops an event of this kind. */
static bool drops(unsigned kind, const char *rule)
{
	CLEANUP(filter_free) struct filter *filter = NULL;
	struct event event = event_of(kind);
	char error[512] = "";

	assert_int_equal(filter_new(&filter), 0);
	if (filter_add(filter, rule, error, sizeof(error)))
		fail_msg("%s: %s", rule, error);
	return !filter_keeps(filter, &event);
}

static void first_match_decides(void **state)
{
	CLEANUP(filter_free) struct filter *filter = NULL;
	struct event event = event_of(KIND_exec);
	char error[512];

	(void)state;
	assert_int_equal(filter_new(&filter), 0);
	assert_true(filter_keeps(filter, &event));
	assert_int_equal(filter_add(filter, "keep exec where process.comm = sh", error, 512), 0);
	assert_int_equal(filter_add(filter, "drop exec,fork", error, 512), 0);
	assert_int_equal(filter_add(filter, "keep *", error, 512), 0);
	assert_true(filter_keeps(filter, &event));
	process.comm = (ProtobufCBinaryData)BYTES("bash");
	assert_false(filter_keeps(filter, &event));
	event = event_of(KIND_file_open);
	assert_true(filter_keeps(filter, &event));
	setup(NULL);
}

static void sensor_events_are_kept(void **state)
{
	CLEANUP(filter_free) struct filter *filter = NULL;
	struct event event = event_of(KIND_exec);
	char error[512];

	(void)state;
	assert_int_equal(filter_new(&filter), 0);
	assert_int_equal(filter_add(filter, "drop *", error, 512), 0);
	assert_false(filter_keeps(filter, &event));
	for (unsigned kind = KIND_file_hash; kind <= KINDS_MAX; kind++) {
		if (kind_is_kernel(kind))
			continue;
		event.kind = kind;
		event.process = NULL;
		assert_true(filter_keeps(filter, &event));
	}
}

static void operators_on_bytes(void **state)
{
	(void)state;
	assert_true(drops(KIND_exec, "drop exec where process.executable = /usr/bin/sh"));
	assert_false(drops(KIND_exec, "drop exec where process.executable = /usr/bin/s"));
	assert_false(drops(KIND_exec, "drop exec where process.executable != /usr/bin/sh"));
	assert_true(drops(KIND_exec, "drop exec where process.executable ^= /usr/"));
	assert_false(drops(KIND_exec, "drop exec where process.executable ^= usr"));
	assert_true(drops(KIND_exec, "drop exec where process.executable$=/sh"));
	assert_false(drops(KIND_exec, "drop exec where process.executable $= /usr/bin/sh/longer"));
	assert_true(drops(KIND_exec, "drop exec where process.executable *= /bin/"));
	assert_false(drops(KIND_exec, "drop exec where process.executable *= /lib/"));
	assert_true(drops(KIND_exec, "drop exec where process.executable in /bin/a, /usr/bin/sh"));
	assert_false(drops(KIND_exec, "drop exec where process.executable in /bin/a,/bin/b"));
	assert_true(drops(KIND_exec, "drop exec where process.unit = \"\""));
	assert_true(drops(KIND_exec, "drop exec where process.unit ^= \"\""));
	assert_true(drops(KIND_exec, "drop exec where process.unit in \"\", a"));
}

static void quoting(void **state)
{
	(void)state;
	assert_true(drops(KIND_exec, "drop exec where exec.args = \"echo \\\"a, b\\\"\""));
	assert_true(drops(KIND_exec, "drop exec where exec.args in x , \"echo \\\"a, b\\\"\" ,y"));
	assert_true(drops(KIND_exec, "drop exec where process.comm = \"\\x73\\x68\""));
	assert_false(drops(KIND_exec, "drop exec where process.comm = \"sh\\0\""));
	assert_true(drops(KIND_exec, "\tdrop  exec ,fork\twhere process.comm=sh and tid=0 "));
}

static void lists_match_by_any_item(void **state)
{
	(void)state;
	assert_true(drops(KIND_exec, "drop exec where body.args = -c"));
	assert_true(drops(KIND_exec, "drop exec where body.args ^= echo"));
	assert_true(drops(KIND_exec, "drop exec where body.args in q, -c"));
	assert_false(drops(KIND_exec, "drop exec where body.args != -c"));
	assert_true(drops(KIND_exec, "drop exec where body.args != -x"));
	assert_false(drops(KIND_exec, "drop exec where process.ancestors = bash"));
}

static void numbers(void **state)
{
	(void)state;
	assert_true(drops(KIND_exec, "drop exec where process.credentials.euid = 1000"));
	assert_true(drops(KIND_exec, "drop exec where process.credentials.euid = 0x3e8"));
	assert_true(drops(KIND_exec, "drop exec where process.credentials.euid > 999"));
	assert_false(drops(KIND_exec, "drop exec where process.credentials.euid > 1000"));
	assert_true(drops(KIND_exec, "drop exec where process.credentials.euid < 1001"));
	assert_true(drops(KIND_exec, "drop exec where process.credentials.euid in 0,1000, 2"));
	assert_false(drops(KIND_exec, "drop exec where process.credentials.euid in 0,10000"));
	assert_true(drops(KIND_file_open, "drop * where body.file.mode = 0100755"));
	assert_true(drops(KIND_exec, "drop * where process.key.start_ns > 18446744073709551614"));
	body.result = -13;
	assert_true(drops(KIND_exec, "drop exec where result = 0"));
	assert_true(drops(KIND_exec, "drop exec where result > -1"));
	assert_false(drops(KIND_exec, "drop exec where result < -1"));
	assert_true(drops(KIND_exec, "drop exec where result in -13, 0"));
}

static void negative_numbers(void **state)
{
	CLEANUP(filter_free) struct filter *filter = NULL;
	struct event event = event_of(KIND_exec);
	char error[512];

	(void)state;
	assert_int_equal(filter_new(&filter), 0);
	assert_int_equal(filter_add(filter, "drop exec where result = -13", error, 512), 0);
	assert_int_equal(filter_add(filter, "drop exec where result < -2147483647", error, 512), 0);
	assert_true(filter_keeps(filter, &event));
	event.body->result = -13;
	assert_false(filter_keeps(filter, &event));
	event.body->result = INT32_MIN;
	assert_false(filter_keeps(filter, &event));
}

static void booleans_and_enums(void **state)
{
	(void)state;
	assert_true(drops(KIND_exec, "drop exec where exec.setid = true"));
	assert_true(drops(KIND_exec, "drop exec where exec.setid != false"));
	assert_true(drops(KIND_exec, "drop exec where exec.hash_state = HASH_STATE_PENDING"));
	assert_true(drops(KIND_exec, "drop exec where exec.hash_state in known, pending"));
	assert_false(drops(KIND_exec, "drop exec where exec.hash_state = gone"));
	assert_true(drops(KIND_exec, "drop * where lane = keep"));
}

static void addresses_and_networks(void **state)
{
	(void)state;
	assert_true(drops(KIND_connect, "drop connect where connect.peer.ip = 10.1.2.3"));
	assert_false(drops(KIND_connect, "drop connect where connect.peer.ip = 10.1.2.4"));
	assert_true(drops(KIND_connect, "drop connect where body.peer.ip in 10.0.0.0/8, ::1"));
	assert_true(
		drops(KIND_connect, "drop connect where body.peer.ip in 192.0.2.1,10.1.2.0/25"));
	assert_false(drops(KIND_connect, "drop connect where body.peer.ip = 10.1.2.128/25"));
	assert_true(drops(KIND_connect, "drop connect where body.peer.ip = 0.0.0.0/0"));
	assert_false(drops(KIND_connect, "drop connect where body.peer.ip = ::/0"));
	assert_true(drops(KIND_connect, "drop connect where body.peer.ip != 2001:db8::/32"));
	peer.ip = (ProtobufCBinaryData)BYTES("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
	assert_true(drops(KIND_connect, "drop connect where body.peer.ip = 2001:db8::/32"));
	assert_true(drops(KIND_connect, "drop connect where body.peer.ip = 2001:db8::1/128"));
	assert_false(drops(KIND_connect, "drop connect where body.peer.ip = 2001:db9::/32"));
	peer.ip.len = 0;
	assert_false(drops(KIND_connect, "drop connect where body.peer.ip = ::/0"));
	setup(NULL);
}

static void what_is_absent(void **state)
{
	(void)state;
	assert_false(drops(KIND_exec, "drop exec where process.creator.pid = 0"));
	assert_false(drops(KIND_exec, "drop exec where process.creator.pid < 9"));
	assert_true(drops(KIND_exec, "drop exec where process.creator.pid != 0"));
	assert_false(drops(KIND_connect, "drop connect where body.local.port in 0,1"));
	process.creator = &creator;
	assert_true(drops(KIND_exec, "drop exec where process.creator.pid = 0"));
	setup(NULL);
	/* the same rule, a class without the field */
	assert_true(drops(KIND_file_mode, "drop * where body.old_known = false"));
	assert_false(drops(KIND_exec, "drop * where body.old_known = false"));
	assert_false(drops(KIND_exec, "drop * where body.old_known != true"));
	assert_false(drops(KIND_file_open, "drop file_mode,file_open where file_mode.mode = 0"));
	assert_true(drops(KIND_file_mode, "drop file_mode,file_open where file_mode.mode = 0"));
}

static void digests_are_hexadecimal(void **state)
{
	static uint8_t digest[32] = {[0] = 0xAB, [31] = 1};

	(void)state;
	assert_true(drops(KIND_exec, "drop exec where exec.sha256 = \"\""));
	exec.sha256 = (ProtobufCBinaryData){.len = 32, .data = digest};
	assert_true(drops(KIND_exec,
			  "drop exec where exec.sha256 in "
			  "ab00000000000000000000000000000000000000000000000000000000000001, "
			  "AB00000000000000000000000000000000000000000000000000000000000000"));
	setup(NULL);
}

static void long_lists_are_looked_up(void **state)
{
	CLEANUP(filter_free) struct filter *filter = NULL;
	CLEANUP(free) char *rule = NULL;
	size_t size;
	FILE *out = open_memstream(&rule, &size);
	struct event event = event_of(KIND_exec);
	char error[512];

	(void)state;
	fputs("drop * where process.executable in ", out);
	for (int i = 0; i < 100000; i++)
		fprintf(out, "/opt/application/bin/program-%d,", i);
	fputs("/usr/bin/sh and process.key.pid in 0", out);
	for (int i = 1; i < 1000; i++)
		fprintf(out, ",%d", 1000 * i + 100);
	fputs(",100", out);
	fclose(out);
	assert_int_equal(filter_new(&filter), 0);
	assert_int_equal(filter_add(filter, rule, error, 512), 0);
	for (int i = 0; i < 100000; i++) /* a scan of the list would take minutes */
		assert_false(filter_keeps(filter, &event));
	key.pid = 99;
	assert_true(filter_keeps(filter, &event));
	setup(NULL);
	process.executable = (ProtobufCBinaryData)BYTES("/opt/application/bin/program-99999");
	assert_false(filter_keeps(filter, &event));
	process.executable.len++;
	assert_true(filter_keeps(filter, &event));
	setup(NULL);
}

static const struct {
	const char *rule, *part;
} wrong[] = {
	{"", "begins with `drop` or `keep`, not ``"},
	{"dorp exec", "begins with `drop` or `keep`, not `dorp`"},
	{"drop", "no class ``"},
	{"drop file_opne", "no class `file_opne`; there is file_open, file_owner, and * for all"},
	{"drop exec,", "no class ``"},
	{"drop exec, heartbeat", "`heartbeat` comes from the sensor itself"},
	{"drop exec when x = 1",
	 "behind the classes comes `where` or the end of the rule, not `when`"},
	{"drop exec where", "a test is FIELD OP VALUE"},
	{"drop exec where tid", "behind `tid` comes one of = != < > ^= $= *= in, not ``"},
	{"drop exec where tid == 1", "not `==`"},
	{"drop exec where tid <= 1", "not `<=`"},
	{"drop exec where tid inside 1", "not `inside`"},
	{"drop exec where tid =", "a value is missing; an empty one is \"\""},
	{"drop exec where tid in 1,,2", "a value is missing"},
	{"drop exec where tid = 1 tid = 2",
	 "behind a test comes `and` or the end of the rule, not `tid`"},
	{"drop exec where tid = 1 and", "a test is FIELD OP VALUE"},
	{"drop exec where process.comm = \"sh", "ends with \" as well"},
	{"drop exec where process.comm = \"\\q\"", "`\\q` is no escape"},
	{"drop exec where process.comm = \"\\x4\"", "`\\x` is no escape"},
	{"drop exec where process.comm = \"\\", "`\\` is no escape"},
	{"drop exec where process.comm = a\"b", "is written \"...\""},
	{"drop exec where process.executabel = x", "in place of `executabel`: executable"},
	{"drop exec where procss.comm = x", "in place of `procss`: process"},
	{"drop * where body.fiel.path = x", "in place of `fiel`: file"},
	{"drop * where body.file.pth = x", "in place of `pth`: path"},
	{"drop exec where exec.zzzzzz = x", "in place of `zzzzzz`: file, filename, interpreter"},
	{"drop exec where file_open.flags = 1", "the rule is not about the class"},
	{"drop exec where process.credentials = 1",
	 "is made of fields; name one of them: uid, gid"},
	{"drop exec where process = 1", "is made of fields"},
	{"drop exec where body = 1", "is made of fields"},
	{"drop exec where process.comm.x = 1", "`process.comm` has no fields; it ends before `.x`"},
	{"drop exec where process.comm < 1",
	 "is text, which has no `<`; use one of = != ^= $= *= in"},
	{"drop exec where tid ^= 1", "is a number, which has no `^=`; use one of = != < > in"},
	{"drop exec where exec.setid > 1", "is true or false, which has no `>`"},
	{"drop exec where exec.setid = yes", "`setid` is `true` or `false`, not `yes`"},
	{"drop exec where lane = bulky", "`lane` is never `bulky`; there is"},
	{"drop exec where tid = -1", "a whole number from 0"},
	{"drop exec where tid = 08", "a whole number from 0"},
	{"drop exec where tid = 0x", "a whole number from 0"},
	{"drop exec where tid = 4294967296", "too large for `tid`, which ends at 4294967295"},
	{"drop exec where seq = 18446744073709551616", "which ends at 18446744073709551615"},
	{"drop exec where result = 2147483648", "-2147483648 to 2147483647"},
	{"drop exec where result = -2147483649", "-2147483648 to 2147483647"},
	{"drop exec where result = --1", "a whole number (-13, 17, 0x11)"},
	{"drop connect where body.peer.ip = 10.1", "`10.1` is no address; write 192.0.2.1"},
	{"drop connect where body.peer.ip = 10.0.0.0/33", "is no address"},
	{"drop connect where body.peer.ip ^= 10.0.0.0", "is an address, which has no `^=`"},
	{"drop exec where exec.sha256 = abc", "64 hexadecimal digits"},
};

static void errors_say_what_would_be_right(void **state)
{
	CLEANUP(filter_free) struct filter *filter = NULL;
	struct event event = event_of(KIND_exec);
	char error[512];

	(void)state;
	assert_int_equal(filter_new(&filter), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		strcpy(error, "no error");
		if (filter_add(filter, wrong[i].rule, error, sizeof(error)) != -EINVAL ||
		    !strstr(error, wrong[i].part))
			fail_msg("%s\n gave: %s\n want: %s", wrong[i].rule, error, wrong[i].part);
		filter_add(filter, wrong[i].rule, error, 8); /* cut, not overrun */
		assert_true(strlen(error) < 8);
	}
	assert_true(filter_keeps(filter, &event)); /* none of them is in force */
}

static void limits(void **state)
{
	CLEANUP(filter_free) struct filter *filter = NULL;
	char rule[2048] = "drop exec where tid = 1", error[512];
	int n = 0, r;

	(void)state;
	assert_int_equal(filter_new(&filter), 0);
	for (int i = 1; i < 32; i++)
		strcat(rule, " and tid = 1");
	assert_int_equal(filter_add(filter, rule, error, 512), 0);
	strcat(rule, " and tid = 1");
	assert_int_equal(filter_add(filter, rule, error, 512), -EINVAL);
	assert_string_equal(error, "a rule has at most 32 tests");
	do
		r = filter_add(filter, "drop exec where tid = 1", error, 512);
	while (!r && ++n < 10000);
	assert_int_equal(r, -EINVAL);
	assert_int_equal(n, 4095);
	assert_non_null(strstr(error, "at most 4096 rules"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_match_decides),
		cmocka_unit_test(sensor_events_are_kept),
		cmocka_unit_test(operators_on_bytes),
		cmocka_unit_test(quoting),
		cmocka_unit_test(lists_match_by_any_item),
		cmocka_unit_test(numbers),
		cmocka_unit_test(negative_numbers),
		cmocka_unit_test(booleans_and_enums),
		cmocka_unit_test(addresses_and_networks),
		cmocka_unit_test(what_is_absent),
		cmocka_unit_test(digests_are_hexadecimal),
		cmocka_unit_test(long_lists_are_looked_up),
		cmocka_unit_test(errors_say_what_would_be_right),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
