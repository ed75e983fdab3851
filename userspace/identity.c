// SPDX-License-Identifier: Apache-2.0
/* Who we are: the sensor's id lies in its spool, the boot's comes from the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "pipeline.h"
#include "base/cleanup.h"

static int boot_id_read(uint8_t id[16])
{
	CLEANUP(fclose) FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	char text[64];
	int n = 0;

	if (!f || !fgets(text, sizeof(text), f))
		return -EIO;
	for (const char *c = text; *c && n < 16; c++) {
		unsigned byte;

		if (*c == '-')
			continue;
		if (sscanf(c, "%2x", &byte) != 1)
			break;
		id[n++] = byte;
		c++;
	}
	return n == 16 ? 0 : -EBADMSG;
}

int identity_load(const char *dir, struct seal_identity *ret)
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	ssize_t n;

	if (at < 0)
		return -errno;
	fd = openat(at, "sensor_id", O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, ret->sensor_id, 16) : -1;
	if (n != 16) {
		if (fd >= 0)
			close(fd);
		fd = openat(at, "sensor_id.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
		if (fd < 0 || getrandom(ret->sensor_id, 16, 0) != 16 ||
		    write(fd, ret->sensor_id, 16) != 16 || fsync(fd) ||
		    renameat(at, "sensor_id.new", at, "sensor_id") || fsync(at))
			return -errno ?: -EIO;
	}
	return boot_id_read(ret->boot_id);
}

int group_id(const char *name)
{
	CLEANUP(fclose) FILE *f = NULL;
	char line[1024], *end;
	long gid;

	if (!name || !*name)
		return -1;
	gid = strtol(name, &end, 10);
	if (!*end)
		return gid;
	f = fopen("/etc/group", "re"); /* not by NSS, which may load anything */
	while (f && fgets(line, sizeof(line), f)) {
		size_t n = strcspn(line, ":");
		char *id = line[n] ? strchr(line + n + 1, ':') : NULL;

		if (id && n == strlen(name) && !strncmp(line, name, n))
			return atoi(id + 1);
	}
	return -1;
}
