// SPDX-License-Identifier: Apache-2.0
/*
 * Which lane an event goes to where that is not said by its class alone: an
 * ordinary user's loop gets no more than its budget of the must-keep ring, and no
 * further budget for every user namespace that it makes.  And what one user may
 * take of a table that others need as well.
 */
#include <errno.h>
#include <hinomi/kinds.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "e2e.h"

#define CALLS	   4000
#define NAMESPACES 8
#define NOBODY	   65534
#define FLOWS	   17000 /* more than the table has */
#define MESSAGES   3

/* Each is an event of a class to be kept, of more than 256 bytes, and costs a microsecond. */
static void flood(unsigned n)
{
	while (n--)
		if (!chroot("/"))
			continue;
}

static void act_flood(struct facts *facts)
{
	if (!chroot("/") || errno != EPERM)
		act_fail(facts, "nobody may chroot");
	flood(CALLS - 1);
}

static uint64_t want_budget(struct check *check)
{
	const struct facts *facts = check->facts;
	uint64_t told[LANES] = {0, 0};

	for (size_t i = 0; i < check->story->nevents; i++) {
		struct seen *seen = &check->story->events[i];

		if (seen->kind != KIND_chroot || seen->event->time_ns < facts->begin_ns ||
		    seen->event->time_ns > facts->end_ns)
			continue;
		told[seen->event->lane]++;
		seen->taken = true;
	}
	want_number(check, "chroots in both lanes", CALLS, told[LANE_KEEP] + told[LANE_BULK]);
	/* a slow machine takes some seconds, each with a budget of its own */
	if (told[LANE_BULK] < CALLS / 4)
		check_fail(check, "%llu of %d over the budget", (unsigned long long)told[LANE_BULK],
			   CALLS);
	return told[LANE_KEEP];
}

static void check_flood(struct check *check)
{
	want_true(check, "a part within the budget", want_budget(check) >= CALLS / 100);
}

static int inner(struct facts *facts)
{
	if (unshare(CLONE_NEWUSER)) {
		act_tried(facts, 0, -1);
		return 1;
	}
	flood(CALLS / NAMESPACES);
	return 0;
}

static void act_namespaces(struct facts *facts)
{
	for (int i = 0; i < NAMESPACES; i++)
		if (act_reap(facts, act_fork(facts, inner)))
			act_skip(facts, "unshare(CLONE_NEWUSER): %s", strerror(facts->error[0]));
}

static void check_namespaces(struct check *check)
{
	want_budget(check);
	while (there_is(check, KIND_cred_change))
		take(check, KIND_cred_change);
	for (int i = 0; i < NAMESPACES; i++) {
		take(check, KIND_fork);
		take(check, KIND_exit);
	}
}

/* Each to another address, all of this machine; nobody listens. */
static void send_to(int fd, uint32_t first, uint32_t n)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};

	for (uint32_t i = 0; i < n; i++) {
		to.sin_addr.s_addr = htonl(first + i);
		sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
	}
}

static int crowd(struct facts *facts)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)facts;
	if (setresuid(NOBODY, NOBODY, NOBODY) || fd < 0)
		return 1;
	send_to(fd, 0x7f4d0000, FLOWS);
	return 0;
}

static void act_share(struct facts *facts)
{
	int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	facts->pid[0] = act_fork(facts, crowd);
	if (act_reap(facts, facts->pid[0]))
		act_fail(facts, "the crowd");
	for (int i = 0; i < MESSAGES; i++)
		send_to(fd, 0x7f4e0001, 1);
	close(fd);
}

/* Whoever has an entry is told of once, and then by what was counted. */
static void check_share(struct check *check)
{
	uint64_t sent = 0, told = 0, crowd = 0;

	take(check, KIND_fork);
	take(check, KIND_cred_change);
	take(check, KIND_exit);
	for (size_t i = 0; i < check->story->nevents; i++) {
		struct seen *seen = &check->story->events[i];

		if (seen->kind != KIND_udp_flow || seen->taken || !seen->process)
			continue;
		if (seen->process->key->pid == (uint32_t)check->facts->pid[0]) {
			crowd++;
		} else if (seen->process->key->pid == (uint32_t)check->facts->actor) {
			told++;
			sent += seen->event->udp_flow->sent;
		} else {
			continue;
		}
		seen->taken = true;
	}
	want_true(check, "the crowd's flows are told", crowd >= FLOWS / 2);
	want_number(check, "messages of the others", MESSAGES, sent);
	want_number(check, "events of the others", 2, told);
}

const struct test lane_tests[] = {
	{"udp_flow/share", NULL, act_share, check_share},
	{"lane/flood", NULL, act_flood, check_flood, .nobody = true},
	{"lane/namespaces", NULL, act_namespaces, check_namespaces, .nobody = true},
	{},
};
