// SPDX-License-Identifier: Apache-2.0
/*
 * The canaries' keeper: a child from before the sensor gives up its rights and
 * knows any secret.  Told so by one byte, it runs one round in a child of its
 * own, answers with one byte, and ends with the sensor.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/internal.h"

#define ROUND_SECONDS 15 /* a round that hangs is killed */
#define MISSES_MAX    2	 /* rounds in a row that a hook may not be seen in */
#define LOSSES_MAX    3	 /* the same, when its records may have been lost for want of ring space */

static void dies_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

static void keep(int peer, pid_t sensor, const char *dir)
{
	static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE};
	pid_t self = getpid(), pid;
	char byte;

	dies_with(sensor);
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN); /* it ends when the sensor does */
	if (dup2(peer, 3) != 3)
		_exit(1);
	syscall(SYS_close_range, 4, ~0u, 0);
	while (read(3, &byte, 1) == 1) {
		pid = fork();
		if (pid == 0) {
			dies_with(self);
			alarm(ROUND_SECONDS);
			canary_round(dir);
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
		if (write(3, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

struct search {
	struct attach *attach;
	uint32_t pid_ns;
};

static void compare(void *ctx, const void *bytes, size_t size)
{
	const struct search *search = ctx;
	const struct record *record = bytes;

	if (size < sizeof(*record) || record->actor.ns.pid != search->pid_ns)
		return;
	for (int i = 0; i < OWN_MAX; i++)
		if (search->attach->own[i].pid &&
		    record->actor.ns_tgid == (uint32_t)search->attach->own[i].pid)
			search->attach->own[i].key = record->actor.key;
}

/* A container's process ids are not the kernel's: the iterator knows both. */
void own_find(struct attach *attach)
{
	struct search search = {.attach = attach};
	struct stat st;

	for (int i = 0; i < OWN_MAX; i++)
		attach->own[i].key = (struct process_key){.tgid = attach->own[i].pid};
	if (!stat("/proc/self/ns/pid", &st)) {
		search.pid_ns = st.st_ino;
		attach_tasks(attach, compare, &search);
	}
	for (int i = 0; i < OWN_MAX; i++)
		attach->control->protected[i] = attach->own[i].key.tgid;
}

int attach_canary_open(struct attach *attach, const char *dir)
{
	pid_t sensor = getpid(), pid;
	int pair[2];

	if (attach->blind)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
		return -errno;
	if (fcntl(pair[1], F_SETFL, 0))
		return -errno;
	pid = fork();
	if (pid == 0) {
		munmap(attach->control, sizeof(struct control));
		helper_forget(attach);
		keep(pair[1], sensor, dir);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -errno;
	}
	attach->keeper_fd = pair[0];
	snprintf(attach->canary_dir, sizeof(attach->canary_dir), "%s", dir);
	attach->own[OWN_KEEPER].pid = pid;
	own_find(attach);
	return 0;
}

void keeper_stop(struct attach *attach)
{
	if (attach->keeper_fd < 0)
		return;
	close(attach->keeper_fd);
	attach->keeper_fd = -1;
	kill(attach->own[OWN_KEEPER].pid, SIGKILL);
	waitpid(attach->own[OWN_KEEPER].pid, NULL, 0);
}

int attach_canary_fd(const struct attach *attach)
{
	return attach->keeper_fd;
}

static uint64_t lost_for_ring(const struct attach *attach, unsigned kind)
{
	uint64_t sum = 0;

	for (unsigned cpu = 0; cpu < attach->cpus; cpu++)
		for (int lane = 0; lane < LANES; lane++)
			sum += __atomic_load_n(
				&attach->ledger[cpu * KINDS_MAX + kind].lost_ring[lane],
				__ATOMIC_RELAXED);
	return sum;
}

/* Where somebody else has written, that is left to attach_check to find. */
static void round_of(struct attach *attach, uint32_t keeper)
{
	uint32_t before = attach->expected.canary_tgid;

	attach->expected.canary_tgid = keeper;
	if (!attach->settled)
		before = attach->control->canary_tgid;
	__atomic_compare_exchange_n(&attach->control->canary_tgid, &before, keeper, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

int attach_canary_start(struct attach *attach)
{
	for (unsigned c = 0; c < nclasses; c++) {
		attach->states[c].hooks_seen = (struct hook_set){};
		attach->states[c].lost_before = lost_for_ring(attach, classes[c].kind);
	}
	watch_canary(attach, attach->canary_dir);
	round_of(attach, attach->own[OWN_KEEPER].key.tgid);
	return send(attach->keeper_fd, "", 1, MSG_NOSIGNAL) == 1 ? 0 : -EPIPE;
}

int attach_canary_over(struct attach *attach)
{
	char byte;
	ssize_t n = read(attach->keeper_fd, &byte, 1);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	round_of(attach, 0);
	return n == 1 ? 1 : -EPIPE;
}

static bool is_same(const struct process_key *a, const struct process_key *b)
{
	return a->tgid == b->tgid && a->start_ns == b->start_ns;
}

/* What ends later than its maker, a socket for one, has no mark.  The keeper lives, or was not
 * waited for yet: its process id is nobody else's.  A round is its child, and children of a round
 * are known by the round's start as well. */
bool attach_is_canary(struct attach *attach, const struct record *record)
{
	uint32_t keeper = attach->own[OWN_KEEPER].key.tgid;

	if (!keeper || !record->actor.key.tgid)
		return false;
	if (record->actor.parent.tgid == keeper)
		attach->round = record->actor.key;
	else if (record->actor.key.tgid != keeper)
		return record->flags & RECORD_CANARY ||
		       is_same(&record->actor.parent, &attach->round);
	return true;
}

void attach_canary_seen(struct attach *attach, unsigned kind, unsigned hook, uint64_t time_ns)
{
	for (unsigned c = 0; c < nclasses; c++)
		if (classes[c].kind == kind && hook < HOOKS) {
			hook_add(&attach->states[c].hooks_seen, hook);
			attach->states[c].seen_ns = time_ns;
		}
}

/* True: to be asked again before we believe it. */
static bool class_judge(struct attach *attach, unsigned c)
{
	struct class_state *state = &attach->states[c];

	if (!hooks_missing(&state->hooks_wanted, &state->hooks_seen)) {
		state->verdict = VERDICT_SEEN;
		state->proven = true;
		state->missed = state->lost = 0;
		return false;
	}
	if (is_excused(state)) {
		state->verdict = VERDICT_MISSED;
		return false;
	}
	if (lost_for_ring(attach, classes[c].kind) != state->lost_before) {
		if (++state->lost >= LOSSES_MAX)
			state->verdict = VERDICT_LOST;
		return state->lost < LOSSES_MAX;
	}
	if (state->missed < MISSES_MAX)
		state->missed++;
	state->hooks_proven = state->hooks_seen;
	if (state->missed < MISSES_MAX)
		return true;
	state->verdict = VERDICT_MISSED;
	return false;
}

bool attach_canary_judge(struct attach *attach, bool answered)
{
	bool again = false;

	attach->unanswered = !answered;
	for (unsigned c = 0; answered && c < nclasses; c++)
		if (attach->states[c].attached)
			again |= class_judge(attach, c);
	if (attach->settled || again)
		return !again;
	if (answered && attach_fall_back(attach))
		return false;
	attach->settled = true;
	memcpy(&attach->expected, attach->control, sizeof(attach->expected));
	linked_note(attach);
	if (!attach->blind)
		store_keep(attach);
	return true;
}

uint32_t attach_process(const struct attach *attach, unsigned n, const char **name)
{
	static const char *const names[OWN_MAX] = {
		[OWN_SENSOR] = "hinomi-sensor",
		[OWN_KEEPER] = "canary keeper",
		[OWN_TELLER] = "flow teller",
	};

	*name = names[n];
	return attach->own[n].key.tgid;
}

static bool restore(void *now, const void *expected, size_t size)
{
	if (!memcmp(now, expected, size))
		return false;
	memcpy(now, expected, size);
	return true;
}

void attach_protect(struct attach *attach, const uint32_t tgids[ATTACH_PROTECT])
{
	size_t size = ATTACH_PROTECT * sizeof(*tgids);

	if (!memcmp(attach->expected.protected + PROTECTED_OWN, tgids, size))
		return;
	memcpy(attach->expected.protected + PROTECTED_OWN, tgids, size);
	memcpy(attach->control->protected + PROTECTED_OWN, tgids, size);
}

const char *attach_check(struct attach *attach)
{
	struct control *c = attach->control, *e = &attach->expected;

	if (restore(&c->own_tgid, &e->own_tgid, sizeof(c->own_tgid)))
		return "the process that is not observed";
	if (restore(&c->canary_tgid, &e->canary_tgid, sizeof(c->canary_tgid)))
		return "the process whose events are taken for a canary's";
	if (restore(c->protected, e->protected, sizeof(c->protected)))
		return "the processes that are protected";
	if (restore(c->tap_native, e->tap_native, sizeof(c->tap_native)) ||
	    restore(c->tap_compat, e->tap_compat, sizeof(c->tap_compat)))
		return "the system calls that are looked at";
	return restore(c->tapped, e->tapped, sizeof(c->tapped)) ? "the classes on the exit tap"
								: NULL;
}
