// SPDX-License-Identifier: Apache-2.0
/* Every process that already runs, and the sockets that it holds, from iterators. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "attach/internal.h"

#define TASK_RECORD_MAX (2 * RECORD_PATH_MAX)

static size_t whole_records(const char *bytes, size_t size,
			    void (*fn)(void *, const void *, size_t), void *ctx)
{
	size_t at = 0;

	while (size - at >= sizeof(struct record)) {
		struct record head;

		memcpy(&head, bytes + at, sizeof(head));
		if (head.size < sizeof(head) || head.size > TASK_RECORD_MAX)
			return size; /* cannot be: read no further */
		if (head.size > size - at)
			break;
		fn(ctx, bytes + at, head.size);
		at += head.size;
	}
	return at;
}

int attach_tasks(struct attach *attach, void (*fn)(void *ctx, const void *record, size_t size),
		 void *ctx)
{
	static _Alignas(8) char buffer[8 * TASK_RECORD_MAX];
	CLEANUP(close_fd) int fd = -1;
	size_t have = 0;

	if (attach->tasks_link < 0)
		return -ENOENT;
	fd = bpf_iter_create(attach->tasks_link);
	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n = read(fd, buffer + have, sizeof(buffer) - have);
		size_t done;

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		have += n;
		done = whole_records(buffer, have, fn, ctx);
		memmove(buffer, buffer + done, have - done);
		have -= done;
	}
}

void sockets_tell(int link)
{
	CLEANUP(close_fd) int closed = link;
	CLEANUP(close_fd) int fd = link >= 0 ? bpf_iter_create(link) : -1;
	char none[64];
	ssize_t n = 0;

	do /* the program writes nothing: what ends a read early is a signal or a long table */
		n = fd >= 0 ? read(fd, none, sizeof(none)) : 0;
	while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	(void)closed;
}
