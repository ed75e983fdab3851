// SPDX-License-Identifier: Apache-2.0
/*
 * A round of canaries: in a child of its own and harmlessly, what each hook must
 * see; files in a directory of its own.  Errors are not looked at: what it could not do is not
 * seen, and the class is then reported silent.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/internal.h"

static void tried(int result)
{
	(void)result;
}

static void touch_files(const char *dir)
{
	int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;

	if (at < 0 || fchdir(at))
		_exit(1);
	unlink("canary");
	unlink("canary.link");
	fd = open("canary", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600); /* file_create */
	close(fd);
	close(open("canary", O_RDONLY | O_CLOEXEC)); /* file_read: the directory is watched */
	fd = open("canary", O_WRONLY | O_CLOEXEC);   /* file_open */
	fchmod(fd, 0640);
	chmod("canary", 0600);
	tried(chown("canary", -1, getegid()));
	close(fd);
	tried(link("canary", "canary.link"));
	tried(symlink("nowhere", "canary.symbolic"));
	rename("canary.link", "canary.renamed");
	unlink("canary.renamed");
	unlink("canary.symbolic");
	unlink("canary");
	mkdir("canary.dir", 0700);
	rmdir("canary.dir");
	close(at);
}

static void stream_pair(int family, const struct sockaddr *address, socklen_t len)
{
	struct sockaddr_storage bound;
	socklen_t bound_len = sizeof(bound);
	int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), peer;
	struct timeval second = {.tv_sec = 1};

	setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	if (!bind(listener, address, len) && !listen(listener, 1) &&
	    !getsockname(listener, (struct sockaddr *)&bound, &bound_len) &&
	    (!connect(client, (struct sockaddr *)&bound, bound_len) || errno == EINPROGRESS)) {
		peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (peer >= 0)
			close(peer);
	}
	close(client);
	close(listener);
}

/* A unix socket once more by its name, without connect. */
static void datagram(int family, const struct sockaddr *address, socklen_t len)
{
	int a = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int b = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage bound;
	socklen_t bound_len = sizeof(bound);

	if (!bind(a, address, len) && !getsockname(a, (struct sockaddr *)&bound, &bound_len)) {
		connect(b, (struct sockaddr *)&bound, bound_len);
		if (family == AF_UNIX)
			sendto(b, "", 1, MSG_DONTWAIT, (struct sockaddr *)&bound, bound_len);
	}
	close(a);
	close(b);
}

static void touch_sockets(void)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
	struct sockaddr_un local = {.sun_family = AF_UNIX}; /* autobind: an abstract name */
	int fd;

	stream_pair(AF_INET, (void *)&v4, sizeof(v4));
	datagram(AF_INET, (void *)&v4, sizeof(v4));
	stream_pair(AF_UNIX, (void *)&local, sizeof(sa_family_t));
	datagram(AF_UNIX, (void *)&local, sizeof(sa_family_t));
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bind(fd, (void *)&v6, sizeof(v6));
	close(fd);
}

/* Gives up a capability that it will not need: a change of credentials that anyone may make. */
static void touch_creds(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &head, data))
		return;
	data[0].effective = data[1].effective = 0;
	syscall(SYS_capset, &head, data);
}

/* Whoever is not root, or not any more, is refused to be. */
static void touch_refused_creds(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		tried(syscall(SYS_setresuid, 65534, 65534, 65534));
		tried(syscall(SYS_setresuid, 0, 0, 0));
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

void canary_round(const char *dir)
{
	pid_t pid;

	touch_files(dir);
	canary_file();
	touch_sockets();
	canary_net();
	pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "hinomi-sensor", ATTACH_CANARY_ARG, NULL);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	canary_kernel();
	canary_system();
	canary_memory();
	touch_creds();
	touch_refused_creds();
	canary_attempt();
}
