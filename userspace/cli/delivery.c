/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/delivery.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/log.h"

/* Where that user is not installed: a user and group of no one else, which nobody and nogroup are
 * not. */
#define USER	   "hinomi-forward"
#define PRIVATE_ID 0x68696e6f
#define DELIVER_MS 10000 /* what is left over is delivered by the next run */
#define STOP_MS	   5000

/* Not by NSS, which may load anything and ask the network. */
static bool find_user(const char *name, struct child_user *ret)
{
	CLEANUP(fclose) FILE *file = fopen("/etc/passwd", "re");
	struct passwd *entry;

	while (file && (entry = fgetpwent(file)))
		if (!strcmp(entry->pw_name, name)) {
			*ret = (struct child_user){.uid = entry->pw_uid, .gid = entry->pw_gid};
			return true;
		}
	return false;
}

/* The directories above path, for all to pass through and none to list. */
static int make_parents(const char *path)
{
	CLEANUP(free) char *parent = strdup(path);

	if (!parent || !*parent)
		return parent ? -EINVAL : -ENOMEM;
	for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int err;

		*slash = '\0';
		err = mkdir(parent, 0711) && errno != EEXIST ? -errno : 0;
		*slash = '/';
		if (err)
			return err;
	}
	return 0;
}

/* DIR/forward for DIR/spool, where hinomi-forward looks by itself. */
static int name_state(struct delivery *delivery)
{
	size_t size = strlen(delivery->spool);
	const char *slash;

	while (size > 1 && delivery->spool[size - 1] == '/')
		size--;
	slash = memrchr(delivery->spool, '/', size);
	size = slash ? (size_t)(slash + 1 - delivery->spool) : 0;
	if ((size_t)snprintf(delivery->state, sizeof(delivery->state), "%.*sforward", (int)size,
			     delivery->spool) >= sizeof(delivery->state))
		return -ENAMETOOLONG;
	return 0;
}

static int make_state(const struct delivery *delivery)
{
	CLEANUP(close_fd) int fd = -1;

	if (mkdir(delivery->state, 0700) && errno != EEXIST)
		return -errno;
	fd = open(delivery->state, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!geteuid() && fchown(fd, delivery->user.uid, delivery->user.gid))
		return -errno;
	return 0;
}

int delivery_prepare(struct delivery *delivery, const char *spool, const char *config_path,
		     bool has_sinks)
{
	int err;

	*delivery = (struct delivery){
		.spool = spool,
		.config_path = config_path,
		.has_sinks = has_sinks,
		.user = {.uid = PRIVATE_ID, .gid = PRIVATE_ID},
	};
	if (!find_user(USER, &delivery->user))
		snprintf(delivery->group, sizeof(delivery->group), "%u",
			 geteuid() ? (unsigned)getegid() : (unsigned)PRIVATE_ID);
	err = make_parents(spool);
	if (!err)
		err = name_state(delivery);
	return err ? err : make_state(delivery);
}

static int start(struct delivery *delivery, struct child *child, bool once)
{
	char *argv[10] = {"hinomi-forward", "--spool", (char *)delivery->spool, "--state",
			  delivery->state};
	int count = 5;

	if (delivery->config_path) {
		argv[count++] = "--config";
		argv[count++] = (char *)delivery->config_path;
	}
	if (once)
		argv[count++] = "--once";
	return child_start(child, argv, NULL, &delivery->user);
}

void delivery_start(struct delivery *delivery)
{
	int err = start(delivery, &delivery->child, false);

	if (err)
		log_warning("cannot start hinomi-forward: %s; events are kept in the spool",
			    strerror(-err));
}

void delivery_check(struct delivery *delivery)
{
	char how[64];

	if (delivery->told || !child_check(&delivery->child))
		return;
	delivery->told = true;
	child_describe(&delivery->child, how, sizeof(how));
	log_warning("hinomi-forward ended, %s; sensing goes on, and events are kept in the spool",
		    how);
}

static void stop(struct child *child)
{
	child_signal(child, SIGTERM);
	if (child_wait(child, STOP_MS))
		return;
	child_signal(child, SIGKILL);
	child_wait(child, STOP_MS);
}

void delivery_stop(struct delivery *delivery)
{
	struct child last = {0};
	bool was_running = delivery->child.pid && !child_check(&delivery->child);

	if (!delivery->child.pid)
		return;
	stop(&delivery->child);
	if (!was_running || !delivery->has_sinks || start(delivery, &last, true))
		return;
	if (!child_wait(&last, DELIVER_MS) || !WIFEXITED(last.status) || WEXITSTATUS(last.status))
		log_warning("not all events were delivered; they are kept in the spool");
	stop(&last);
}
