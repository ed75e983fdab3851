/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powerd SOCKET IMAGE SEED: a disk with a volatile cache, for QEMU, as an NBD server on a Unix
 * socket.  What was written is read back, and gets to the image with the next flush.  When the
 * connection ends, the power failed: of what was not flushed any part gets there, down to sectors,
 * in any order.  Then it waits for the next connection.  Prints a line for each: writes that were
 * whole, torn and lost.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SECTOR	    512u
#define WRITE_MAX   (32u << 20)
#define PENDING_MAX 65536u /* beyond, the oldest gets to the image, as in a real cache */

enum { OPTION_EXPORT_NAME = 1, OPTION_ABORT = 2, OPTION_INFO = 6, OPTION_GO = 7 };
enum { REPLY_ACK = 1, REPLY_INFO = 3 };
#define REPLY_UNSUPPORTED 0x80000001u
enum { COMMAND_READ, COMMAND_WRITE, COMMAND_DISCONNECT, COMMAND_FLUSH };
#define COMMAND_FUA 1u
/* it has flags, takes flushes, and writes through when it is told to */
#define EXPORT_FLAGS (1u | 4u | 8u)

struct pending {
	uint64_t offset;
	uint32_t size;
	uint8_t *bytes;
};

static struct pending pending[PENDING_MAX];
static unsigned npending;
static uint8_t *view; /* what the guest sees */
static uint64_t size;
static int image;
static uint64_t seed;

