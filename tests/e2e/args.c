// SPDX-License-Identifier: Apache-2.0
/* Arguments of every size: whole as far as the record holds them, head and tail beyond. */
#include <hinomi/kinds.h>
#include <hinomi/record.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "e2e.h"

#define ARGUMENT_BYTES 512 /* each, with its NUL */
#define HEAD_MIN       32768

static void prepare_program(struct facts *facts)
{
	program_copy(facts, 0, "program", 0755);
}

/* Argument number n of the series: its number, then letters, of exactly this many bytes. */
static char *argument(size_t n, size_t bytes)
{
	char *text = malloc(bytes);

	if (!text)
		exit(99);
	memset(text, 'a' + (int)(n % 26), bytes - 1);
	text[bytes - 1] = 0;
	for (int i = snprintf(text, bytes, "%06zu", n); i < (int)bytes - 1; i++)
		text[i] = (char)('a' + n % 26);
	return text;
}

static void exec_with(struct facts *facts, size_t count, size_t bytes)
{
	char **argv = calloc(count + 1, sizeof(*argv));

	if (!argv)
		exit(99);
	for (size_t i = 0; i < count; i++)
		argv[i] = argument(i, bytes);
	facts->number[0] = count;
	facts->number[1] = bytes;
	act_exec(facts, "./program", (const char *const *)argv);
}

static void act_20k(struct facts *facts)
{
	exec_with(facts, 40, ARGUMENT_BYTES);
}

static void act_40k(struct facts *facts)
{
	exec_with(facts, RECORD_ARGS_MAX / ARGUMENT_BYTES, ARGUMENT_BYTES);
}

static void act_50k(struct facts *facts)
{
	exec_with(facts, 100, ARGUMENT_BYTES);
}

static void act_200k(struct facts *facts)
{
	exec_with(facts, 400, ARGUMENT_BYTES);
}

static void act_one_100k(struct facts *facts)
{
	exec_with(facts, 1, 100000);
}

static void act_many(struct facts *facts)
{
	exec_with(facts, 20000, 7);
}

static const Hinomi__Exec *exec_of(struct check *check)
{
	const struct seen *exec = take(check, KIND_exec);

	want_child(check, check->facts->pid[0], 0);
	if (!exec)
		return NULL;
	want_number(check, "exec.args_count", check->facts->number[0],
		    exec->event->exec->args_count);
	want_number(check, "exec.args_total_bytes",
		    check->facts->number[0] * check->facts->number[1],
		    exec->event->exec->args_total_bytes);
	want_true(check, "process.args_truncated or all of exec.args",
		  exec->process->args_truncated ||
			  exec->process->n_args == check->facts->number[0]);
	return exec->event->exec;
}

static void want_series(struct check *check, const char *what, size_t first,
			ProtobufCBinaryData *args, size_t n)
{
	for (size_t i = 0; i < n && !check->failures; i++) {
		char *want = argument(first + i, check->facts->number[1]);

		want_text(check, what, want, &args[i]);
		free(want);
	}
}

/* All of it fits: not one byte may be missing. */
static void check_whole(struct check *check)
{
	const Hinomi__Exec *exec = exec_of(check);

	if (!exec)
		return;
	want_number(check, "exec.args (how many)", check->facts->number[0], exec->n_args);
	want_number(check, "exec.args_tail (how many)", 0, exec->n_args_tail);
	want_series(check, "exec.args", 0, exec->args, exec->n_args);
}

/* At least 32 KiB from the start; the end up to the last byte; only the pieces at the cut are not
 * whole. */
static void check_cut(struct check *check)
{
	const struct facts *facts = check->facts;
	const Hinomi__Exec *exec = exec_of(check);
	size_t head = 0, tail = 0, whole;

	if (!exec)
		return;
	for (size_t i = 0; i < exec->n_args; i++)
		head += exec->args[i].len + 1;
	for (size_t i = 0; i < exec->n_args_tail; i++)
		tail += exec->args_tail[i].len + 1;
	want_true(check, "32 KiB of exec.args", head >= HEAD_MIN);
	want_number(check, "exec.args_tail (bytes)", RECORD_ARGS_TAIL, tail);
	whole = HEAD_MIN / facts->number[1];
	want_series(check, "exec.args", 0, exec->args, whole < exec->n_args ? whole : exec->n_args);
	whole = RECORD_ARGS_TAIL / facts->number[1];
	if (whole > exec->n_args_tail)
		check_fail(check, "exec.args_tail: expected %zu, got %zu", whole,
			   exec->n_args_tail);
	else
		want_series(check, "exec.args_tail", facts->number[0] - whole,
			    exec->args_tail + exec->n_args_tail - whole, whole);
}

const struct test args_tests[] = {
	{"exec/args-20k", prepare_program, act_20k, check_whole},
	{"exec/args-40k", prepare_program, act_40k, check_whole},
	{"exec/args-50k", prepare_program, act_50k, check_cut},
	{"exec/args-200k", prepare_program, act_200k, check_cut},
	{"exec/args-one-of-100k", prepare_program, act_one_100k, check_cut},
	{"exec/args-20000", prepare_program, act_many, check_cut},
	{},
};
