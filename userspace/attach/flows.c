// SPDX-License-Identifier: Apache-2.0
/* Runs the iterator that turns what UDP flows counted into records. */
#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

#include "attach/internal.h"

int attach_flows(struct attach *attach, bool all)
{
	CLEANUP(close_fd) int fd = -1;
	char none[64];
	ssize_t n;

	if (attach->flows_link < 0)
		return -ENOENT;
	fd = bpf_iter_create(attach->flows_link);
	if (fd < 0)
		return -errno;
	__atomic_store_n(&attach->control->flush, all, __ATOMIC_SEQ_CST);
	do /* the program writes nothing: one read goes over the whole table */
		n = read(fd, none, sizeof(none));
	while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	__atomic_store_n(&attach->control->flush, 0, __ATOMIC_SEQ_CST);
	return n < 0 ? -errno : 0;
}
