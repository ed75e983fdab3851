// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a configuration: no crash, and what was taken in is dumped and taken in again. */
#include <assert.h>
#include <string.h>

#include "config/reader.h"

static struct config *read_text(const char *text, size_t size)
{
	char error[CONFIG_ERROR_MAX];
	struct config *config = NULL;
	struct reader reader;
	int r = reader_init(&reader, error);

	if (!r)
		r = reader_text(&reader, "fuzz", text, size);
	if (!r)
		r = reader_finish(&reader, &config);
	reader_done(&reader);
	assert(!r == !!config && !r == !*error);
	return config;
}

static char *dump(const struct config *config, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	config_dump(config, out);
	fclose(out);
	return text;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct config *config = read_text((const char *)data, size), *again;
	size_t first_size, second_size;
	char *first, *second;

	if (!config)
		return 0;
	first = dump(config, &first_size);
	again = read_text(first, first_size);
	assert(again && !memcmp(config->sha256, again->sha256, sizeof(config->sha256)));
	second = dump(again, &second_size);
	assert(!strcmp(first, second));
	free(first);
	free(second);
	config_free(config);
	config_free(again);
	return 0;
}
