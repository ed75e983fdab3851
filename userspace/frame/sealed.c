// SPDX-License-Identifier: Apache-2.0
#include "frame/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "frame/signature.h"

struct slot {
	uint64_t generation;
	uint32_t size;
	uint8_t bytes[SEALED_SLOT_BYTES - 16];
	uint32_t checksum; /* of all before */
};

_Static_assert(sizeof(struct slot) == SEALED_SLOT_BYTES, "no padding");

int sealed_text(const void *receipt, size_t size, uint8_t ret[SEALED_TEXT_BYTES])
{
	memcpy(ret, "hinomi-receipt-1", 16);
	return SHA256(receipt, size, ret + 16) ? 0 : -ENOMEM;
}

int sealed_open(const Hinomi__SealedReceipt *sealed, const uint8_t key[32], Hinomi__Receipt **ret)
{
	uint8_t text[SEALED_TEXT_BYTES];
	Hinomi__Receipt *receipt;
	int err;

	if (sealed->algorithm != HINOMI__ALGORITHM__ALGORITHM_ED25519 ||
	    sealed->signature.len != SIGNATURE_BYTES)
		return -EBADMSG;
	err = sealed_text(sealed->receipt.data, sealed->receipt.len, text);
	err = err ? err : signature_check(key, sealed->signature.data, text, sizeof(text));
	if (err)
		return err;
	errno = 0;
	receipt = hinomi__receipt__unpack(NULL, sealed->receipt.len, sealed->receipt.data);
	if (!receipt)
		return errno == ENOMEM ? -ENOMEM : -EBADMSG;
	*ret = receipt;
	return 0;
}

static bool is_good(const struct slot *slot)
{
	return slot->generation && slot->size <= sizeof(slot->bytes) &&
	       slot->checksum == crc32c(0, slot, sizeof(*slot) - sizeof(slot->checksum));
}

static int read_slot(int fd, uint32_t index, struct slot *ret)
{
	ssize_t got = pread(fd, ret, sizeof(*ret), (off_t)index * (off_t)sizeof(*ret));

	if (got < 0)
		return -errno;
	return got == sizeof(*ret) && is_good(ret);
}

/* A receipt is higher than those of its sensor before it; another sensor's begin anew. */
static void note(struct sealed_file *file, const Hinomi__Receipt *receipt, const uint8_t *bytes,
		 size_t size)
{
	if (receipt->sensor_id.len != sizeof(file->sensor_id))
		return;
	if (memcmp(file->sensor_id, receipt->sensor_id.data, sizeof(file->sensor_id)))
		file->highest = 0;
	else if (receipt->number <= file->highest)
		return;
	memcpy(file->sensor_id, receipt->sensor_id.data, sizeof(file->sensor_id));
	file->highest = receipt->number;
	memcpy(file->highest_bytes, bytes, size);
	file->highest_size = size;
}

static void note_slot(struct sealed_file *file, const struct slot *slot)
{
	Hinomi__SealedReceipt *sealed =
		hinomi__sealed_receipt__unpack(NULL, slot->size, slot->bytes);
	Hinomi__Receipt *receipt =
		sealed ? hinomi__receipt__unpack(NULL, sealed->receipt.len, sealed->receipt.data)
		       : NULL;

	if (slot->generation > file->generation)
		file->generation = slot->generation;
	if (receipt)
		note(file, receipt, slot->bytes, slot->size);
	hinomi__receipt__free_unpacked(receipt, NULL);
	hinomi__sealed_receipt__free_unpacked(sealed, NULL);
}

/* What is there; a torn end is a slot that is not good. */
static int take_up(struct sealed_file *file)
{
	struct stat st;

	if (fstat(file->fd, &st))
		return -errno;
	if (st.st_size > (off_t)file->slots * SEALED_SLOT_BYTES)
		file->used = file->slots;
	else
		file->used = (uint32_t)((st.st_size + SEALED_SLOT_BYTES - 1) / SEALED_SLOT_BYTES);
	for (uint32_t i = 0; i < file->used; i++) {
		struct slot slot;
		int n = read_slot(file->fd, i, &slot);

		if (n < 0)
			return n;
		if (n)
			note_slot(file, &slot);
	}
	return 0;
}

static int open_file(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0640);

	return fd < 0 ? -errno : fd;
}

int sealed_file_open(int dir, const char *name, uint32_t slots, struct sealed_file *ret)
{
	struct sealed_file file = {.slots = slots};
	int err;

	if (snprintf(file.name, sizeof(file.name), "%s", name) >= (int)sizeof(file.name) - 4)
		return -ENAMETOOLONG;
	file.dir = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	if (file.dir < 0)
		return -errno;
	file.fd = open_file(dir, name, 0);
	err = file.fd < 0 ? file.fd : take_up(&file);
	if (!err && fsync(dir))
		err = -errno;
	if (err)
		sealed_file_close(&file);
	else
		*ret = file;
	return err;
}

