// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char dir[] = "/tmp/hinomi-config-XXXXXX";
static char error[CONFIG_ERROR_MAX];

static const char *write_file(const char *name, const char *text, size_t size)
{
	static char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s%s%s", dir, *name == '/' ? "" : "/", name);
	for (char *slash = strchr(path + strlen(dir) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	fclose(file);
	return path;
}

static struct config *load(const char *text)
{
	struct config *config = NULL;
	int r = config_load(write_file("one.conf", text, strlen(text)), &config, error);

	if (r)
		fail_msg("%d: %s", r, error);
	return config;
}

/* what an operator is told about a text, without the directory */
static const char *mistake(const char *text, size_t size)
{
	struct config *config = (void *)1;
	const char *path = write_file("one.conf", text, size);

	assert_int_equal(config_load(path, &config, error), -EINVAL);
	assert_ptr_equal(config, (void *)1);
	assert_int_equal(strncmp(error, path, strlen(path)), 0);
	return error + strlen(dir) + 1;
}

static void expect_mistake(const char *text, const char *expected)
{
	const char *got = mistake(text, strlen(text));

	if (strncmp(got, expected, strlen(expected)))
		fail_msg("for: %s\ngot: %s\nnot: %s", text, got, expected);
}

static void defaults(void **state)
{
	struct config *config = load("");

	(void)state;
	assert_string_equal(config->spool, "/var/lib/hinomi/spool");
	assert_int_equal(config->spool_limit_bytes, 1 << 30);
	assert_int_equal(config->ring_keep_bytes, 4 << 20);
	assert_int_equal(config->ring_bulk_bytes, 16 << 20);
	assert_null(config->cgroup);
	assert_int_equal(config->nclasses_off, 0);
	assert_true(config_class_is_off(config, "file_close"));
	assert_true(config->nwatch > 20);
	assert_string_equal(config->watch[0], "/etc/shadow");
	assert_int_equal(config->hash_file_max_bytes, 64 << 20);
	assert_int_equal(config->heartbeat_ms, 5000);
	assert_string_equal(config->reader_group, "hinomi-forward");
	assert_int_equal(config->nsinks, 0);
	config_free(config);
}

static void every_key(void **state)
{
	struct config *config =
		load("# a comment\n; another\r\n\n[sensor]\n"
		     "spool=/a b/c;d#e\nspool_limit = 2G\n ring_keep\t= 512K \n"
		     "ring_bulk = 1048576\ncgroup = /sys/fs/cgroup/x\n"
		     "classes_off = file_open, fork,bind\nclasses_on = file_close\n"
		     "hash_file_max = 0\n"
		     "watch =\nwatch = /a b/\nwatch = /x/*.key\nwatch = /a b\n"
		     "heartbeat = 250ms\nreader_group =\n"
		     "[filter]\nrule = drop exec where process.comm = a=b ; c\n"
		     "rule = keep *\n[resource]\ncloud.region = 東京\n"
		     "[ sink\tsoc ]\ntype = otlp\nurl = https://[::1]:4318/v1/logs\n"
		     "ca_file = ca\ncert_file = /c.pem\nkey_file = /k.pem\n"
		     "header = Authorization: @token\nheader = x-scope: 1\n"
		     "batch_events = 7\nbatch_size = 128K\ntimeout = 2s\ngzip = off\n"
		     "event_name_attribute = false\n");
	struct config_sink *sink = config->sinks;

	(void)state;
	assert_string_equal(config->spool, "/a b/c;d#e");
	assert_int_equal(config->spool_limit_bytes, 2ULL << 30);
	assert_int_equal(config->ring_keep_bytes, 512 << 10);
	assert_int_equal(config->ring_bulk_bytes, 1 << 20);
	assert_string_equal(config->cgroup, "/sys/fs/cgroup/x");
	assert_int_equal(config->nclasses_off, 3);
	assert_string_equal(config->classes_off[1], "fork");
	assert_true(config_class_is_off(config, "fork"));
	assert_false(config_class_is_off(config, "exec"));
	assert_false(config_class_is_off(config, "file_close"));
	assert_int_equal(config->nclasses_on, 1);
	assert_string_equal(config->classes_on[0], "file_close");
	assert_int_equal(config->nwatch, 2);
	assert_string_equal(config->watch[0], "/a b");
	assert_string_equal(config->watch[1], "/x/*.key");
	assert_int_equal(config->hash_file_max_bytes, 0);
	assert_int_equal(config->heartbeat_ms, 250);
	assert_null(config->reader_group);
	assert_int_equal(config->nrules, 2);
	assert_string_equal(config->rules[0].text, "drop exec where process.comm = a=b ; c");
	assert_int_equal(config->rules[1].line, 21);
	assert_string_equal(config->labels[0].key, "cloud.region");
	assert_string_equal(config->labels[0].value, "東京");
	assert_int_equal(config->nsinks, 1);
	assert_string_equal(sink->name, "soc");
	assert_string_equal(sink->url, "https://[::1]:4318/v1/logs");
	assert_int_equal(sink->nheaders, 2);
	assert_string_equal(sink->headers[0], "Authorization: @token");
	assert_null(sink->headers[2]);
	assert_int_equal(sink->batch_events, 7);
	assert_int_equal(sink->batch_bytes, 128 << 10);
	assert_int_equal(sink->timeout_ms, 2000);
	assert_false(sink->gzip);
	assert_false(sink->event_name_attribute);
	assert_int_equal(sink->line, 24);
	config_free(config);
}

static const struct {
	const char *text, *expected;
} cases[] = {
	{"[sensor]\nspol = /x\n", "one.conf:2: [sensor] has no key spol; is spool meant?"},
	{"[sensor]\nspool_limit_bytes = 1G\n",
	 "one.conf:2: [sensor] has no key spool_limit_bytes; is spool_limit meant?"},
	{"[sensor]\nzzz = 1\n", "one.conf:2: [sensor] has no key zzz; hinomi.conf(5)"},
	{"[sensor]\nrule = drop exec\n",
	 "one.conf:2: [sensor] has no key rule; it belongs into [filter]"},
	{"[senser]\n", "one.conf:1: there is no section [senser]; is [sensor] meant?"},
	{"[xyz]\n", "one.conf:1: there is no section [xyz]; there are [sensor],"},
	{"[sensor\n", "one.conf:1: a section is a name in brackets"},
	{"[sensor] # x\n", "one.conf:1: a section is a name in brackets"},
	{"spool = /x\n", "one.conf:1: spool stands before any section"},
	{"[sensor]\nspool\n", "one.conf:2: spool is neither [SECTION], nor KEY = VALUE"},
	{"[sensor]\nspool = \"/x\"\n", "one.conf:2: spool = \"/x\" is no absolute path"},
	{"[sensor]\nspool =\n", "one.conf:2: spool has no value; the default is /var"},
	{"[sensor]\nspool_limit = 1G # much\n",
	 "one.conf:2: spool_limit = 1G # much is not a size: a whole number of bytes"},
	{"[sensor]\nspool_limit = 1k\n", "one.conf:2: spool_limit = 1k is not a size"},
	{"[sensor]\nspool_limit = -1\n", "one.conf:2: spool_limit = -1 is not a size"},
	{"[sensor]\nspool_limit = 1K\n",
	 "one.conf:2: spool_limit = 1K is out of range; it may be 16M to 1024G"},
	{"[sensor]\nspool_limit = 99999999999999999999G\n",
	 "one.conf:2: spool_limit = 99999999999999999999G is out of range"},
	{"[sensor]\nspool_limit = 18446744073709551615G\n",
	 "one.conf:2: spool_limit = 18446744073709551615G is out of range"},
	{"[sensor]\nring_bulk = 5M\n",
	 "one.conf:2: ring_bulk = 5M is no power of two; the nearest are 4M and 8M"},
	{"[sensor]\nheartbeat = 5\n",
	 "one.conf:2: heartbeat = 5 is not a duration: a whole number with ms or s "
	 "behind it, such as 5s"},
	{"[sensor]\nheartbeat = 1ms\n",
	 "one.conf:2: heartbeat = 1ms is out of range; it may be 100ms to 5s"},
	{"[sensor]\nclasses_off = fork, file_opn\n",
	 "one.conf:2: classes_off: there is no class file_opn; is file_open meant?"},
	{"[sensor]\nwatch = etc/shadow\n", "one.conf:2: watch = etc/shadow is no absolute path"},
	{"[sensor]\nwatch = //\n", "one.conf:2: watch = / would watch every file there is"},
	{"[sensor]\nwatch = /a/../b\n", "one.conf:2: watch = /a/../b is not in its shortest form"},
	{"[sensor]\nclasses_off = heartbeat\n",
	 "one.conf:2: classes_off: there is no class heartbeat that can be switched off"},
	{"[sensor]\nreader_group = a b\n", "one.conf:2: reader_group = a b cannot be"},
	{"[sensor]\nspool = /a\n\nspool = /b\n",
	 "one.conf:4: spool was set in line 2 already; keep one of them"},
	{"[resource]\na = 1\na = 2\n", "one.conf:3: a was set in line 2 already"},
	{"[resource]\nCloud = 1\n", "one.conf:2: a label's name is made of small"},
	{"[filter]\nrule =\n", "one.conf:2: rule has no value"},
	{"[sink]\n", "one.conf:1: a sink's name is made of"},
	{"[sink ../x]\n", "one.conf:1: a sink's name is made of"},
	{"\n[sink a]\n", "one.conf:2: [sink a] has no type"},
	{"[sink a]\ntype = kafka\n",
	 "one.conf:2: type = kafka is not known; it may be otlp or collector"},
	{"[sink a]\ntype = otlp\n", "one.conf:1: [sink a] has no url"},
	{"[sink a]\ngzip = maybe\n", "one.conf:2: gzip = maybe is neither yes nor no"},
	{"[sink a]\nheader = X-Api-Key: 123\n",
	 "one.conf:2: header X-Api-Key carries a secret, which must not stand here"},
	{"[sink a]\nheader = a b: c\n", "one.conf:2: header is not of the form"},
	{"[sink a]\nheader = a:\n", "one.conf:2: header a has no value"},
	{"[sink a]\nheader = a: b\nheader = A: c\n", "one.conf:3: header A is set already"},
	{"[sink a]\nheader = content-type: x\n", "one.conf:2: header content-type is made"},
	{"[sensor]\nspool = /\xff\n", "one.conf:2: byte 0xff in column 10 is neither text"},
	{"[sensor]\nspool = /\x1b[31m\n", "one.conf:2: byte 0x1b in column 10"},
	{"[sensor]\nspool = /\xc2\x9b\n", "one.conf:2: byte 0xc2 in column 10"},
};

static void mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_mistake(cases[i].text, cases[i].expected);
	assert_non_null(
		strstr(mistake("[sensor]\nspool = /a\0b\n", 21), ":2: byte 0x00 in column 11"));
}

static void sink_urls(void **state)
{
	static const char *const right[] = {
		"otlp http://localhost:4318/v1/logs",
		"otlp https://logs.example/x?y",
		"collector https://soc.example:4319",
		"collector http://[::1]:1",
	};
	static const char *const wrong[][2] = {
		{"otlp ftp://x/", "begins with neither"},
		{"otlp http:///v1/logs", "names no host"},
		{"otlp http://[x]/v1", "names no host"},
		{"otlp http://h:0/v1", "has no port"},
		{"otlp http://h:65536/v1", "has no port"},
		{"otlp http://h:1x/v1", "has something other"},
		{"otlp http://h:4318", "has no path"},
		{"otlp http://u:p@h:4318/", "has a user in it"},
		{"otlp http://h/a b", "has a space"},
		{"collector https://h", "names no port"},
		{"collector https://h:1/", "has a path"},
	};
	char text[256], type[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
		sscanf(right[i], "%15s", type);
		snprintf(text, sizeof(text), "[sink a]\ntype = %s\nurl = %s\n", type,
			 strchr(right[i], ' ') + 1);
		config_free(load(text));
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		sscanf(wrong[i][0], "%15s", type);
		snprintf(text, sizeof(text), "[sink a]\nurl = %s\ntype = %s\n",
			 strchr(wrong[i][0], ' ') + 1, type);
		if (!strstr(mistake(text, strlen(text)), wrong[i][1]))
			fail_msg("%s: %s", text, error);
	}
	expect_mistake("[sink a]\ntype = otlp\nurl = https://h/v1\ncert_file = /c\n",
		       "one.conf:1: [sink a] has cert_file without key_file");
	expect_mistake("[sink a]\ntype = otlp\nurl = http://h/v1\nca_file = /c\n",
		       "one.conf:1: [sink a] has ca_file, but its url is not https://");
}

/* Lines of any length up to the limit arrive whole, one byte more is refused. */
static void long_lines(void **state)
{
	char text[9000], section[200];
	struct config *config;

	(void)state;
	for (size_t size = 150; size <= 8192; size = size == 200 ? 8190 : size + 1) {
		size_t head = sprintf(text, "[filter]\n");

		memset(text + head, 'x', size);
		memcpy(text + head, "rule = ", 7);
		strcpy(text + head + size, "\n");
		config = load(text);
		assert_int_equal(config->nrules, 1);
		assert_int_equal(strlen(config->rules[0].text), size - 7);
		config_free(config);
		strcpy(text + head + size, "x\n");
	}
	expect_mistake(text, "one.conf:2: the line is longer than 8192 bytes");
	memset(section, 'n', sizeof(section));
	strcpy(section + 190, "]\n");
	memcpy(section, "[sink ", 6);
	expect_mistake(section, "one.conf:1: a sink's name is made of");
}

static char *dump(const struct config *config)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	config_dump(config, out);
	fclose(out);
	return text;
}

