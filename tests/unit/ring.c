/* SPDX-License-Identifier: Apache-2.0 */
/* A ring in memory of our own, written as the kernel writes it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>
#include <linux/bpf.h>

#include "ring/ring.h"

#define RING 16384

static int fd;
static uint8_t *memory; /* consumer page, producer page, data */
static size_t page;

/* libbpf's, which ring.c asks how large the ring is */
int bpf_obj_get_info_by_fd(int map_fd, void *info, uint32_t *size)
{
	assert_int_equal(map_fd, fd);
	assert_true(*size >= sizeof(struct bpf_map_info));
	((struct bpf_map_info *)info)->max_entries = RING;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	page = (size_t)sysconf(_SC_PAGESIZE);
	fd = memfd_create("ring", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)(2 * page + RING)), 0);
	memory = mmap(NULL, 2 * page + RING, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	memset(memory, 0, 2 * page + RING);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	munmap(memory, 2 * page + RING);
	close(fd);
	return 0;
}

static uint64_t *consumer(void)
{
	return (uint64_t *)memory;
}

static uint64_t *producer(void)
{
	return (uint64_t *)(memory + page);
}

static void put_byte(uint64_t at, uint8_t byte)
{
	memory[2 * page + at % RING] = byte;
}

/* Bytes of a record follow from its number; false: there is no room. */
static bool put(uint32_t size, uint32_t flags, uint8_t number)
{
	uint64_t at = *producer(), need = (size + 8 + 7) & ~7u;
	uint32_t head = size | flags;

	if (at + need - *consumer() > RING)
		return false;
	memcpy(memory + 2 * page + at % RING, &head, sizeof(head));
	for (uint32_t i = 0; i < size; i++)
		put_byte(at + 8 + i, (uint8_t)(number + i * 3));
	*producer() = at + need;
	return true;
}

static void check(const uint8_t *record, size_t size, uint8_t number)
{
	for (size_t i = 0; i < size; i++)
		assert_int_equal(record[i], (uint8_t)(number + i * 3));
}

static void records_come_whole(void **state)
{
	struct ring *ring = NULL;
	unsigned seed = 5, written = 0, read = 0;
	uint32_t sizes[256];

	(void)state;
	assert_int_equal(ring_open(fd, &ring), 0);
	assert_int_equal(ring_size_bytes(ring), RING);
	while (read < 20000) {
		const uint8_t *record;
		size_t size;

		for (;;) {
			uint32_t next = 1 + (uint32_t)rand_r(&seed) % 3000;
			bool gone = !(rand_r(&seed) % 5);

			if (!put(next, gone ? BPF_RINGBUF_DISCARD_BIT : 0, (uint8_t)written))
				break;
			if (!gone)
				sizes[written++ % 256] = next;
		}
		assert_true(ring_waiting_bytes(ring) > 0);
		while ((record = ring_next(ring, &size))) {
			assert_int_equal(size, sizes[read % 256]);
			check(record, size, (uint8_t)read);
			read++;
		}
		assert_int_equal(read, written);
		assert_int_equal(ring_waiting_bytes(ring), 0);
		assert_int_equal(ring_read_bytes(ring), *producer() - *consumer());
		ring_release(ring);
		assert_int_equal(*consumer(), *producer());
		assert_int_equal(ring_read_bytes(ring), 0);
	}
	ring_free(ring);
}

static void what_is_not_finished_waits(void **state)
{
	struct ring *ring = NULL;
	uint64_t busy;
	size_t size;

	(void)state;
	*consumer() = *producer() = 10 * RING + RING - 64;
	assert_int_equal(ring_open(fd, &ring), 0);
	assert_true(put(16, 0, 1));
	busy = *producer();
	assert_true(put(100, BPF_RINGBUF_BUSY_BIT, 2)); /* goes over the end */
	assert_true(put(16, 0, 3));
	assert_non_null(ring_next(ring, &size));
	assert_null(ring_next(ring, &size));
	memcpy(memory + 2 * page + busy % RING, &(uint32_t){100}, 4);
	check(ring_next(ring, &size), 100, 2);
	check(ring_next(ring, &size), 16, 3);
	assert_null(ring_next(ring, &size));
	ring_free(ring);
	/* nothing was released: all of it is read again */
	assert_int_equal(ring_open(fd, &ring), 0);
	check(ring_next(ring, &size), 16, 1);
	ring_free(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(records_come_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_finished_waits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
