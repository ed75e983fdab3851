/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich_world.h"

#include <openssl/sha.h>
#include <poll.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "enrich/digest_cache.h"

static struct enrich *make_hashing(uint64_t max)
{
	struct enrich_options options = {
		.processes_max = 100, .root = dir, .cgroup_root = dir, .hash_file_max_bytes = max};
	struct enrich *enrich;

	assert_int_equal(enrich_new(&options, &enrich), 0);
	return enrich;
}

/* An exec of the file at path by a process that no longer exists. */
static struct event make_exec_of(const char *path)
{
	struct event event = make_exec(3999999, 1, path, "x");
	Hinomi__File *file = event.body->exec->file;
	struct statfs fs;
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(statfs(path, &fs), 0);
	file->inode = st.st_ino;
	file->size = (uint64_t)st.st_size;
	file->changed_ns = (uint64_t)st.st_ctim.tv_sec * 1000000000 + (uint64_t)st.st_ctim.tv_nsec;
	file->device_major = major(st.st_dev);
	file->device_minor = minor(st.st_dev);
	file->filesystem = (uint32_t)fs.f_type;
	return event;
}

static struct event wait_hash(struct enrich *enrich)
{
	struct pollfd poll_fd = {.fd = enrich_hash_fd(enrich), .events = POLLIN};
	struct event event;

	assert_int_equal(poll(&poll_fd, 1, 5000), 1);
	assert_int_equal(enrich_take_hash(enrich, &arena, &event), 1);
	assert_int_equal(event.kind, KIND_file_hash);
	assert_null(event.process);
	return event;
}

static void hash_comes_later_and_then_at_once(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_hashing(64 << 20);
	static const char path[] = "/etc/ld.so.conf"; /* has rested for long */
	uint8_t want[32], text[4096];
	struct event event, exec;
	FILE *file = fopen(path, "r");

	(void)state;
	assert_non_null(file);
	SHA256(text, fread(text, 1, sizeof(text), file), want);
	fclose(file);
	exec = run(enrich, make_exec_of(path));
	assert_int_equal(exec.body->exec->hash_state, HINOMI__HASH_STATE__HASH_STATE_PENDING);
	exec = run(enrich, make_exec_of(path));
	event = wait_hash(enrich);
	assert_int_equal(event.body->file_hash->hash_state, HINOMI__HASH_STATE__HASH_STATE_KNOWN);
	assert_memory_equal(event.body->file_hash->sha256.data, want, 32);
	assert_int_equal(event.body->file_hash->file->inode, exec.body->exec->file->inode);
	assert_bytes(event.body->file_hash->file->path, "/etc/ld.so.conf");
	assert_int_equal(enrich_take_hash(enrich, &arena, &event), 0);
	exec = run(enrich, make_exec_of(path));
	assert_int_equal(exec.body->exec->hash_state, HINOMI__HASH_STATE__HASH_STATE_KNOWN);
	assert_memory_equal(exec.body->exec->sha256.data, want, 32);
	assert_int_equal(stats_of(enrich).hashes, 1);
	assert_true(stats_of(enrich).hash_cache_hits >= 1);
}

static void hash_of_a_file_that_is_another_by_now(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_hashing(64 << 20);
	char path[64];
	struct event event;

	(void)state;
	write_file("prog", "one");
	snprintf(path, sizeof(path), "%s/prog", dir);
	event = make_exec_of(path);
	write_file("prog", "two");
	run(enrich, event);
	event = wait_hash(enrich);
	assert_int_equal(event.body->file_hash->hash_state, HINOMI__HASH_STATE__HASH_STATE_GONE);
	assert_int_equal(event.body->file_hash->sha256.len, 0);
	/* just written: what its time stamp names may still change, so it is read every time */
	for (int i = 0; i < 2; i++) {
		event = run(enrich, make_exec_of(path));
		assert_int_equal(event.body->exec->hash_state,
				 HINOMI__HASH_STATE__HASH_STATE_PENDING);
		event = wait_hash(enrich);
		assert_int_equal(event.body->file_hash->hash_state,
				 HINOMI__HASH_STATE__HASH_STATE_KNOWN);
	}
	/* a pipe in its place is not opened */
	event = make_exec_of(path);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	run(enrich, event);
	event = wait_hash(enrich);
	assert_int_equal(event.body->file_hash->hash_state, HINOMI__HASH_STATE__HASH_STATE_GONE);
	unlink(path);
	assert_int_equal(stats_of(enrich).hash_failures, 2);
}

