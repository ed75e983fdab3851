// SPDX-License-Identifier: Apache-2.0
#include "frame/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <string.h>
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

void sealed_text(const void *receipt, size_t size, uint8_t ret[SEALED_TEXT_BYTES])
{
	memcpy(ret, "hinomi-receipt-1", 16);
	SHA256(receipt, size, ret + 16);
}

int sealed_open(const Hinomi__SealedReceipt *sealed, const uint8_t key[32], Hinomi__Receipt **ret)
{
	uint8_t text[SEALED_TEXT_BYTES];
	Hinomi__Receipt *receipt;

	if (sealed->algorithm != HINOMI__ALGORITHM__ALGORITHM_ED25519 ||
	    sealed->signature.len != SIGNATURE_BYTES)
		return -EBADMSG;
	sealed_text(sealed->receipt.data, sealed->receipt.len, text);
	if (signature_check(key, sealed->signature.data, text, sizeof(text)))
		return -EBADMSG;
	receipt = hinomi__receipt__unpack(NULL, sealed->receipt.len, sealed->receipt.data);
	if (!receipt)
		return -EBADMSG;
	*ret = receipt;
	return 0;
}

static bool is_good(const struct slot *slot)
{
	return slot->generation && slot->size <= sizeof(slot->bytes) &&
	       slot->checksum == crc32c(0, slot, sizeof(*slot) - sizeof(slot->checksum));
}

int sealed_file_open(int dir, const char *name, uint32_t slots, struct sealed_file *ret)
{
	CLEANUP(close_fd)
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	uint64_t generation = 0;
	struct slot slot;

	if (fd < 0)
		return -errno;
	for (uint32_t i = 0; i < slots; i++) {
		ssize_t got = pread(fd, &slot, sizeof(slot), (off_t)i * sizeof(slot));

		if (got < 0)
			return -errno;
		if (got == sizeof(slot) && is_good(&slot) && slot.generation > generation)
			generation = slot.generation;
	}
	*ret = (struct sealed_file){.fd = TAKE_FD(fd), .slots = slots, .generation = generation};
	return 0;
}

void sealed_file_close(struct sealed_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

int sealed_file_add(struct sealed_file *file, const Hinomi__SealedReceipt *sealed, bool sync)
{
	struct slot slot = {.generation = file->generation + 1,
			    .size = (uint32_t)hinomi__sealed_receipt__get_packed_size(sealed)};
	off_t at = (off_t)(slot.generation % file->slots) * (off_t)sizeof(slot);
	ssize_t written;

	if (slot.size > sizeof(slot.bytes))
		return -EMSGSIZE;
	hinomi__sealed_receipt__pack(sealed, slot.bytes);
	slot.checksum = crc32c(0, &slot, sizeof(slot) - sizeof(slot.checksum));
	written = pwrite(file->fd, &slot, sizeof(slot), at);
	if (written != sizeof(slot))
		return written < 0 ? -errno : -ENOSPC;
	if (sync && fdatasync(file->fd))
		return -errno;
	file->generation = slot.generation;
	return 0;
}

int sealed_file_read(const char *path, void (*each)(void *ctx, const Hinomi__SealedReceipt *sealed),
		     void *ctx)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct slot slot;
	ssize_t got;

	if (fd < 0)
		return -errno;
	while ((got = read(fd, &slot, sizeof(slot))) == sizeof(slot)) {
		Hinomi__SealedReceipt *sealed;

		if (!is_good(&slot))
			continue;
		sealed = hinomi__sealed_receipt__unpack(NULL, slot.size, slot.bytes);
		if (sealed)
			each(ctx, sealed);
		hinomi__sealed_receipt__free_unpacked(sealed, NULL);
	}
	return got < 0 ? -errno : 0;
}
