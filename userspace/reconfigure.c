// SPDX-License-Identifier: Apache-2.0
/*
 * What is different in the configuration since the run before: the spool keeps
 * the one that was last in effect, as config_dump writes it (it holds no secret).
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "config/config.h"
#include "pipeline.h"

#define FILE_NAME "config"
#define BYTES_MAX (4u << 20)
#define SHOWN_MAX 64   /* lines of each list */
#define LINE_SIZE 1024 /* of a line with its section */
#define LINES_MAX 32768

struct lines {
	char *list[LINES_MAX];
	size_t n;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "[section] key = value" for each setting, sorted.  Takes over nothing. */
static void split(struct lines *lines, const char *text)
{
	char section[128] = "", line[LINE_SIZE];

	while (*text && lines->n < LINES_MAX) {
		int n = (int)strcspn(text, "\n");

		if (*text == '[')
			snprintf(section, sizeof(section), "%.*s", n, text);
		else if (n && *text != '#' &&
			 snprintf(line, sizeof(line), "%s %.*s", section, n, text) > 0 &&
			 (lines->list[lines->n] = strdup(line)))
			lines->n++;
		text += n + (text[n] == '\n');
	}
	qsort(lines->list, lines->n, sizeof(lines->list[0]), compare);
}

static void lines_free(struct lines *lines)
{
	while (lines && lines->n)
		free(lines->list[--lines->n]);
	free(lines);
}

/* What is in one sorted list and not in the other. */
static size_t only_in(const struct lines *a, const struct lines *b,
		      ProtobufCBinaryData ret[SHOWN_MAX], bool *cut)
{
	size_t n = 0;

	for (size_t i = 0, k = 0; i < a->n; i++) {
		int order = -1;

		while (k < b->n && (order = strcmp(a->list[i], b->list[k])) > 0)
			k++;
		if (k < b->n && !order) {
			k++;
			continue;
		}
		if (n == SHOWN_MAX) {
			*cut = true;
			break;
		}
		ret[n++] = (ProtobufCBinaryData){strlen(a->list[i]), (uint8_t *)a->list[i]};
	}
	return n;
}

static void tell(struct pipeline *p, const char *old, const char *now)
{
	struct lines *before = calloc(1, sizeof(*before)), *after = calloc(1, sizeof(*after));
	Hinomi__ConfigChange change = HINOMI__CONFIG_CHANGE__INIT;
	ProtobufCBinaryData removed[SHOWN_MAX], added[SHOWN_MAX];
	Hinomi__Event event = HINOMI__EVENT__INIT;
	uint8_t sha256[32];
	bool cut = false;

	if (SHA256((const uint8_t *)old, strlen(old), sha256))
		change.old_sha256 = (ProtobufCBinaryData){sizeof(sha256), sha256};
	change.sha256 =
		(ProtobufCBinaryData){sizeof(p->config->sha256), (uint8_t *)p->config->sha256};
	if (before && after) {
		split(before, old);
		split(after, now);
		change.n_removed = only_in(before, after, removed, &cut);
		change.n_added = only_in(after, before, added, &cut);
	}
	change.removed = removed;
	change.added = added;
	change.cut = cut;
	event.body_case = HINOMI__EVENT__BODY_CONFIG_CHANGE;
	event.config_change = &change;
	pipeline_own(p, KIND_config_change, &event);
	lines_free(before);
	lines_free(after);
}

static char *read_old(int dir)
{
	CLEANUP(close_fd) int fd = openat(dir, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	char *text;

	if (fd < 0 || fstat(fd, &st) || st.st_size > BYTES_MAX)
		return NULL;
	text = calloc(1, (size_t)st.st_size + 1);
	if (text && read(fd, text, (size_t)st.st_size) != st.st_size) {
		free(text);
		return NULL;
	}
	return text;
}

void announce_config(struct pipeline *p)
{
	CLEANUP(close_fd) int dir = open(p->config->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(free) char *old = dir < 0 ? NULL : read_old(dir), *now = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&now, &size);
	int err;

	if (!out)
		return;
	config_dump(p->config, out);
	if (fclose(out) || (old && !strcmp(old, now)))
		return;
	if (old)
		tell(p, old, now);
	err = dir < 0 ? -errno : write_file(dir, FILE_NAME, now, size, 0640);
	if (err)
		log_warning("the configuration cannot be noted in the spool, so that a change is "
			    "not told at the next start: %s",
			    strerror(-err));
}