static void hash_of_the_running_image(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_hashing(64 << 20);
	char path[256] = {0};
	struct event event;

	(void)state;
	assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	event = make_exec_of(path);
	event.process->key->pid = (uint32_t)getpid();
	event.body->exec->file->path = BYTES("/a/path/in/another/namespace");
	run(enrich, event);
	event = wait_hash(enrich);
	assert_int_equal(event.body->file_hash->hash_state, HINOMI__HASH_STATE__HASH_STATE_KNOWN);
}

static void hashes_that_are_not_tried(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_hashing(10);
	struct event event = make_exec_of("/etc/passwd");

	(void)state;
	run(enrich, event);
	assert_int_equal(event.body->exec->hash_state, HINOMI__HASH_STATE__HASH_STATE_TOO_LARGE);
	event = make_exec_of("/etc/passwd");
	event.body->exec->file->size = 1;
	event.body->exec->file->filesystem = 0x65735546; /* FUSE */
	run(enrich, event);
	assert_int_equal(event.body->exec->hash_state, HINOMI__HASH_STATE__HASH_STATE_NOT_READ);
	event = make_exec(10, 1, "/x", "x"); /* no inode */
	run(enrich, event);
	assert_int_equal(event.body->exec->hash_state, HINOMI__HASH_STATE__HASH_STATE_UNSPECIFIED);
}

static void hash_queue_is_bounded(void **state)
{
	CLEANUP(enrich_free) struct enrich *enrich = make_hashing(64 << 20);
	unsigned pending = 0, refused = 0, results = 0;
	struct event event;

	(void)state;
	for (unsigned i = 0; i < 1100; i++) {
		arena_reset(&arena);
		event = make_exec(3999999, i + 1, "/nowhere", "x");
		event.body->exec->file->inode = i + 1;
		event = run(enrich, event);
		if (event.body->exec->hash_state == HINOMI__HASH_STATE__HASH_STATE_PENDING)
			pending++;
		else
			refused += event.body->exec->hash_state ==
				   HINOMI__HASH_STATE__HASH_STATE_NOT_READ;
	}
	assert_int_equal(pending, 1024); /* nothing was taken in between */
	assert_int_equal(refused, 76);
	while (results < pending) {
		arena_reset(&arena);
		event = wait_hash(enrich);
		results++;
	}
	assert_int_equal(enrich_take_hash(enrich, &arena, &event), 0);
}

static void digest_cache_forgets_the_least_recently_used(void **state)
{
	struct digest known = {.state = HINOMI__HASH_STATE__HASH_STATE_KNOWN, .settled = true};
	struct digest_cache *cache;
	struct file_identity id = {0};
	uint8_t sha256[32];

	(void)state;
	assert_int_equal(digest_cache_new(&cache), 0);
	for (id.inode = 1; id.inode <= 3 * DIGEST_CACHE_MAX; id.inode++) {
		struct file_identity first = {.inode = 1};

		assert_int_equal(digest_cache_begin(cache, &id), 0);
		known.sha256[0] = (uint8_t)id.inode;
		digest_cache_end(cache, &id, &known);
		assert_int_equal(digest_cache_find(cache, &first, sha256), known.state);
		assert_int_equal(sha256[0], 1);
	}
	id.inode = 2;
	assert_int_equal(digest_cache_find(cache, &id, sha256),
			 HINOMI__HASH_STATE__HASH_STATE_UNSPECIFIED);
	/* those being worked on stay, and then there is no room */
	for (id.inode = 1000000; id.inode < 1000000 + DIGEST_CACHE_MAX; id.inode++)
		assert_int_equal(digest_cache_begin(cache, &id), 0);
	assert_int_equal(digest_cache_begin(cache, &id), -ENOSPC);
	id.inode = 1000000;
	known.settled = false;
	digest_cache_end(cache, &id, &known);
	assert_int_equal(digest_cache_find(cache, &id, sha256),
			 HINOMI__HASH_STATE__HASH_STATE_UNSPECIFIED);
	digest_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_comes_later_and_then_at_once),
		cmocka_unit_test(hash_of_a_file_that_is_another_by_now),
		cmocka_unit_test(hash_of_the_running_image),
		cmocka_unit_test(hashes_that_are_not_tried),
		cmocka_unit_test(hash_queue_is_bounded),
		cmocka_unit_test(digest_cache_forgets_the_least_recently_used),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
