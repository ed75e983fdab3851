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
#include "collect.pb-c.h"
#include "frame/keychain.h"
#include "frame/sealed.h"

#define STORE_SENSORS_MAX 4096
#define STORE_OPEN_MAX	  128 /* sensors whose files are open at once */

struct chain {
	uint64_t number; /* of the last frame; 0: none */
	uint8_t hash[32];
	struct keychain keys; /* what the next frame is signed with */
};

/* How far behind our clock a sensor's own was at its best, in one boot of its machine. */
struct pace {
	uint8_t boot_id[16];
	int64_t behind_ns;
	uint64_t at_ns; /* of our boot time; 0: nothing is known */
};

struct sensor {
	uint8_t id[16];
	uint64_t heard_ns; /* boot time of the last sign of life, or of our start */
	bool is_silent;	   /* and this was said */
	struct pace pace;
	struct chain lanes[LANES];    /* valid while open */
	struct key_identity identity; /* likewise */
	uint64_t lost[LANES]; /* frames up to here have receipts and were not there when it was
				 opened; 0: all were */
	/* private: */
	struct spool_writer *writer;
	bool dirty;    /* something was appended since the last good sync */
	bool is_short; /* frames were lost with a failed sync: to be opened anew */
	uint64_t used;
	struct sealed_file receipts[LANES];
};

struct store;

int store_open(const char *dir, struct store **ret);
void store_free(struct store *store);
int store_dir(const struct store *store);
/* Opened; made when it is new and `make` says so.  -ENOENT: not there; -EMFILE: there are too many.
 * Valid until the next call. */
int store_sensor(struct store *store, const uint8_t id[16], bool make, struct sensor **ret);
/* Behind what is there, which the caller has checked; end: where the chain ends with it. */
int store_append(struct sensor *sensor, enum lane lane, const struct chain *end, const void *frame,
		 size_t size);
/* From now on the sensor is who this key certifies.  On disk when it returns 0. */
int store_enrol(struct store *store, struct sensor *sensor, const uint8_t identity[KEY_BYTES]);
/* Evidence of what was acknowledged, in SENSOR_ID/LANE.receipts.  On disk when it returns 0. */
int store_receipt(struct store *store, const Hinomi__Receipt *receipt,
		  const Hinomi__SealedReceipt *sealed);
/* All that was appended is on disk when it returns 0. */
int store_sync(struct sensor *sensor);
/* 1: the hash of that frame; 0: there is none of that number; -errno. */
int store_find(struct store *store, struct sensor *sensor, enum lane lane, uint64_t number,
	       uint8_t ret[32]);
/* The sensors, open or not; NULL behind the last. */
struct sensor *store_each(struct store *store, size_t index);

DEFINE_CLEANUP(struct store *, store_free);
