/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames at rest: DIR/SENSOR_ID is a spool for each sensor.  Knows where each chain
 * ends, and can look up any frame of it.  Nothing here judges a frame.  One thread.
 */
#pragma once

#include <hinomi/kinds.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define STORE_SENSORS_MAX 4096
#define STORE_OPEN_MAX	  128 /* sensors whose files are open at once */

struct chain {
	uint64_t number; /* of the last frame; 0: none */
	uint8_t hash[32];
};

struct sensor {
	uint8_t id[16];
	uint64_t heard_ns;	   /* boot time of its last frame, or of our start */
	bool is_silent;		   /* and this was said */
	struct chain lanes[LANES]; /* valid while open */
	/* private: */
	struct spool_writer *writer;
	bool dirty; /* something was appended since the last good sync */
	uint64_t used;
};

struct store;

int store_open(const char *dir, struct store **ret);
void store_free(struct store *store);
int store_dir(const struct store *store);
/* Opened; made when it is new and `make` says so.  -ENOENT: not there; -EMFILE: there are too many.
 * Valid until the next call. */
int store_sensor(struct store *store, const uint8_t id[16], bool make, struct sensor **ret);
/* Behind what is there, which the caller has checked. */
int store_append(struct sensor *sensor, enum lane lane, uint64_t number, const uint8_t hash[32],
		 const void *frame, size_t size);
/* All that was appended is on disk when it returns 0. */
int store_sync(struct sensor *sensor);
/* 1: the hash of that frame; 0: there is none of that number; -errno. */
int store_find(struct store *store, struct sensor *sensor, enum lane lane, uint64_t number,
	       uint8_t ret[32]);
/* The sensors, open or not; NULL behind the last. */
struct sensor *store_each(struct store *store, size_t index);

DEFINE_CLEANUP(struct store *, store_free);