static void dump_is_configuration(void **state)
{
	static const char text[] =
		"[sensor]\nspool_limit = 1536M\nheartbeat = 1500ms\n"
		"classes_off = fork,exit\nreader_group =\nwatch = /srv/x\n[filter]\n"
		"rule = drop exec\n[resource]\na.b = c d\n[sink x]\n"
		"type = collector\nurl = http://h:1\nheader = Authorization: @/t\n"
		"[sink y]\ntype = otlp\nurl = http://h/l\ngzip = no\n";
	struct config *config = load(text), *again;
	char *first = dump(config), *second;

	(void)state;
	assert_non_null(strstr(first, "spool_limit = 1536M\n"));
	assert_non_null(strstr(first, "heartbeat = 1500ms\n"));
	assert_non_null(strstr(first, "header = Authorization: @/t\n"));
	again = load(first);
	second = dump(again);
	assert_string_equal(first, second);
	assert_memory_equal(config->sha256, again->sha256, 32);
	free(first);
	free(second);
	config_free(again);
	again = load("");
	assert_memory_not_equal(config->sha256, again->sha256, 32);
	config_free(again);
	config_free(config);
}

static void put(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

static void search_order(void **state)
{
	struct config *config = NULL;
	char root[64];

	(void)state;
	snprintf(root, sizeof(root), "%s/root", dir);
	assert_int_equal(config_load_root(root, &config, error), 0);
	config_free(config);
	put("root" PREFIX "/lib/hinomi/hinomi.conf", "[sensor]\nspool = /1\nheartbeat = 1s\n");
	put("root/etc/hinomi/hinomi.conf",
	    "[sensor]\nspool = /2\ncgroup = /c\n[filter]\nrule = a\n");
	put("root" PREFIX "/lib/hinomi/hinomi.conf.d/20-x.conf", "[sensor]\nheartbeat = 9s\n");
	put("root/etc/hinomi/hinomi.conf.d/20-x.conf", "[sensor]\nheartbeat = 2s\n[sink a]\n");
	put("root/run/hinomi/hinomi.conf.d/10-y.conf",
	    "[sensor]\nheartbeat = 3s\ncgroup =\n[filter]\nrule = b\n[sink a]\ntype = collector\n"
	    "url = http://h:1\nheader = x: y\n[resource]\nk = 1\n");
	put("root/etc/hinomi/hinomi.conf.d/30-z.conf",
	    "[sink a]\nheader = z: y\nurl = http://h:2\n[sink b]\n"
	    "type=collector\nurl=http://h:3\n[resource]\nk = 2\n");
	put("root/etc/hinomi/hinomi.conf.d/README", "not read\n");
	put("root/etc/hinomi/hinomi.conf.d/.hidden.conf", "not read\n");
	if (config_load_root(root, &config, error))
		fail_msg("%s", error);
	assert_string_equal(config->spool, "/2");
	assert_int_equal(config->heartbeat_ms, 2000);
	assert_null(config->cgroup);
	assert_int_equal(config->nrules, 2);
	assert_string_equal(config->rules[1].text, "b");
	assert_int_equal(config->nsinks, 2);
	assert_string_equal(config->sinks[0].url, "http://h:2");
	assert_int_equal(config->sinks[0].nheaders, 2);
	assert_int_equal(config->nlabels, 1);
	assert_string_equal(config->labels[0].value, "2");
	config_free(config);
}

static void no_such_file(void **state)
{
	struct config *config = NULL;

	(void)state;
	assert_int_equal(config_load("/nonexistent/x.conf", &config, error), -ENOENT);
	assert_non_null(strstr(error, "/nonexistent/x.conf: cannot read: No such file"));
	assert_int_equal(config_load("/tmp", &config, error), -EISDIR);
	assert_null(config);
}

static struct config *with_header(const char *file)
{
	char text[300];

	snprintf(text, sizeof(text),
		 "[sink a]\ntype = otlp\nurl = https://h/l\nheader = Authorization: @%s\n", file);
	return load(text);
}

static int read_back(const char *file)
{
	struct config *config = with_header(file);
	int r = config_read_credentials(config, error);

	if (!r) {
		assert_string_equal(config->sinks[0].headers[0], "Authorization: Bearer 123");
		assert_null(config->sinks[0].headers[1]);
	}
	config_free(config);
	return r;
}

static void credentials(void **state)
{
	char path[256];

	(void)state;
	strcpy(path, write_file("token", "Bearer 123\n", 11));
	assert_int_equal(read_back(path), 0);
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(read_back("token"), -ENOENT);
	assert_non_null(strstr(error,
			       "one.conf:1: [sink a] header Authorization: token is a relative "
			       "name"));
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	assert_int_equal(read_back("token"), 0);
	assert_int_equal(read_back("../token"), -EINVAL);
	assert_int_equal(read_back("absent"), -ENOENT);
	assert_non_null(strstr(error, "absent is not there; put it there, or add LoadCredential="));
	write_file("token", "Bearer 123\nX-Evil: 1\n", 21);
	assert_int_equal(read_back("token"), -EINVAL);
	assert_null(strstr(error, "Evil"));
	write_file("token", "\n \n", 3);
	assert_int_equal(read_back("token"), -EINVAL);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void credential_files(void **state)
{
	struct config *config =
		load("[sink a]\ntype = otlp\nurl = https://h/l\nca_file = ca.pem\n");
	char path[256];

	(void)state;
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	assert_int_equal(config_read_credentials(config, error), -ENOENT);
	strcpy(path, write_file("ca.pem", "", 0));
	assert_int_equal(config_read_credentials(config, error), -EINVAL);
	write_file("ca.pem", "pem", 3);
	assert_int_equal(config_read_credentials(config, error), 0);
	assert_string_equal(config->sinks[0].ca_file, path);
	unsetenv("CREDENTIALS_DIRECTORY");
	config_free(config);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),	cmocka_unit_test(every_key),
		cmocka_unit_test(mistakes),	cmocka_unit_test(sink_urls),
		cmocka_unit_test(long_lines),	cmocka_unit_test(dump_is_configuration),
		cmocka_unit_test(search_order), cmocka_unit_test(no_such_file),
		cmocka_unit_test(credentials),	cmocka_unit_test(credential_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
