// SPDX-License-Identifier: Apache-2.0
/* From open to close: one record with what was read and written. */
#include <fcntl.h>
#include <hinomi/kinds.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e.h"

static void prepare_file(struct facts *facts)
{
	file_make(facts, 0, "marker", "content", 0644);
}

static void act_written(struct facts *facts)
{
	int fd = must(open("marker", O_RDWR | O_TRUNC | O_CLOEXEC)), other;
	char bytes[1000] = "";

	must(write(fd, bytes, 1000));
	must(write(fd, bytes, 24));
	must(pwrite(fd, bytes, 100, 3000));
	must(pread(fd, bytes, 300, 0));
	other = must(dup(fd)); /* the same opening */
	close(fd);
	must(lseek(other, 0, SEEK_SET));
	must(read(other, bytes, 7));
	close(other);
	must(stat("marker", &facts->stat[0]));
}

static int in_child(struct facts *facts)
{
	char byte = 'x';

	must(write(facts->error[0], &byte, 1));
	return 0;
}

/* Opened by one process, and closed by another. */
static void act_inherited(struct facts *facts)
{
	int fd = must(open("marker", O_WRONLY | O_APPEND));

	facts->error[0] = fd;
	act_reap(facts, facts->pid[0] = act_fork(facts, in_child));
	close(fd);
	must(stat("marker", &facts->stat[0]));
}

static void act_watched(struct facts *facts)
{
	char *copy = strdup(facts->dir), bytes[100];
	int fd;

	snprintf(facts->path[0], sizeof(facts->path[0]), "%.4000s/watched/file", dirname(copy));
	free(copy);
	fd = must(open(facts->path[0], O_RDONLY | O_CLOEXEC));
	must(fstat(fd, &facts->stat[0]));
	must(read(fd, bytes, sizeof(bytes)));
	must(read(fd, bytes, sizeof(bytes))); /* its end */
	close(fd);
}

static const Hinomi__FileClose *want_closed(struct check *check, uint64_t read, uint64_t reads,
					    uint64_t written, uint64_t writes)
{
	const struct seen *seen;
	const Hinomi__FileClose *closed;

	if (!tier_of(check, KIND_file_close)) /* it has no second tier */
		return NULL;
	seen = take(check, KIND_file_close);
	if (!seen)
		return NULL;
	closed = seen->event->file_close;
	want_file(check, check->facts->path[0], &check->facts->stat[0], closed->file);
	want_number(check, "file_close.bytes_read", read, closed->bytes_read);
	want_number(check, "file_close.reads", reads, closed->reads);
	want_number(check, "file_close.bytes_written", written, closed->bytes_written);
	want_number(check, "file_close.writes", writes, closed->writes);
	want_key(check, "file_close.opener", seen->process->key, closed->opener);
	want_true(check, "file_close.opened_ns",
		  closed->opened_ns && closed->opened_ns <= seen->event->time_ns);
	return closed;
}

static void check_written(struct check *check)
{
	take(check, KIND_file_open);
	want_closed(check, 307, 2, 1124, 3);
}

static void check_inherited(struct check *check)
{
	take(check, KIND_file_open);
	want_child(check, check->facts->pid[0], 0);
	want_closed(check, 0, 0, 1, 1);
}

static void check_watched(struct check *check)
{
	const Hinomi__FileClose *closed;

	take(check, KIND_file_read);
	closed = want_closed(check, 7, 2, 0, 0);
	if (closed)
		want_true(check, "file_close.watched", closed->watched.len);
}

const struct test activity_tests[] = {
	{"file_close/written", prepare_file, act_written, check_written},
	{"file_close/inherited", prepare_file, act_inherited, check_inherited},
	{"file_close/watched", NULL, act_watched, check_watched},
	{},
};
