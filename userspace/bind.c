// SPDX-License-Identifier: Apache-2.0
/*
 * A sensor's id and key belong to one machine: identity.bound says which, and that both are as they
 * were made. A spool of another machine (its disk was copied), or one whose id or key is damaged,
 * is set aside whole, and a new sensor begins beside it: nobody goes on with a stream that may not
 * be his, and nothing that was sealed is thrown away.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "pipeline.h"

#define BOUND	      "identity.bound"
#define ASIDE_MAX     99 /* of one sensor id */
#define ID_BYTES      16
#define KEY_BYTES     32
#define HASH_BYTES    SHA256_DIGEST_LENGTH

#define OTHER_MACHINE HINOMI__SENSOR_START__REPLACED__REPLACED_OTHER_MACHINE
#define DAMAGED	      HINOMI__SENSOR_START__REPLACED__REPLACED_DAMAGED

struct bound {
	char magic[16];
	uint8_t machine[HASH_BYTES]; /* of the machine id; zero: it had none */
	uint8_t digest[HASH_BYTES];  /* of all that is bound together */
};

static const char magic[16] = "hinomi-bound-1";
/* The id goes last but for what says whose it is: whatever stopped us half way, we go on. */
static const char *const parts[] = {"keep",	    "bulk",	 "identity.pub",
				    "identity.key", "sensor_id", BOUND};

static int machine_hash(const char *path, uint8_t ret[HASH_BYTES])
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[16 + 64] = "hinomi-machine-1";
	ssize_t n = fd < 0 ? -1 : read(fd, text + 16, sizeof(text) - 17);

	memset(ret, 0, HASH_BYTES);
	if (n < 0 && errno != ENOENT)
		return -errno;
	/* "uninitialized", or no file: an image that has not booted yet */
	if (n >= 32 && strspn(text + 16, "0123456789abcdef") == 32 &&
	    !SHA256((const uint8_t *)text, 16 + 32, ret))
		return -ENOMEM;
	return 0;
}

static int bind_fill(int dir, const uint8_t machine[HASH_BYTES], struct bound *ret)
{
	uint8_t text[sizeof(magic) + HASH_BYTES + ID_BYTES + KEY_BYTES];
	uint8_t *id = text + sizeof(magic) + HASH_BYTES;
	int err = read_file(dir, "sensor_id", id, ID_BYTES);

	memcpy(ret->magic, magic, sizeof(magic));
	memcpy(ret->machine, machine, HASH_BYTES);
	memcpy(text, ret, sizeof(magic) + HASH_BYTES);
	if (!err)
		err = read_file(dir, "identity.key", id + ID_BYTES, KEY_BYTES);
	if (!err && !SHA256(text, sizeof(text), ret->digest))
		err = -ENOMEM;
	OPENSSL_cleanse(text, sizeof(text));
	return err;
}

static bool is_there(int dir, const char *name)
{
	return !faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) || errno != ENOENT;
}

/* Whose spool it is by what it says itself. */
static int judge(int dir, const uint8_t machine[HASH_BYTES], Hinomi__SensorStart__Replaced *ret)
{
	static const uint8_t none[HASH_BYTES];
	struct bound bound = {0}, sound = {0};
	int err = read_file(dir, BOUND, &bound, sizeof(bound));

	*ret = HINOMI__SENSOR_START__REPLACED__REPLACED_NO;
	err = err ?: bind_fill(dir, bound.machine, &sound);
	if (err && err != -EBADMSG && err != -ENOENT)
		return err;
	if (err || memcmp(&bound, &sound, sizeof(bound)))
		*ret = DAMAGED;
	else if (memcmp(bound.machine, none, HASH_BYTES) && memcmp(machine, none, HASH_BYTES) &&
		 memcmp(machine, bound.machine, HASH_BYTES))
		*ret = OTHER_MACHINE;
	return 0;
}

/* A directory beside the lanes, for readers as those are. */
static int aside_make(int dir, const char *id, char *name, size_t size)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat st;

	if (fstat(dir, &st))
		return -errno;
	for (int i = 1;; i++) {
		snprintf(name, size, i > 1 ? "aside-%s-%d" : "aside-%s", id, i);
		if (!mkdirat(dir, name, 0700))
			break;
		if (errno != EEXIST || i == ASIDE_MAX)
			return -errno;
	}
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fchown(fd, st.st_uid, st.st_gid) || fchmod(fd, st.st_mode & 0770))
		return -errno;
	return TAKE_FD(fd);
}

static int set_aside(int dir, struct replaced *ret)
{
	CLEANUP(close_fd) int lock = openat(dir, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	CLEANUP(close_fd) int aside = -1;
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char id[2 * ID_BYTES + 1] = "unknown";

	if (lock >= 0 && fcntl(lock, F_OFD_SETLK, &whole))
		return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
	if (!read_file(dir, "sensor_id", ret->sensor_id, ID_BYTES))
		for (int i = 0; i < ID_BYTES; i++)
			snprintf(id + 2 * i, 3, "%02x", ret->sensor_id[i]);
	aside = aside_make(dir, id, ret->name, sizeof(ret->name));
	if (aside < 0)
		return aside;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (renameat(dir, parts[i], aside, parts[i]) && errno != ENOENT)
			return -errno;
	return fsync(aside) || fsync(dir) ? -errno : 0;
}

void bind_say(const char *spool, const struct replaced *replaced)
{
	if (replaced->why == OTHER_MACHINE)
		log_warning(
			"spool %s is of another machine, whose disk this one is a copy of: a new "
			"sensor begins here, and what that one had sealed is in %s/%s",
			spool, spool, replaced->name);
	if (replaced->why == DAMAGED)
		log_error("spool %s: sensor_id, identity.key or identity.bound is damaged: a new "
			  "sensor begins here; hinomi forward --once --spool %s/%s --state NEWDIR "
			  "delivers what was sealed before",
			  spool, spool, replaced->name);
}

int bind_check(const char *spool, const char *machine_id, struct replaced *ret)
{
	CLEANUP(close_fd) int dir = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint8_t machine[HASH_BYTES];
	int err;

	*ret = (struct replaced){0};
	if (dir < 0)
		return errno == ENOENT ? 0 : -errno;
	/* nobody yet, or of a version before this file, or stopped before it was written */
	if (!is_there(dir, "sensor_id") || !is_there(dir, BOUND))
		return 0;
	err = machine_hash(machine_id, machine);
	err = err ?: judge(dir, machine, &ret->why);
	if (err || !ret->why)
		return err;
	return set_aside(dir, ret);
}

int bind_machine(const char *spool, const char *machine_id)
{
	CLEANUP(close_fd) int dir = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	static const uint8_t none[HASH_BYTES];
	struct bound bound = {0}, wanted = {0};
	uint8_t machine[HASH_BYTES];
	int err = dir < 0 ? -errno : machine_hash(machine_id, machine);

	/* one that had no id yet is bound with the first, and stays so without */
	if (!err && !read_file(dir, BOUND, &bound, sizeof(bound)) &&
	    !memcmp(machine, none, HASH_BYTES))
		memcpy(machine, bound.machine, HASH_BYTES);
	err = err ?: bind_fill(dir, machine, &wanted);
	if (err || !memcmp(&bound, &wanted, sizeof(bound)))
		return err;
	return write_file(dir, BOUND, &wanted, sizeof(wanted), 0600);
}
