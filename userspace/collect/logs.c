/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/logs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "frame/memory.h"
#include "otlp.pb-c.h"
#include "render/otlp.h"

#define FILE_BYTES  (64 << 20)	/* a new one is begun beyond this */
#define MEMORY_MAX  (96u << 20) /* of one request, unpacked */
#define BUFFER_SIZE 65536

struct logs {
	int dir;
	unsigned number; /* of the open file */
	FILE *file;
	off_t size; /* of what was acknowledged */
	FILE *events;
};

static void file_name(unsigned number, char ret[32])
{
	snprintf(ret, 32, "%06u.jsonl", number);
}

/* The last file's number; 0: there is none. */
static int find_last(int dir, unsigned *ret)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedir) DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	unsigned number;
	char name[32];

	if (!list) {
		if (fd >= 0)
			close(fd);
		return -errno;
	}
	*ret = 0;
	while ((entry = readdir(list))) {
		if (sscanf(entry->d_name, "%6u", &number) != 1 || number <= *ret)
			continue;
		file_name(number, name);
		if (!strcmp(name, entry->d_name))
			*ret = number;
	}
	return 0;
}

/* Behind the last whole line: what is after it was never acknowledged. */
static int whole_size(int fd, off_t *ret)
{
	char chunk[4096];
	struct stat st;
	off_t end;

	if (fstat(fd, &st))
		return -errno;
	for (end = st.st_size; end > 0;) {
		size_t part = end < (off_t)sizeof(chunk) ? (size_t)end : sizeof(chunk);
		ssize_t n = pread(fd, chunk, part, end - (off_t)part);
		const char *newline;

		if (n != (ssize_t)part)
			return n < 0 ? -errno : -EIO;
		newline = memrchr(chunk, '\n', part);
		if (newline) {
			end -= (off_t)part - (newline + 1 - chunk);
			break;
		}
		end -= (off_t)part;
	}
	*ret = end;
	return ftruncate(fd, end) ? -errno : 0;
}

static int open_file(struct logs *logs)
{
	CLEANUP(close_fd) int fd = -1;
	char name[32];
	int err;

	file_name(logs->number, name);
	fd = openat(logs->dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -errno;
	err = whole_size(fd, &logs->size);
	if (err)
		return err;
	if (lseek(fd, logs->size, SEEK_SET) < 0 || fsync(logs->dir))
		return -errno;
	logs->file = fdopen(fd, "r+");
	if (!logs->file)
		return -errno;
	TAKE_FD(fd);
	return setvbuf(logs->file, NULL, _IOFBF, BUFFER_SIZE) ? -ENOMEM : 0;
}

int logs_open(int dir, FILE *events, struct logs **ret)
{
	CLEANUP(logs_free) struct logs *logs = calloc(1, sizeof(*logs));
	int err;

	if (!logs)
		return -ENOMEM;
	logs->events = events;
	logs->dir = -1;
	if (mkdirat(dir, "logs", 0750) && errno != EEXIST)
		return -errno;
	logs->dir = openat(dir, "logs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (logs->dir < 0)
		return -errno;
	err = find_last(logs->dir, &logs->number);
	if (err)
		return err;
	if (!logs->number)
		logs->number = 1;
	*ret = TAKE(logs);
	return 0;
}

void logs_free(struct logs *logs)
{
	if (!logs)
		return;
	if (logs->file)
		fclose(logs->file);
	if (logs->dir >= 0)
		close(logs->dir);
	free(logs);
}

/* "resource":[...],"scope":{...}, which are the same for many lines, as text */
static char *make_head(const Otlp__ResourceLogs *resource, const Otlp__ScopeLogs *scope, int *err)
{
	char *head = NULL;
	size_t size;
	FILE *out = open_memstream(&head, &size);

	*err = -ENOMEM;
	if (!out)
		return NULL;
	fputs("{\"resource\":[", out);
	*err = resource->resource ? render_otlp_attributes(out, resource->resource->attributes,
							   resource->resource->n_attributes)
				  : 0;
	fputs("],\"scope\":", out);
	if (!*err)
		*err = render_otlp_text(out, scope->scope ? &scope->scope->name
							  : &(ProtobufCBinaryData){0});
	fputs(",\"record\":", out);
	if (fclose(out) && !*err)
		*err = -ENOMEM;
	return head;
}

static int write_scope(FILE *out, const Otlp__ResourceLogs *resource, const Otlp__ScopeLogs *scope)
{
	int err;
	CLEANUP(free) char *head = make_head(resource, scope, &err);

	for (size_t i = 0; !err && i < scope->n_log_records; i++) {
		fputs(head, out);
		err = render_otlp_record(out, scope->log_records[i]);
		fputs("}\n", out);
	}
	return err;
}

int logs_write(FILE *out, const void *data, size_t size)
{
	struct frame_memory *memory = frame_memory_new(MEMORY_MAX);
	Otlp__ExportLogsServiceRequest *request;
	int err = 0;

	if (!memory)
		return -ENOMEM;
	request = otlp__export_logs_service_request__unpack(&memory->allocator, size, data);
	if (!request)
		err = memory->is_short ? -ENOMEM : -EBADMSG;
	for (size_t i = 0; !err && i < request->n_resource_logs; i++) {
		const Otlp__ResourceLogs *resource = request->resource_logs[i];

		for (size_t j = 0; !err && j < resource->n_scope_logs; j++)
			err = write_scope(out, resource, resource->scope_logs[j]);
	}
	frame_memory_free(memory);
	return err;
}

/* Nothing of the request stays. */
static void take_back(struct logs *logs)
{
	int fd = fileno(logs->file);

	if (ftruncate(fd, logs->size) || lseek(fd, logs->size, SEEK_SET) < 0)
		logs->number++; /* the next begins a file of its own */
	__fpurge(logs->file);
	fclose(TAKE(logs->file));
}

/* What was added, to whoever follows. */
static void show(struct logs *logs, off_t from)
{
	char chunk[4096];
	ssize_t n;

	while (logs->events && (n = pread(fileno(logs->file), chunk, sizeof(chunk), from)) > 0) {
		fwrite(chunk, 1, (size_t)n, logs->events);
		from += n;
	}
	if (logs->events)
		fflush(logs->events);
}

int logs_add(struct logs *logs, const void *data, size_t size)
{
	off_t before = logs->size, end;
	int err;

	if (logs->file && logs->size > FILE_BYTES) {
		fclose(TAKE(logs->file));
		logs->number++;
	}
	err = logs->file ? 0 : open_file(logs);
	if (err)
		return err;
	before = logs->size;
	err = logs_write(logs->file, data, size);
	if (!err && (fflush(logs->file) || fdatasync(fileno(logs->file))))
		err = -errno;
	if (!err && ferror(logs->file)) /* of a write before the last */
		err = -EIO;
	end = err ? 0 : ftello(logs->file);
	if (err || end < 0) {
		take_back(logs);
		return err ? err : -EIO;
	}
	logs->size = end;
	show(logs, before);
	return 0;
}