static void die(const char *what)
{
	fprintf(stderr, "powerd: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t dice(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static bool read_all(int fd, void *to, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = read(fd, (char *)to + done, n - done);

		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static bool write_all(int fd, const void *from, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t put = send(fd, (const char *)from + done, n - done, MSG_NOSIGNAL);

		if (put <= 0)
			return false;
		done += (size_t)put;
	}
	return true;
}

static void to_image(const struct pending *p, uint64_t from, uint64_t n)
{
	if (pwrite(image, p->bytes + from, n, (off_t)(p->offset + from)) != (ssize_t)n)
		die("image");
}

static void flush(void)
{
	for (unsigned i = 0; i < npending; i++) {
		to_image(&pending[i], 0, pending[i].size);
		free(pending[i].bytes);
	}
	npending = 0;
}

static void hold(uint64_t offset, uint32_t n)
{
	if (npending == PENDING_MAX) {
		to_image(&pending[0], 0, pending[0].size);
		free(pending[0].bytes);
		memmove(pending, pending + 1, --npending * sizeof(pending[0]));
	}
	pending[npending] = (struct pending){offset, n, malloc(n)};
	if (!pending[npending].bytes)
		die("memory");
	memcpy(pending[npending++].bytes, view + offset, n);
}

/* Whole, some sectors, or nothing of each, the later ones not always last. */
static void power_fails(void)
{
	unsigned counts[3] = {0};

	for (unsigned i = npending; i > 1; i--) {
		struct pending *other = &pending[dice() % i], p = pending[i - 1];

		if (dice() % 4)
			continue;
		pending[i - 1] = *other;
		*other = p;
	}
	for (unsigned i = 0; i < npending; i++) {
		unsigned luck = dice() % 3;

		counts[luck]++;
		for (uint32_t at = 0; at < pending[i].size; at += SECTOR)
			if (luck == 0 || (luck == 1 && dice() % 2))
				to_image(&pending[i], at, SECTOR);
		free(pending[i].bytes);
	}
	npending = 0;
	printf("cut: %u whole, %u torn, %u lost\n", counts[0], counts[1], counts[2]);
	fflush(stdout);
}

static bool reply_option(int fd, uint32_t option, uint32_t type, const void *data, uint32_t n)
{
	struct {
		uint64_t magic;
		uint32_t option, type, size;
	} __attribute__((packed))
	head = {htobe64(0x3e889045565a9ull), htobe32(option), htobe32(type), htobe32(n)};

	return write_all(fd, &head, sizeof(head)) && (!n || write_all(fd, data, n));
}

static bool tell_export(int fd, uint32_t option)
{
	struct {
		uint16_t info;
		uint64_t size;
		uint16_t flags;
	} __attribute__((packed)) export = {0, htobe64(size), htobe16(EXPORT_FLAGS)};

	return reply_option(fd, option, REPLY_INFO, &export, sizeof(export)) &&
	       reply_option(fd, option, REPLY_ACK, NULL, 0);
}

/* true: requests come next */
static bool negotiate(int fd)
{
	struct {
		uint64_t magic, version;
		uint16_t flags;
	} __attribute__((packed))
	hello = {htobe64(0x4e42444d41474943ull), htobe64(0x49484156454f5054ull), htobe16(3)};
	uint32_t client_flags;

	if (!write_all(fd, &hello, sizeof(hello)) || !read_all(fd, &client_flags, 4))
		return false;
	for (;;) {
		struct {
			uint64_t magic;
			uint32_t option, size;
		} __attribute__((packed)) head;
		uint8_t data[4096];
		uint32_t option, n;

		if (!read_all(fd, &head, sizeof(head)))
			return false;
		option = be32toh(head.option);
		n = be32toh(head.size);
		if (n > sizeof(data) || !read_all(fd, data, n))
			return false;
		if (option == OPTION_GO)
			return tell_export(fd, option);
		if (option == OPTION_ABORT || option == OPTION_EXPORT_NAME)
			return false;
		if (!(option == OPTION_INFO ? tell_export(fd, option)
					    : reply_option(fd, option, REPLY_UNSUPPORTED, NULL, 0)))
			return false;
	}
}

struct request {
	uint32_t magic;
	uint16_t flags, command;
	uint64_t handle, offset;
	uint32_t size;
} __attribute__((packed));

static bool answer(int fd, uint64_t handle)
{
	struct {
		uint32_t magic, error;
		uint64_t handle;
	} __attribute__((packed)) head = {htobe32(0x67446698), 0, handle};

	return write_all(fd, &head, sizeof(head));
}

/* false: the connection is to end */
static bool serve_one(int fd)
{
	struct request request;
	uint64_t offset;
	uint32_t n;

	if (!read_all(fd, &request, sizeof(request)) || be32toh(request.magic) != 0x25609513)
		return false;
	offset = be64toh(request.offset);
	n = be32toh(request.size);
	switch (be16toh(request.command)) {
	case COMMAND_READ:
		if (n > WRITE_MAX || offset > size || n > size - offset)
			return false;
		return answer(fd, request.handle) && write_all(fd, view + offset, n);
	case COMMAND_WRITE:
		if (n > WRITE_MAX || offset > size || n > size - offset || n % SECTOR ||
		    !read_all(fd, view + offset, n))
			return false;
		hold(offset, n);
		if (be16toh(request.flags) & COMMAND_FUA)
			flush();
		return answer(fd, request.handle);
	case COMMAND_FLUSH:
		flush();
		return answer(fd, request.handle);
	default:
		return false;
	}
}

static void serve(int fd)
{
	if (pread(image, view, size, 0) != (ssize_t)size)
		die("image");
	if (negotiate(fd))
		while (serve_one(fd))
			;
	close(fd);
	power_fails();
}

int main(int argc, char **argv)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct stat st;
	int listener;

	if (argc != 4 || strlen(argv[1]) >= sizeof(at.sun_path)) {
		fputs("usage: powerd SOCKET IMAGE SEED\n", stderr);
		return 2;
	}
	seed = strtoull(argv[3], NULL, 0) * 2 + 1;
	image = open(argv[2], O_RDWR | O_CLOEXEC);
	if (image < 0 || fstat(image, &st))
		die(argv[2]);
	size = (uint64_t)st.st_size;
	view = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (view == MAP_FAILED)
		die("memory");
	memcpy(at.sun_path, argv[1], strlen(argv[1]));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(listener, 1))
		die(argv[1]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			die("accept");
		serve(fd);
	}
}
