// SPDX-License-Identifier: Apache-2.0
/* What each program costs the verifier, as the kernel's log says it: for tests, not for operation.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach/internal.h"

/* newer kernels say where each of many functions ended; what is never touched is free */
#define LOG_BYTES    (1 << 20)
#define LOG_STATS    4 /* BPF_LOG_STATS: totals, and nothing of the walk */
#define MEASURES_MAX 512

/* Between opening the object and loading it. */
int measure_prepare(struct attach *attach)
{
	struct bpf_program *program;
	char *log;

	attach->logs = log = calloc(MEASURES_MAX, LOG_BYTES);
	if (!log)
		return -ENOMEM;
	bpf_object__for_each_program(program, attach->object)
	{
		if (!bpf_program__autoload(program) ||
		    log == attach->logs + MEASURES_MAX * LOG_BYTES)
			continue;
		bpf_program__set_log_level(program, LOG_STATS);
		bpf_program__set_log_buf(program, log, LOG_BYTES);
		log += LOG_BYTES;
	}
	return 0;
}

/* The number that follows the text, 0 when the log has no such text. */
static unsigned number_after(const char *log, const char *text)
{
	const char *at = strstr(log, text);
	unsigned n = 0;

	if (at)
		(void)!sscanf(at + strlen(text), "%u", &n);
	return n;
}

void attach_measures(const struct attach *attach, void (*fn)(void *ctx, const struct measure *),
		     void *ctx)
{
	struct bpf_program *program;
	size_t size;

	bpf_object__for_each_program(program, attach->object)
	{
		const char *log = bpf_program__log_buf(program, &size);
		struct measure measure = {.program = bpf_program__name(program)};

		if (!log || bpf_program__fd(program) < 0)
			continue;
		measure.instructions = number_after(log, "processed ");
		measure.verified_us = number_after(log, "verification time ");
		fn(ctx, &measure);
	}
}
