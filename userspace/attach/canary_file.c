// SPDX-License-Identifier: Apache-2.0
/* The canary's part for what changes a file without opening it, in the directory where it works. */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "attach/internal.h"

static void tried(long result)
{
	(void)result;
}

/* As the kernel has it: a version, then three entries, which say what mode 0600 says. */
static void touch_acl(const char *name)
{
	static const struct {
		uint32_t version;
		struct {
			uint16_t tag, permissions;
			uint32_t id;
		} entries[3];
	} acl = {2, {{1, 6, UINT32_MAX}, {4, 0, UINT32_MAX}, {32, 0, UINT32_MAX}}};

	tried(setxattr(name, "system.posix_acl_access", &acl, sizeof(acl), 0));
	tried(removexattr(name, "system.posix_acl_access"));
}

static void touch_change(const char *name)
{
	static const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 2}};
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600), flags = 0;
	void *mapped;

	tried(setxattr(name, "user.canary", "", 0, 0)); /* seen where it is refused, too */
	tried(removexattr(name, "user.canary"));
	touch_acl(name);
	tried(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	tried(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	tried(truncate(name, 1));
	tried(ftruncate(fd, 0));
	tried(utimensat(AT_FDCWD, name, old, 0));
	mapped = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped != MAP_FAILED)
		munmap(mapped, 1);
	close(fd);
}

void canary_file(void)
{
	mkdir("canary.inner", 0700);
	rmdir("canary.inner");
	mkfifo("canary.pipe", 0600);
	unlink("canary.pipe");
	tried(mknod("canary.change", S_IFREG | 0600, 0));
	touch_change("canary.change");
	unlink("canary.change");
}
