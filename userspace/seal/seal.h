/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes frames: events of one lane go in, bytes of a Frame come out, chained to
 * the frame before by hash.  A sealer owns one lane's chain.  One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "event/event.h"
#include "frame.pb-c.h"

struct sealer;
struct signer;

struct seal_identity {
	uint8_t sensor_id[16], boot_id[16], rings_id[16];
};

/* Where a chain goes on; zero for a new one. */
struct seal_state {
	uint64_t number;      /* of the last frame */
	uint8_t previous[32]; /* hash of its header */
};

#define SEAL_EVENTS_MAX 8192 /* per frame */
/* bytes of a payload before compression: with its header a frame fits the 1 MiB that NATS and Kafka
 * take by default */
#define SEAL_PAYLOAD_MAX (896u << 10)
#define SEAL_WEIGHT_MAX	 (8u << 20) /* of a payload, as proto/frame.proto counts it */
#define SEAL_FRAME_MAX	 (8u << 20) /* bytes of a whole frame, however many cpus there are */
#define SEAL_ROWS_MAX	 49152	    /* ledger rows in a header */
#define SEAL_CPUS_MAX	 8192	    /* cpus are below this, or CPU_SENSOR */

int sealer_new(enum lane lane, const struct seal_identity *identity, const struct seal_state *state,
	       struct sealer **ret);
/* Frames are signed from here on; the signer is the sealer's to free. */
void sealer_sign_with(struct sealer *sealer, struct signer *signer);
/* The key is old: an empty frame is due, that the next one be named even when nothing happens. */
bool sealer_key_is_old(const struct sealer *sealer);
void sealer_free(struct sealer *sealer);
/* 0; -E2BIG when the frame is full: finish it and add again; -EMSGSIZE when no frame can hold the
 * event; -EINVAL for another lane, no such cpu, or number 0; -ENOMEM: of the first event of its
 * class only.  Takes up event->process once per distinct event->process_state and numbers it.
 * Copies everything that it needs before it returns. */
int sealer_add(struct sealer *sealer, struct event *event);
size_t sealer_events(const struct sealer *sealer); /* waiting for finish */
size_t sealer_bytes(const struct sealer *sealer);  /* of them, before compression */
/* Accounts for numbers that are in no event (filtered, aggregated, malformed); -E2BIG as above;
 * -EINVAL for what cannot be. */
int sealer_cover(struct sealer *sealer, uint32_t cpu, uint64_t first_seq, uint64_t last_seq);
/* The frame's bytes, valid until the next finish; the chain moves on.  An empty frame is legal.  On
 * -EMSGSIZE (too many rows), -ENOMEM, -EIO nothing is lost and the chain stands: finish again. */
int sealer_finish(struct sealer *sealer, const Hinomi__LedgerRow *rows, size_t nrows,
		  bool ledger_whole, const uint8_t **bytes, size_t *size);
void sealer_state(const struct sealer *sealer, struct seal_state *ret);

DEFINE_CLEANUP(struct sealer *, sealer_free);
