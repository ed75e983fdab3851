/* SPDX-License-Identifier: Apache-2.0 */
/* The forwarder beside hinomi run: who it is, what it may read, and how it is stopped. */
#pragma once

#include <stdbool.h>

#include "cli/child.h"

struct delivery {
	const char *spool, *config_path;
	bool has_sinks;
	char state[4096]; /* directory of its own, beside the spool */
	char group[16];	  /* that may read the spool, as a number; empty: as configured */
	struct child_user user;
	struct child child;
	bool told; /* that it ended */
};

/* Makes the directories above the spool and the forwarder's own; spool and config_path are
 * borrowed.  -errno. */
int delivery_prepare(struct delivery *delivery, const char *spool, const char *config_path,
		     bool has_sinks);
/* Trouble is logged: sensing goes on without it. */
void delivery_start(struct delivery *delivery);
void delivery_check(struct delivery *delivery); /* logs it once when the forwarder has ended */
/* Gives it some seconds to deliver what is there. */
void delivery_stop(struct delivery *delivery);