void sealed_file_close(struct sealed_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->dir >= 0)
		close(file->dir);
	file->fd = file->dir = -1;
}

bool sealed_file_is_behind(const struct sealed_file *file, const Hinomi__Receipt *receipt)
{
	return receipt->sensor_id.len == sizeof(file->sensor_id) &&
	       !memcmp(file->sensor_id, receipt->sensor_id.data, sizeof(file->sensor_id)) &&
	       receipt->end < file->highest;
}

static int write_slot(int fd, uint32_t index, uint64_t generation, const uint8_t *bytes,
		      size_t size)
{
	struct slot slot = {.generation = generation, .size = (uint32_t)size};
	ssize_t written;

	memcpy(slot.bytes, bytes, size);
	slot.checksum = crc32c(0, &slot, sizeof(slot) - sizeof(slot.checksum));
	written = pwrite(fd, &slot, sizeof(slot), (off_t)index * (off_t)sizeof(slot));
	if (written != sizeof(slot))
		return written < 0 ? -errno : -ENOSPC;
	return fdatasync(fd) ? -errno : 0;
}

/* NAME is whole and there at every moment; what was before NAME.1 is let go. */
static int begin_anew(struct sealed_file *file)
{
	char fresh[sizeof(file->name) + 8], old[sizeof(file->name) + 8];
	CLEANUP(close_fd) int fd = -1;
	int err = 0;

	snprintf(fresh, sizeof(fresh), "%s.new", file->name);
	snprintf(old, sizeof(old), "%s.1", file->name);
	fd = open_file(file->dir, fresh, O_TRUNC);
	if (fd < 0)
		return fd;
	if (file->highest)
		err = write_slot(fd, 0, file->generation + 1, file->highest_bytes,
				 file->highest_size);
	if (err)
		return err;
	if ((unlinkat(file->dir, old, 0) && errno != ENOENT) ||
	    linkat(file->dir, file->name, file->dir, old, 0) ||
	    renameat(file->dir, fresh, file->dir, file->name) || fsync(file->dir))
		return -errno;
	close(file->fd);
	file->fd = TAKE_FD(fd);
	file->used = file->highest ? 1 : 0;
	file->generation += file->used;
	return 0;
}

/* The first of a run of this process is never passed over. */
static bool is_last(const struct sealed_file *file, const Hinomi__Receipt *receipt)
{
	return file->last_number && receipt->number == file->last_number &&
	       receipt->end == file->last_end &&
	       receipt->header_sha256.len == sizeof(file->last_hash) &&
	       !memcmp(receipt->header_sha256.data, file->last_hash, sizeof(file->last_hash));
}

int sealed_file_add(struct sealed_file *file, const Hinomi__Receipt *receipt,
		    const Hinomi__SealedReceipt *sealed)
{
	uint8_t bytes[SEALED_SLOT_BYTES];
	size_t size = hinomi__sealed_receipt__get_packed_size(sealed);
	int err = 0;

	if (is_last(file, receipt))
		return 0;
	if (size > sizeof(((struct slot *)0)->bytes))
		return -EMSGSIZE;
	hinomi__sealed_receipt__pack(sealed, bytes);
	if (file->used >= file->slots)
		err = begin_anew(file);
	if (!err)
		err = write_slot(file->fd, file->used, file->generation + 1, bytes, size);
	if (err)
		return err;
	file->used++;
	file->generation++;
	note(file, receipt, bytes, size);
	file->last_number = receipt->number;
	file->last_end = receipt->end;
	if (receipt->header_sha256.len == sizeof(file->last_hash))
		memcpy(file->last_hash, receipt->header_sha256.data, sizeof(file->last_hash));
	return 0;
}

int sealed_file_read(const char *path, uint32_t newest,
		     void (*each)(void *ctx, const Hinomi__SealedReceipt *sealed), void *ctx)
{
	/* somebody else's directory: neither a link nor a pipe, and no more than there is now */
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	off_t count, i = 0;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	count = st.st_size / SEALED_SLOT_BYTES;
	if (count > UINT32_MAX)
		return -EFBIG;
	if (newest && count > newest)
		i = count - newest;
	for (; i < count; i++) {
		Hinomi__SealedReceipt *sealed;
		struct slot slot;
		int n = read_slot(fd, (uint32_t)i, &slot);

		if (n < 0)
			return n;
		sealed = n ? hinomi__sealed_receipt__unpack(NULL, slot.size, slot.bytes) : NULL;
		if (sealed)
			each(ctx, sealed);
		hinomi__sealed_receipt__free_unpacked(sealed, NULL);
	}
	return 0;
}
