/* SPDX-License-Identifier: Apache-2.0 */
/* Which events of a stream belong together for a person who follows it, and which are routine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "event.pb-c.h"
#include "render/fold.h"

/* Same process and same place; same parent, program and place.  0: stands alone. */
struct topic {
	uint64_t fine, coarse;
};

struct topic topic_of(const Hinomi__Event *event, const Hinomi__Process *process, uint64_t seed);
void topic_label(const Hinomi__Event *event, const Hinomi__Process *process, bool coarse,
		 struct fold_label *ret);
/* Orderly ends of short processes, writes to /dev/null, and the like. */
bool topic_is_routine(const Hinomi__Event *event);

uint64_t topic_hash(uint64_t hash, const void *data, size_t size);
void topic_who(FILE *out, const ProtobufCBinaryData *comm, uint32_t pid);
void topic_user(FILE *out, const Hinomi__Process *process);
