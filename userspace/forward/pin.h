/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key that a collector's receipts are signed with: as configured, else the one
 * that its first receipt names, kept in the state directory (SINK.receipt.pub).
 * Another key is refused from then on.  Any thread.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "collect.pb-c.h"
#include "config/config.h"
#include "frame/public_key.h"

struct pin {
	pthread_mutex_t lock;
	int dir;
	char name[96];
	bool known;
	uint8_t key[PUBLIC_KEY_BYTES];
};

/* dir: borrowed.  -EBADMSG: the kept file holds no key. */
int pin_init(struct pin *pin, int dir, const struct config_sink *sink);
void pin_done(struct pin *pin);
/* 0 and the receipt, the caller's; -EBADMSG: not signed by whom it should be; other -errno: the key
 * could not be kept. */
int pin_open(struct pin *pin, const Hinomi__SealedReceipt *sealed, Hinomi__Receipt **ret);
