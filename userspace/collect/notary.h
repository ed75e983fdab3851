/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs receipts with the collector's key: DIR/receipt.key, made on first use;
 * its public half, receipt.pub, is what sensors' operators enrol.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "collect.pb-c.h"

struct notary;

int notary_open(int dir, struct notary **ret);
void notary_free(struct notary *notary);
/* Fills sealed, whose receipt is set; what it points to is the notary's, but for `signature`, the
 * caller's.  -EIO. */
int notary_sign(const struct notary *notary, Hinomi__SealedReceipt *sealed, uint8_t signature[64]);

DEFINE_CLEANUP(struct notary *, notary_free);
