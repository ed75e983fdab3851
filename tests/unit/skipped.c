// SPDX-License-Identifier: Apache-2.0
/*
 * Events that the kernel did not run a program for, since it was running on that CPU already, are
 * declared lost: from the kernel's own count to the gap and the ledger.
 *
 * A program on the tracepoint of the kernel's page faults makes one itself.
 */
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "frame/frame.h"
#include "losses.h"
#include "sensor_tools.h"

#define TIMES	  50
#define NOT_THERE 16 /* an address */

/* Faults once for each time that it is armed: never deeper, also where nothing is skipped. */
static int load(int armed)
{
	const struct bpf_insn code[] = {
		{BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -4, 0},
		{BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, armed},
		{0},
		{BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0},
		{BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4},
		{BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem},
		{BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 8, 0},
		{BPF_LDX | BPF_MEM | BPF_W, BPF_REG_1, BPF_REG_0, 0, 0},
		{BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_1, 0, 6, 0},
		{BPF_ST | BPF_MEM | BPF_W, BPF_REG_0, 0, 0, 0},
		{BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_10, 0, 0},
		{BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, -16},
		{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, 8},
		{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, NOT_THERE},
		{BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_user},
		{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
	};

	return bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "faults", "GPL", code, ARRAY_SIZE(code),
			     NULL);
}

/* The kernel writes into pages that are not there yet. */
static void faults(int armed)
{
	const uint32_t zero_key = 0, one = 1;
	CLEANUP(close_fd) int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	assert_true(zero >= 0);
	for (int i = 0; i < TIMES; i++) {
		void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0);

		assert_true(page != MAP_FAILED);
		assert_int_equal(bpf_map_update_elem(armed, &zero_key, &one, BPF_ANY), 0);
		assert_int_equal(read(zero, page, 4096), 4096);
		munmap(page, 4096);
	}
}

static uint64_t kernel_counts(int program)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(program, &info, &size), 0);
	return info.recursion_misses;
}

/* What gaps, and the newest row of the ledger, say of exec. */
static void read_losses(const char *dir, uint64_t *declared, uint64_t *ledger, unsigned *gaps)
{
	struct spool_reader *reader;
	const void *bytes;
	size_t size;

	*declared = *ledger = *gaps = 0;
	assert_int_equal(spool_reader_open(dir, LANE_KEEP, (struct spool_position){0}, &reader), 0);
	spool_reader_all(reader);
	while (spool_read(reader, &bytes, &size) == 1) {
		CLEANUP(frame_free) struct frame *frame = NULL;

		assert_int_equal(frame_read(bytes, size, &frame), 0);
		assert_int_equal(frame_open_payload(frame), 0);
		for (size_t i = 0; i < frame->header->n_ledger; i++)
			if (frame->header->ledger[i]->kind == KIND_exec &&
			    frame->header->ledger[i]->cpu == CPU_UNKNOWN)
				*ledger = frame->header->ledger[i]->lost;
		for (size_t i = 0; i < frame->payload->n_events; i++) {
			const Hinomi__Gap *gap = frame->payload->events[i]->gap;

			if (frame->payload->events[i]->body_case != HINOMI__EVENT__BODY_GAP ||
			    gap->cause != HINOMI__GAP__CAUSE__CAUSE_SKIPPED)
				continue;
			++*gaps;
			assert_int_equal(gap->n_lost, 1);
			assert_string_equal(gap->lost[0]->class_, "exec");
			*declared += gap->lost[0]->count;
		}
	}
	spool_reader_free(reader);
}

static void declare(struct pipeline *p)
{
	losses_declare(p, true);
	p->whole_due[LANE_KEEP] = p->frame_due[LANE_KEEP] = true;
	pipeline_seal(p);
	assert_int_equal(spool_sync(p->spool), 0);
}

static void skipped_is_declared(void **state)
{
	const struct test_spool *test = *state;
	CLEANUP(close_fd) int armed = bpf_map_create(BPF_MAP_TYPE_ARRAY, "armed", 4, 4, 1, NULL);
	CLEANUP(close_fd) int program = armed < 0 ? -1 : load(armed);
	CLEANUP(close_fd)
	int link = program < 0 ? -1 : bpf_raw_tracepoint_open("page_fault_kernel", program);
	struct sensor_in_test *sensor;
	uint64_t declared, ledger;
	unsigned gaps;

	if (link < 0) {
		print_message("skipped: no program on the tracepoint page_fault_kernel here\n");
		skip();
	}
	faults(armed);
	if (!kernel_counts(program)) {
		print_message("skipped: this kernel skips or counts nothing there\n");
		skip();
	}
	assert_int_equal(kernel_counts(program), TIMES);
	sensor = open_sensor(test);
	skipped_program(sensor->attach, "exec_tp", program);
	skipped_class(sensor->attach, "exec_tp", KIND_exec);
	declare(&sensor->pipeline);
	declare(&sensor->pipeline); /* once */
	read_losses(test->dir, &declared, &ledger, &gaps);
	assert_int_equal(gaps, 1);
	assert_int_equal(declared, TIMES);
	assert_int_equal(ledger, TIMES);
	faults(armed);
	declare(&sensor->pipeline);
	read_losses(test->dir, &declared, &ledger, &gaps);
	assert_int_equal(gaps, 2);
	assert_int_equal(declared, 2 * TIMES);
	assert_int_equal(ledger, 2 * TIMES);
	skipped_close(sensor->attach);
	close_sensor(sensor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(skipped_is_declared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
