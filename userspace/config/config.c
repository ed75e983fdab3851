// SPDX-License-Identifier: Apache-2.0
/* The configuration as a whole: load, dump, identify, free. */
#include "config/config.h"

#include <errno.h>
#include <hinomi/kinds.h>
#include <openssl/sha.h>
#include <string.h>

#include "config/reader.h"

int list_append(char ***list, size_t *count, const char *text)
{
	char **longer = reallocarray(*list, *count + 2, sizeof(*longer));

	if (!longer)
		return -ENOMEM;
	*list = longer;
	longer[*count] = strdup(text);
	if (!longer[*count])
		return -ENOMEM;
	longer[++*count] = NULL;
	return 0;
}

void list_free(char ***list, size_t *count)
{
	for (size_t i = 0; i < *count; i++) {
		explicit_bzero((*list)[i], strlen((*list)[i])); /* headers hold secrets */
		free((*list)[i]);
	}
	free(*list);
	*list = NULL;
	*count = 0;
}

static bool is_among(char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i], name))
			return true;
	return false;
}

bool config_class_is_off(const struct config *config, const char *name)
{
	static const char *const off[] = {
#define KIND(name) #name,
		FOR_EACH_KIND_OFF(KIND)
#undef KIND
	};

	if (is_among(config->classes_off, config->nclasses_off, name))
		return true;
	return is_among((char *const *)off, sizeof(off) / sizeof(*off), name) &&
	       !is_among(config->classes_on, config->nclasses_on, name);
}

static void sink_done(struct config_sink *sink)
{
	free(sink->name);
	free(sink->type);
	free(sink->url);
	free(sink->ca_file);
	free(sink->cert_file);
	free(sink->key_file);
	free(sink->receipt_key);
	list_free(&sink->headers, &sink->nheaders);
	free(sink->file);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->nsinks; i++)
		sink_done(&config->sinks[i]);
	for (size_t i = 0; i < config->nrules; i++) {
		free(config->rules[i].text);
		free(config->rules[i].file);
	}
	for (size_t i = 0; i < config->nlabels; i++) {
		free(config->labels[i].key);
		free(config->labels[i].value);
	}
	list_free(&config->classes_off, &config->nclasses_off);
	list_free(&config->classes_on, &config->nclasses_on);
	list_free(&config->watch, &config->nwatch);
	free(config->spool);
	free(config->cgroup);
	free(config->reader_group);
	free(config->receipts);
	free(config->rules);
	free(config->labels);
	free(config->sinks);
	free(config);
}

static void dump_section(const struct section *section, const void *base, FILE *out)
{
	for (size_t i = 0; i < section->nkeys; i++)
		value_dump(&section->keys[i], base, out);
}

void config_dump(const struct config *config, FILE *out)
{
	fputs("[sensor]\n", out);
	dump_section(&section_sensor, config, out);
	if (config->nrules)
		fputs("\n[filter]\n", out);
	for (size_t i = 0; i < config->nrules; i++)
		fprintf(out, "rule = %s\n", config->rules[i].text);
	if (config->nlabels)
		fputs("\n[resource]\n", out);
	for (size_t i = 0; i < config->nlabels; i++)
		fprintf(out, "%s = %s\n", config->labels[i].key, config->labels[i].value);
	for (size_t i = 0; i < config->nsinks; i++) {
		fprintf(out, "\n[sink %s]\n", config->sinks[i].name);
		dump_section(&section_sink, &config->sinks[i], out);
	}
}

int config_hash(struct config *config)
{
	CLEANUP(free) char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	config_dump(config, out);
	if (fclose(out))
		return -ENOMEM;
	return SHA256((const unsigned char *)text, size, config->sha256) ? 0 : -ENOMEM;
}

int reader_finish(struct reader *reader, struct config **ret)
{
	int r = 0;

	for (size_t i = 0; !r && i < reader->config->nsinks; i++)
		r = sink_check(reader, i);
	if (!r)
		r = config_hash(reader->config);
	if (!r)
		*ret = TAKE(reader->config);
	return r;
}

static int finish(struct reader *reader, int r, struct config **ret)
{
	if (!r)
		r = reader_finish(reader, ret);
	if (r && !*reader->error)
		snprintf(reader->error, CONFIG_ERROR_MAX, "configuration: %s", strerror(-r));
	reader_done(reader);
	return r;
}

int config_load_root(const char *root, struct config **ret, char error[CONFIG_ERROR_MAX])
{
	struct reader reader;
	int r = reader_init(&reader, error);

	if (!r)
		r = reader_search(&reader, root);
	return finish(&reader, r, ret);
}

int config_load(const char *path, struct config **ret, char error[CONFIG_ERROR_MAX])
{
	struct reader reader;
	int r;

	if (!path)
		return config_load_root("", ret, error);
	r = reader_init(&reader, error);
	if (!r)
		r = reader_file(&reader, path, true);
	return finish(&reader, r, ret);
}
