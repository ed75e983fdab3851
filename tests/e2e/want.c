// SPDX-License-Identifier: Apache-2.0
/* Comparisons of the larger things that events hold: files, addresses, credentials, namespaces. */
#include <arpa/inet.h>
#include <hinomi/kinds.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "e2e.h"

/* Of a file that is still there, also without the actor's mounts. */
static void want_directory(struct check *check, const char *path, const Hinomi__File *got)
{
	const char *slash = strrchr(path, '/');
	char dir[4096];
	struct stat st;

	if (!slash || slash == path || (size_t)(slash - path) >= sizeof(dir))
		return;
	if (lstat(path, &st) || st.st_ino != got->inode)
		return;
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	if (!stat(dir, &st) && major(st.st_dev) == got->device_major &&
	    minor(st.st_dev) == got->device_minor)
		want_number(check, "file.directory_inode", st.st_ino, got->directory_inode);
}

void want_file(struct check *check, const char *path, const struct stat *st,
	       const Hinomi__File *got)
{
	if (!got) {
		check_fail(check, "expected a file, got none");
		return;
	}
	want_text(check, "file.path", path, &got->path);
	want_number(check, "file.path_as_asked", 0, got->path_as_asked);
	want_number(check, "file.path_truncated", 0, got->path_truncated);
	want_number(check, "file.inode", st->st_ino, got->inode);
	want_number(check, "file.device_major", major(st->st_dev), got->device_major);
	want_number(check, "file.device_minor", minor(st->st_dev), got->device_minor);
	want_number(check, "file.mode", st->st_mode, got->mode);
	want_number(check, "file.uid", st->st_uid, got->uid);
	want_number(check, "file.gid", st->st_gid, got->gid);
	want_number(check, "file.links", st->st_nlink, got->links);
	want_number(check, "file.size", (uint64_t)st->st_size, got->size);
	want_number(check, "file.changed_ns",
		    (uint64_t)st->st_ctim.tv_sec * 1000000000u + (uint64_t)st->st_ctim.tv_nsec,
		    got->changed_ns);
	want_true(check, "file.filesystem is set", got->filesystem);
	want_directory(check, path, got);
}

void want_asked(struct check *check, const char *path, const Hinomi__File *got)
{
	if (!got) {
		check_fail(check, "expected a file, got none");
		return;
	}
	want_text(check, "file.path", path, &got->path);
	want_number(check, "file.path_as_asked", 1, got->path_as_asked);
	want_number(check, "file.inode", 0, got->inode);
	want_number(check, "file.directory_inode", 0, got->directory_inode);
}

void want_ids(struct check *check, const char *what, uint32_t uid, uint32_t gid,
	      const Hinomi__Credentials *got)
{
	if (!got) {
		check_fail(check, "%s: expected credentials, got none", what);
		return;
	}
	want_number(check, "uid", uid, got->uid);
	want_number(check, "euid", uid, got->euid);
	want_number(check, "suid", uid, got->suid);
	want_number(check, "fsuid", uid, got->fsuid);
	want_number(check, "gid", gid, got->gid);
	want_number(check, "egid", gid, got->egid);
	want_number(check, "sgid", gid, got->sgid);
	want_number(check, "fsgid", gid, got->fsgid);
}

void namespaces_read(uint64_t ids[NS_COUNT])
{
	static const char *const names[NS_COUNT] = {
		"mnt", "pid_for_children", "net", "user", "uts", "ipc", "cgroup"};
	char path[64];
	struct stat st;

	for (int i = 0; i < NS_COUNT; i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		ids[i] = stat(path, &st) ? 0 : st.st_ino;
	}
	if (!stat("/proc/self/ns/pid", &st))
		ids[NS_PID] = st.st_ino;
}

