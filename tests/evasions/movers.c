// SPDX-License-Identifier: Apache-2.0
/* Data and descriptors that move without the verb that everybody watches. */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "evade.h"

#define PAGE 4096

static int made(const char *name, int flags)
{
	int fd = (int)must(open(name, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600));

	must(ftruncate(fd, PAGE));
	return fd;
}

/* A file is changed by nothing but memory. */
static int map_shared(char **argv)
{
	int fd = made("mapped", 0);
	char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	(void)argv;
	must(memory == MAP_FAILED ? -1 : 0);
	note_inode("inode", fd);
	close(fd);
	memcpy(memory, "changed", 7);
	return 0;
}

/* sendfile, copy_file_range, splice: SOURCE into three files. */
static int shovel(char **argv)
{
	int from = (int)must(open(argv[0], O_RDONLY | O_CLOEXEC)), to, pipe_fd[2];

	note_inode("source", from);
	to = made("by-sendfile", O_TRUNC);
	note_inode("sendfile", to);
	must(sendfile(to, from, &(off_t){0}, 64));
	to = made("by-splice", O_TRUNC);
	note_inode("splice", to);
	must(pipe2(pipe_fd, O_CLOEXEC));
	must(splice(from, &(off64_t){0}, pipe_fd[1], NULL, 64, 0));
	must(splice(pipe_fd[0], NULL, to, &(off64_t){0}, 64, 0));
	to = made("by-copy", O_TRUNC);
	note_inode("copy", to);
	if (copy_file_range(from, &(off64_t){0}, to, &(off64_t){0}, 64, 0) < 0 && errno != EXDEV)
		must(-1);
	return 0;
}

/* A file is opened by its number: no name at all. */
static int by_handle(char **argv)
{
	struct {
		struct file_handle head;
		unsigned char bytes[MAX_HANDLE_SZ];
	} handle = {.head.handle_bytes = MAX_HANDLE_SZ};
	int fd = made("by-number", 0), mount_id, dir;

	(void)argv;
	close(fd);
	if (name_to_handle_at(AT_FDCWD, "by-number", &handle.head, &mount_id, 0))
		return skip("this file system gives no handles");
	dir = (int)must(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	fd = (int)must(open_by_handle_at(dir, &handle.head, O_WRONLY | O_APPEND | O_CLOEXEC));
	note_inode("inode", fd);
	return 0;
}

/* A file is made without a name and gets one when it is whole. */
static int late_name(char **argv)
{
	char path[64];
	int fd = open(".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);

	(void)argv;
	if (fd < 0)
		return skip("this file system makes no files without a name");
	note_inode("inode", fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(linkat(AT_FDCWD, path, AT_FDCWD, "named-late", AT_SYMLINK_FOLLOW));
	return 0;
}

static int exchange(char **argv)
{
	int one = made("one", 0), other = made("other", 0);

	(void)argv;
	note_inode("one", one);
	note_inode("other", other);
	must(syscall(SYS_renameat2, AT_FDCWD, "one", AT_FDCWD, "other", 2 /* RENAME_EXCHANGE */));
	return 0;
}

/* One process opens, another one has it. */
static int pass(char **argv)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	char byte = 'x';
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int pair[2], fd = made("passed", 0);
	pid_t pid;

	(void)argv;
	note_inode("inode", fd);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	must(sendmsg(pair[0], &message, 0));
	pid = (pid_t)must(fork());
	if (!pid) {
		note("receiver", "%d", getpid());
		must(recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC));
		_exit(0);
	}
	usleep(300000);
	return 0;
}

/* A file system of fsopen(2) put onto DIR, and a piece of another one picked up with open_tree(2).
 */
static int new_mounts(char **argv)
{
	int fs = (int)syscall(SYS_fsopen, "tmpfs", 1), fd;

	if (fs < 0)
		return skip("this kernel has no fsopen");
	must(syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0));
	fd = (int)must(syscall(SYS_fsmount, fs, 1, 0));
	must(syscall(SYS_move_mount, fd, "", AT_FDCWD, argv[0], 4 /* F_EMPTY_PATH */));
	fd = (int)must(syscall(SYS_open_tree, AT_FDCWD, "/etc", 1 /* CLONE */));
	must(syscall(SYS_move_mount, fd, "", AT_FDCWD, argv[1], 4));
	return 0;
}

/* A file system that a program makes up. */
static int fuse(char **argv)
{
	char options[64];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return skip("there is no /dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	must(mount("made-up", argv[0], "fuse", 0, options));
	must(umount2(argv[0], MNT_DETACH));
	return 0;
}

static int user_namespace(char **argv)
{
	(void)argv;
	must(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	return 0;
}

const struct performer movers[] = {{"map-shared", map_shared},
				   {"shovel", shovel},
				   {"by-handle", by_handle},
				   {"late-name", late_name},
				   {"exchange", exchange},
				   {"pass", pass},
				   {"new-mounts", new_mounts},
				   {"fuse", fuse},
				   {"user-namespace", user_namespace},
				   {0}};
