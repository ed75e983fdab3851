/* SPDX-License-Identifier: Apache-2.0 */
/* A sensor's pipeline over a spool of its own, without rings. */
#pragma once

#include <sys/mman.h>

#include "attach/internal.h"
#include "config/config.h"
#include "pipeline.h"
#include "spool_tools.h"

struct sensor_in_test {
	struct attach *attach;
	struct config *config;
	struct pipeline pipeline;
};

static inline struct sensor_in_test *open_sensor(const struct test_spool *test)
{
	const struct attach_error why = {.text = "a test"};
	struct sensor_in_test *ret = calloc(1, sizeof(*ret));
	char path[128], text[256], error[CONFIG_ERROR_MAX] = "";
	struct pipeline_error failed = {0};

	snprintf(path, sizeof(path), "%s/conf", test->top);
	snprintf(text, sizeof(text), "[sensor]\nspool = %s\nreader_group =\n", test->dir);
	spill(path, text, strlen(text));
	assert_int_equal(config_load(path, &ret->config, error), 0);
	ret->attach = calloc(1, sizeof(*ret->attach));
	ret->attach->cpus = 1;
	assert_int_equal(blind_load(ret->attach, &why), 0);
	if (pipeline_open(&ret->pipeline, ret->config, ret->attach, &failed))
		fail_msg("%s", failed.text);
	return ret;
}

/* As a crash would: without the end that a stop makes. */
static inline void close_sensor(struct sensor_in_test *sensor)
{
	pipeline_close(&sensor->pipeline);
	munmap(sensor->attach->ledger, KINDS_MAX * sizeof(struct ledger_cell));
	munmap(sensor->attach->sequences, sizeof(struct sequence_cell));
	munmap(sensor->attach->control, sizeof(struct control));
	close(sensor->attach->wake_fd);
	free(sensor->attach);
	config_free(sensor->config);
	free(sensor);
}
