// SPDX-License-Identifier: Apache-2.0
/*
 * The service manager's descriptor store: maps and links are handed to it after
 * attaching, so that the programs go on while no sensor runs, and a successor
 * reads what they wrote meanwhile.  Names carry a checksum of the BPF object:
 * another build does not take them up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "attach/internal.h"
#include "base/crc32c.h"

#define FIRST_FD 3

static uint32_t layout(const struct attach *attach)
{
	const struct attach_options *o = &attach->options;
	size_t size;
	const void *bytes = object_bytes(&size);
	uint32_t crc = crc32c(0, bytes, size);

	crc = crc32c(crc, o->ring_bytes, sizeof(o->ring_bytes));
	crc = crc32c(crc, o->kinds_off, sizeof(o->kinds_off));
	crc = crc32c(crc, &o->summaries, sizeof(o->summaries));
	crc = crc32c(crc, &o->tier_min, sizeof(o->tier_min));
	return o->cgroup ? crc32c(crc, o->cgroup, strlen(o->cgroup)) : crc;
}

static int send_fd(const char *message, int fd)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)),
			      .cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS}};
	struct iovec text = {.iov_base = (void *)message, .iov_len = strlen(message)};
	struct msghdr msg = {.msg_name = &to, .msg_iov = &text, .msg_iovlen = 1};
	CLEANUP(close_fd) int s = -1;

	if (!path || strlen(path) >= sizeof(to.sun_path) || (*path != '/' && *path != '@'))
		return -ENOENT;
	memcpy(to.sun_path, path, strlen(path));
	msg.msg_namelen = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	if (*path == '@')
		to.sun_path[0] = 0;
	if (fd >= 0) {
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.bytes);
	}
	s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0 || sendmsg(s, &msg, MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

static void keep_one(uint32_t is, const char *what, const char *name, int fd)
{
	char message[160];

	snprintf(message, sizeof(message), "FDSTORE=1\nFDPOLL=0\nFDNAME=hinomi.%08x.%s.%s", is,
		 what, name);
	send_fd(message, fd);
}

void store_keep(const struct attach *attach)
{
	uint32_t is = layout(attach);

	if (attach->resumed || !attach->options.resume)
		return;
	for (int i = 0; i < MAPS; i++)
		keep_one(is, "map", map_names[i], attach->map_fds[i]);
	for (unsigned i = 0; i < attach->nlinks; i++)
		keep_one(is, "link", attach->link_names[i], attach->links[i]);
	for (unsigned i = 0; i < attach->nprograms; i++)
		keep_one(is, "prog", attach->programs[i].name, attach->programs[i].fd);
	if (attach->tasks_link >= 0)
		keep_one(is, "iter", "tasks", attach->tasks_link);
	if (attach->flows_link >= 0)
		keep_one(is, "iter", "flows", attach->flows_link);
}

/* What an earlier process left and this one does not take up: out of the store, by name. */
static void drop_one(const char *name, int fd)
{
	char message[320];

	snprintf(message, sizeof(message), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	send_fd(message, -1);
	close(fd);
}

static bool take_one(struct attach *attach, const char *name, int fd)
{
	for (int i = 0; i < MAPS; i++)
		if (!strncmp(name, "map.", 4) && !strcmp(name + 4, map_names[i])) {
			attach->map_fds[i] = fd;
			return true;
		}
	if (!strcmp(name, "iter.tasks")) {
		attach->tasks_link = fd;
		return true;
	}
	if (!strcmp(name, "iter.flows")) {
		attach->flows_link = fd;
		return true;
	}
	if (!strncmp(name, "prog.", 5)) {
		unsigned before = attach->nprograms;

		skipped_program(attach, name + 5, fd);
		return attach->nprograms > before;
	}
	if (strncmp(name, "link.", 5) || attach->nlinks == LINKS_MAX)
		return false;
	snprintf(attach->link_names[attach->nlinks], sizeof(attach->link_names[0]), "%s", name + 5);
	attach->links[attach->nlinks++] = fd;
	return true;
}

static bool has_link(const struct attach *attach, const char *entry)
{
	for (; *entry; entry += strcspn(entry, "|"), entry += *entry == '|')
		for (unsigned i = 0; i < attach->nlinks; i++)
			if (strlen(attach->link_names[i]) == strcspn(entry, "|") &&
			    !strncmp(attach->link_names[i], entry, strcspn(entry, "|")))
				return true;
	return false;
}

static void hook_restore(struct attach *attach, unsigned c, const char *entry, struct hook_set *set)
{
	for (unsigned i = 0; i < attach->nlinks; i++)
		for (const char *at = entry; *at; at += strcspn(at, "|"), at += *at == '|')
			if (strlen(attach->link_names[i]) == strcspn(at, "|") &&
			    !strncmp(attach->link_names[i], at, strcspn(at, "|"))) {
				hook_add(set, hook_by_name(attach->link_names[i]));
				skipped_class(attach, attach->link_names[i], classes[c].kind);
			}
}

/* Which tier each class was on, told by the links that are there. */
static void states_restore(struct attach *attach)
{
	for (unsigned c = 0; c < nclasses; c++) {
		struct class_state *state = &attach->states[c];

		state->tier = -1;
		state->off = kind_is_off(&attach->options, classes[c].kind);
		for (int t = 0; t < TIERS_MAX && state->tier < 0 && !state->off; t++) {
			const struct tier *tier = &classes[c].tiers[t];
			int n = 0;

			while (n < PROGRAMS_MAX && tier->programs[n] &&
			       has_link(attach, tier->programs[n]))
				n++;
			if (!n || (n < PROGRAMS_MAX && tier->programs[n]))
				continue;
			state->tier = t;
			state->attached = true;
			while (n--)
				hook_restore(attach, c, tier->programs[n], &state->hooks_wanted);
			for (int i = 0; i < EXTRAS_MAX && tier->extras[i]; i++)
				hook_restore(attach, c, tier->extras[i], &state->hooks_extra);
		}
		if (state->tier > 0)
			snprintf(state->reason, sizeof(state->reason), "as before the restart");
		else if (state->tier < 0 && !state->off)
			snprintf(state->reason, sizeof(state->reason),
				 "nothing was attached before the restart");
	}
}

int store_take(struct attach *attach)
{
	const char *count = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES"),
		   *pid = getenv("LISTEN_PID");
	int n = count ? atoi(count) : 0, maps = 0;
	char ours[24];

	if (n <= 0 || !names || !pid || atoi(pid) != getpid())
		return 0;
	snprintf(ours, sizeof(ours), "hinomi.%08x.", layout(attach));
	for (int i = 0; i < MAPS; i++)
		attach->map_fds[i] = -1;
	for (int fd = FIRST_FD; fd < FIRST_FD + n; fd++) {
		char name[256];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(names, ":"), names);
		names += strcspn(names, ":");
		names += *names == ':';
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		if (strncmp(name, ours, strlen(ours)) || !take_one(attach, name + strlen(ours), fd))
			drop_one(name, fd);
	}
	while (maps < MAPS && attach->map_fds[maps] >= 0)
		maps++;
	if (maps < MAPS || !attach->nlinks || attach_map_memory(attach))
		return 0;
	states_restore(attach);
	return 1;
}