void want_namespaces(struct check *check, const char *what, const uint64_t *want,
		     const Hinomi__Namespaces *got)
{
	char name[64];

	if (!got) {
		check_fail(check, "%s: expected namespaces, got none", what);
		return;
	}
	snprintf(name, sizeof(name), "%s: mnt, pid, net, user, uts, ipc, cgroup", what);
	want_number(check, name, want[NS_MNT], got->mnt);
	want_number(check, name, want[NS_PID], got->pid);
	want_number(check, name, want[NS_NET], got->net);
	want_number(check, name, want[NS_USER], got->user);
	want_number(check, name, want[NS_UTS], got->uts);
	want_number(check, name, want[NS_IPC], got->ipc);
	want_number(check, name, want[NS_CGROUP], got->cgroup);
}

static void want_unix(struct check *check, const struct sockaddr_un *want, socklen_t len,
		      const Hinomi__Address *got)
{
	size_t room = len > sizeof(sa_family_t) ? len - sizeof(sa_family_t) : 0;
	bool abstract = room && !want->sun_path[0];

	want_number(check, "address.abstract", abstract, got->abstract);
	if (abstract)
		want_bytes(check, "address.path", want->sun_path + 1, room - 1, &got->path);
	else
		want_bytes(check, "address.path", want->sun_path, strnlen(want->sun_path, room),
			   &got->path);
}

void want_address(struct check *check, const char *what, const struct sockaddr_storage *want,
		  socklen_t len, const Hinomi__Address *got)
{
	const struct sockaddr_in *v4 = (const void *)want;
	const struct sockaddr_in6 *v6 = (const void *)want;

	if (!got) {
		check_fail(check, "%s: expected an address, got none", what);
		return;
	}
	if (want->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		want_number(check, "mapped address.family", AF_INET, got->family);
		want_number(check, "address.mapped", 1, got->mapped);
		want_bytes(check, "mapped address.ip", v6->sin6_addr.s6_addr + 12, 4, &got->ip);
		want_number(check, "mapped address.port", ntohs(v6->sin6_port), got->port);
		return;
	}
	want_number(check, "address.family", want->ss_family, got->family);
	want_number(check, "address.mapped", 0, got->mapped);
	switch (want->ss_family) {
	case AF_INET:
		want_bytes(check, what, &v4->sin_addr, 4, &got->ip);
		want_number(check, "address.port", ntohs(v4->sin_port), got->port);
		break;
	case AF_INET6:
		want_bytes(check, what, &v6->sin6_addr, 16, &got->ip);
		want_number(check, "address.port", ntohs(v6->sin6_port), got->port);
		break;
	case AF_UNIX:
		want_unix(check, (const void *)want, len, got);
		break;
	default:
		want_bytes(check, what, (const char *)want + sizeof(sa_family_t),
			   len - sizeof(sa_family_t), &got->raw);
	}
}

void want_socket(struct check *check, int family, int type, int protocol, uint64_t inode,
		 const Hinomi__Socket *got)
{
	uint64_t ids[NS_COUNT];

	namespaces_read(ids);
	want_number(check, "socket.family", (uint64_t)family, got->family);
	want_number(check, "socket.type", (uint64_t)type, got->type);
	want_number(check, "socket.protocol", (uint64_t)protocol, got->protocol);
	want_number(check, "socket.cookie", inode, got->cookie);
	want_number(check, "socket.net_namespace", ids[NS_NET], got->net_namespace);
}

void want_child(struct check *check, pid_t pid, int status)
{
	const struct seen *forked = take(check, KIND_fork);
	const struct seen *exited = take_of(check, KIND_exit, pid);

	if (!forked || !exited)
		return;
	want_number(check, "fork.child.pid", (uint64_t)pid, forked->event->fork->child->pid);
	want_number(check, "exit.code", WIFEXITED(status) ? (uint64_t)WEXITSTATUS(status) : 0,
		    (uint64_t)exited->event->exit->code);
	want_number(check, "exit.signal", WIFSIGNALED(status) ? (uint64_t)WTERMSIG(status) : 0,
		    exited->event->exit->signal);
}
