// SPDX-License-Identifier: Apache-2.0
/*
 * The teller: a child that runs the iterators which turn what UDP flows and
 * summaries counted into records.  Each run needs bpf(2), which the sensor gives up
 * when it is ready; the child gives up everything else.  It reads one byte, does what
 * that says, writes one byte, and ends with its parent.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/internal.h"
#include "base/clock.h"

#define CAP_BPF_NUMBER 39
#define ANSWER_NS      (20 * NS_PER_SEC) /* who takes longer was stopped */
#define TURN_NS	       (4 * NS_PER_SEC)	 /* between two turns of the summaries, at least */
#define ITERATORS      2
#define LINK_FD	       3 /* the first of them */
#define PEER_FD	       (LINK_FD + ITERATORS)
#define ALLOW(call)                                            \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void caps_drop(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return;
	data[0] = (struct __user_cap_data_struct){};
	data[1].permitted &= 1u << (CAP_BPF_NUMBER - 32);
	data[1].effective = data[1].permitted;
	data[1].inheritable = 0;
	syscall(SYS_capset, &head, data);
}

static void calls_drop(void)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(read),
		ALLOW(write),
		ALLOW(close),
		ALLOW(bpf),
		ALLOW(exit_group),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog filter = {.len = ARRAY_SIZE(code), .filter = code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static void tell(int link)
{
	union bpf_attr attr = {.iter_create = {.link_fd = (uint32_t)link}};
	int fd = (int)syscall(SYS_bpf, BPF_ITER_CREATE, &attr, sizeof(attr));
	char none[64];
	ssize_t n;

	if (fd < 0)
		return;
	do /* the program writes nothing: what ends a read early is a signal or a long table */
		n = read(fd, none, sizeof(none));
	while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	close(fd);
}

static void teller(const int links[ITERATORS], int peer, uint32_t *flush)
{
	static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE};
	char all;

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN); /* the parent's last question comes behind them */
	if (dup2(peer, PEER_FD) != PEER_FD)
		_exit(1);
	for (int i = 0; i < ITERATORS; i++)
		if (links[i] < 0)
			close(LINK_FD + i);
		else if (dup2(links[i], LINK_FD + i) != LINK_FD + i)
			_exit(1);
	syscall(SYS_close_range, PEER_FD + 1, ~0u, 0);
	caps_drop();
	calls_drop();
	while (read(PEER_FD, &all, 1) == 1) {
		__atomic_store_n(flush, all, __ATOMIC_SEQ_CST);
		for (int i = 0; i < ITERATORS; i++)
			tell(LINK_FD + i);
		__atomic_store_n(flush, 0, __ATOMIC_SEQ_CST);
		if (write(PEER_FD, "", 1) != 1)
			break;
	}
	_exit(0);
}

static int summaries_link(const struct attach *attach)
{
	for (unsigned i = 0; i < attach->nlinks; i++)
		if (entry_has(SUMMARIES_PROGRAMS, attach->link_names[i]))
			return attach->links[i];
	return -1;
}

int flows_start(struct attach *attach)
{
	int links[ITERATORS] = {attach->flows_link, summaries_link(attach)};
	int pair[2], peer = -1;
	pid_t pid;

	if (links[0] < 0 && links[1] < 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (pid == 0) {
		helper_forget(attach);
		/* out of the way of the numbers that they get */
		for (int i = 0; i < ITERATORS; i++)
			links[i] = links[i] < 0 ? -1 : fcntl(links[i], F_DUPFD, PEER_FD + 1);
		peer = fcntl(pair[1], F_DUPFD, PEER_FD + 1);
		teller(links, peer, &attach->control->flush);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -errno;
	}
	attach->own[OWN_TELLER].pid = pid;
	attach->teller_fd = pair[0];
	return 0;
}

void flows_stop(struct attach *attach)
{
	if (attach->teller_fd < 0)
		return;
	close(attach->teller_fd);
	attach->teller_fd = -1;
	if (attach->orders) /* it does not answer, so it does not end by itself */
		kill(attach->own[OWN_TELLER].pid, SIGKILL);
	waitpid(attach->own[OWN_TELLER].pid, NULL, 0);
}

static int order(struct attach *attach, char what)
{
	uint64_t now = clock_boot_ns();

	if (!attach->orders)
		attach->ordered_ns = now;
	/* a program that has read a turn's number is done with it long before two more are over */
	if (now - attach->turned_ns > TURN_NS) {
		__atomic_fetch_add(&attach->control->turn, 1, __ATOMIC_SEQ_CST);
		attach->turned_ns = now;
	}
	__atomic_store_n(&attach->control->untold, 0, __ATOMIC_SEQ_CST);
	if (send(attach->teller_fd, &what, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		return -EPIPE;
	attach->orders++;
	return 0;
}

/* Answers that are there; -EPIPE when one is overdue. */
static int hear(struct attach *attach)
{
	char answers[16];
	ssize_t n = recv(attach->teller_fd, answers, sizeof(answers), MSG_DONTWAIT);

	if (!n || (n < 0 && errno != EAGAIN && errno != EINTR))
		return -EPIPE;
	if (n > 0) {
		attach->orders -= (unsigned)n < attach->orders ? (unsigned)n : attach->orders;
		attach->ordered_ns = clock_boot_ns();
	}
	return attach->orders && clock_boot_ns() - attach->ordered_ns > ANSWER_NS ? -EPIPE : 0;
}

bool attach_untold(const struct attach *attach)
{
	return __atomic_load_n(&attach->control->untold, __ATOMIC_SEQ_CST);
}

int attach_flows(struct attach *attach, bool all)
{
	struct pollfd wait = {.fd = attach->teller_fd, .events = POLLIN};
	int err;

	if (attach->teller_fd < 0)
		return -ENOENT;
	err = hear(attach);
	if (err || (attach->orders && !all))
		return err;
	err = order(attach, (char)all);
	while (!err && all && attach->orders) {
		poll(&wait, 1, ANSWER_NS / NS_PER_MS);
		err = hear(attach);
	}
	return err;
}
