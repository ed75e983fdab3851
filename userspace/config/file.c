// SPDX-License-Identifier: Apache-2.0
/* Which files make up the configuration, and their content. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "config/reader.h"

#define DROP_INS_MAX 256

static int cannot_read(struct reader *reader, const char *path, int error)
{
	const char *advice = "";

	if (error == EACCES)
		advice = "; run as root, or as a user who may read it";
	else if (error == EFBIG)
		advice = "; a configuration has at most 1 MiB";
	snprintf(reader->error, CONFIG_ERROR_MAX, "%.300s: cannot read: %s%s", path,
		 strerror(error), advice);
	return -error;
}

/* May be a pipe as well: `-c <(...)` is of use. */
static int read_whole(const char *path, char **ret, size_t *size)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	CLEANUP(free) char *text = NULL;
	size_t used = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	text = malloc(CONFIG_FILE_MAX + 1);
	if (!text)
		return -ENOMEM;
	do {
		n = read(fd, text + used, CONFIG_FILE_MAX + 1 - used);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			used += n;
	} while (n && used <= CONFIG_FILE_MAX);
	if (used > CONFIG_FILE_MAX)
		return -EFBIG;
	*ret = TAKE(text);
	*size = used;
	return 0;
}

int reader_file(struct reader *reader, const char *path, bool required)
{
	CLEANUP(free) char *text = NULL;
	size_t size = 0;
	int r = read_whole(path, &text, &size);

	if (r == -ENOENT && !required)
		return 0;
	if (r)
		return cannot_read(reader, path, -r);
	return reader_text(reader, path, text, size);
}

struct drop_ins {
	struct drop_in {
		char *name, *path;
	} files[DROP_INS_MAX];
	size_t count;
};

static void drop_ins_done_at(struct drop_ins *drop_ins)
{
	for (size_t i = 0; i < drop_ins->count; i++) {
		free(drop_ins->files[i].name);
		free(drop_ins->files[i].path);
	}
}

static int add_drop_in(struct drop_ins *drop_ins, const char *dir, const char *name)
{
	struct drop_in *file = &drop_ins->files[drop_ins->count];

	for (size_t i = 0; i < drop_ins->count; i++) {
		if (!strcmp(drop_ins->files[i].name, name))
			return 0; /* hidden by the same name in a directory before */
	}
	if (drop_ins->count == DROP_INS_MAX)
		return -E2BIG;
	*file = (struct drop_in){.name = strdup(name)};
	if (!file->name || asprintf(&file->path, "%s/%s", dir, name) < 0) {
		free(file->name);
		return -ENOMEM;
	}
	drop_ins->count++;
	return 0;
}

static int find_drop_ins(struct drop_ins *drop_ins, const char *dir)
{
	CLEANUP(closedir) DIR *open_dir = opendir(dir);
	struct dirent *entry;
	int r = 0;

	if (!open_dir)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	while (!r && (entry = readdir(open_dir))) {
		size_t length = strlen(entry->d_name);

		if (length > 5 && entry->d_name[0] != '.' &&
		    !strcmp(entry->d_name + length - 5, ".conf"))
			r = add_drop_in(drop_ins, dir, entry->d_name);
	}
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct drop_in *)a)->name, ((const struct drop_in *)b)->name);
}

static int read_drop_ins(struct reader *reader, const char *root)
{
	static const char *const dirs[] = {"/etc", "/run", PREFIX "/lib"};
	CLEANUP(drop_ins_done) struct drop_ins drop_ins = {.count = 0};
	char dir[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(dir, sizeof(dir), "%s%s/hinomi/hinomi.conf.d", root, dirs[i]);
		r = find_drop_ins(&drop_ins, dir);
		if (r)
			return cannot_read(reader, dir, -r);
	}
	qsort(drop_ins.files, drop_ins.count, sizeof(*drop_ins.files), by_name);
	for (size_t i = 0; !r && i < drop_ins.count; i++)
		r = reader_file(reader, drop_ins.files[i].path, false);
	return r;
}

int reader_search(struct reader *reader, const char *root)
{
	static const char *const files[] = {PREFIX "/lib", "/etc"};
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s%s/hinomi/hinomi.conf", root, files[i]);
		r = reader_file(reader, path, false);
	}
	return r ? r : read_drop_ins(reader, root);
}
