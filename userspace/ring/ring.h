/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a BPF ring buffer in place.  Unlike libbpf's reader it gives space back
 * only when told to, so that records stay in the kernel's memory until they are
 * on their way to the disk: a sensor that is killed reads them again.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct ring;

int ring_open(int map_fd, struct ring **ret);
void ring_free(struct ring *ring);
/* For all of these a ring that is NULL is one in which nothing ever is. */
/* Next committed record, NULL when there is none; valid until ring_release. */
const void *ring_next(struct ring *ring, size_t *size);
/* Gives everything read so far back to the kernel. */
void ring_release(struct ring *ring);
uint64_t ring_waiting_bytes(const struct ring *ring); /* written and not read */
uint64_t ring_read_bytes(const struct ring *ring);    /* read and not released */
uint64_t ring_size_bytes(const struct ring *ring);

DEFINE_CLEANUP(struct ring *, ring_free);
