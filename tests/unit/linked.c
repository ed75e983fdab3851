// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "attach/internal.h"

static const struct bpf_insn nothing[] = {
	{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
	{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
};

static int load(enum bpf_prog_type type, const char *iterates)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);

	if (iterates) {
		int id = libbpf_find_vmlinux_btf_id(iterates, BPF_TRACE_ITER);

		if (id < 0)
			return id;
		opts.expected_attach_type = BPF_TRACE_ITER;
		opts.attach_btf_id = (uint32_t)id;
	}
	return bpf_prog_load(type, "nothing", "GPL", nothing, ARRAY_SIZE(nothing), &opts);
}

static int raw_link(void)
{
	CLEANUP(close_fd) int program = load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL);

	return program < 0 ? program : bpf_raw_tracepoint_open("task_rename", program);
}

static uint32_t link_id(int fd)
{
	struct bpf_link_info info = {0};
	uint32_t size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	return info.id;
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	return info.id;
}

static struct attach attach;
static char was[ATTACH_LINK_TEXT], is[ATTACH_LINK_TEXT];

static void set_up(int link)
{
	attach = (struct attach){.tasks_link = -1, .flows_link = -1, .nlinks = 1};
	if (link < 0) {
		printf("skipped: this kernel refuses a BPF program (%s)\n", strerror(errno));
		skip();
	}
	snprintf(attach.link_names[0], sizeof(attach.link_names[0]), "renames");
	attach.links[0] = link;
}

static void test_closed(void **state)
{
	int link = raw_link();

	(void)state;
	set_up(link);
	linked_note(&attach);
	assert_null(attach_check_link(&attach, was, is));
	close(link);
	assert_string_equal(attach_check_link(&attach, was, is), "renames");
	assert_non_null(strstr(was, "program"));
	assert_string_equal(is, "no link");
	assert_null(attach_check_link(&attach, was, is));
	linked_close(&attach);
}

/* Another link under the same number. */
static void test_exchanged(void **state)
{
	int link = raw_link();
	char expected[ATTACH_LINK_TEXT];

	(void)state;
	set_up(link);
	linked_note(&attach);
	snprintf(expected, sizeof(expected), "link %u,", link_id(link));
	assert_true(dup2(raw_link(), link) == link);
	assert_string_equal(attach_check_link(&attach, was, is), "renames");
	assert_memory_equal(was, expected, strlen(expected));
	snprintf(expected, sizeof(expected), "link %u,", link_id(link));
	assert_memory_equal(is, expected, strlen(expected));
	assert_null(attach_check_link(&attach, was, is));
	linked_close(&attach);
	close(link);
}

/* The one change of a link that the kernel allows to whoever opens it by its number. */
static void test_replaced(void **state)
{
	int first = load(BPF_PROG_TYPE_TRACING, "task"),
	    second = load(BPF_PROG_TYPE_TRACING, "task");
	int link = first < 0 || second < 0 ? -1 : bpf_link_create(first, 0, BPF_TRACE_ITER, NULL);
	char expected[ATTACH_LINK_TEXT];

	(void)state;
	set_up(link);
	attach.nlinks = 0;
	attach.tasks_link = link;
	linked_note(&attach);
	assert_null(attach_check_link(&attach, was, is));
	assert_int_equal(bpf_link_update(link, second, NULL), 0);
	assert_string_equal(attach_check_link(&attach, was, is), "tasks");
	snprintf(expected, sizeof(expected), "link %u, program %u", link_id(link),
		 program_id(first));
	assert_string_equal(was, expected);
	snprintf(expected, sizeof(expected), "link %u, program %u", link_id(link),
		 program_id(second));
	assert_string_equal(is, expected);
	assert_null(attach_check_link(&attach, was, is));
	linked_close(&attach);
	close(link);
	close(first);
	close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_exchanged),
		cmocka_unit_test(test_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
