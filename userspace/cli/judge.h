/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the verifier share: verifier.c, sequence.c, account.c, diagnose.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/holes.h"
#include "cli/rows.h"
#include "cli/verifier.h"
#include "frame.pb-c.h"

struct frame;

#define ID_BYTES	 16
#define HASH_BYTES	 32
#define CPU_NAME_BYTES	 24
#define CPUS_MAX	 65536
#define RINGS_REMEMBERED 1024

/* A cpu's numbers in the rings of now. */
struct cpu_state {
	uint32_t cpu;
	uint64_t last;
	uint64_t frame;		   /* that accounted for it */
	uint64_t first;		   /* that we read of */
	uint64_t covered, present; /* numbers accounted for, events that were there */
};

struct receipt {
	uint64_t number, stored_real_ns;
	uint8_t sensor[ID_BYTES], hash[HASH_BYTES];
};

struct receipts {
	struct receipt *all;
	size_t count, room;
	bool sorted; /* by number */
	/* of the file that is being taken: up to which frame, and of whom */
	uint64_t signed_for;
	uint8_t signer_of[ID_BYTES];
};

struct lane_state {
	enum lane lane;
	struct verifier_counts counts;
	bool begun;
	uint8_t hash[HASH_BYTES]; /* of the last frame's header */
	uint8_t sensor[ID_BYTES], boot[ID_BYTES], rings[ID_BYTES];
	uint8_t (*old_rings)[ID_BYTES];
	size_t old_count;
	uint64_t clock_ns;	       /* last boot time that a clock pair stated */
	uint8_t first_rings[ID_BYTES]; /* and those of the first frame */
	uint64_t first_ns;
	struct keychain keys;
	uint64_t signed_frames; /* whose signature was checked and is right */
	struct receipts receipts;
	/* of the rings of now */
	bool from_start;	/* their first frame was seen */
	bool complete;		/* and every one since, with its events */
	struct cpu_state *cpus; /* sorted */
	size_t cpu_count, cpu_room;
	struct rows rows;
};

struct verifier {
	FILE *out;
	struct key_identity identity;
	uint64_t unsigned_frames;
	uint64_t findings;
	uint64_t gaps, lost;
	struct lane_state lanes[LANES];
	struct holes holes, declared;
	struct holes left;    /* of those declared: frames that left the spool from its beginning */
	bool short_of_memory; /* nothing is found any more, and -ENOMEM returned */
	bool is_part;	      /* of a stream: it may begin anywhere */
};

extern const char *const lane_names[LANES];

/* "keep: frame 12: " and the text; number 0: no frame is named. */
void finding(struct verifier *verifier, const struct lane_state *lane, uint64_t number,
	     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* "cpu 3", or "the sensor itself" */
const char *cpu_name(uint32_t cpu, char buffer[CPU_NAME_BYTES]);
void hole_found(struct verifier *verifier, const struct hole *hole);
void hole_declared(struct verifier *verifier, const struct hole *hole);

/* sequence.c: what the header says of each cpu's numbers, and the events against it */
void sequence_header(struct verifier *verifier, struct lane_state *lane,
		     const Hinomi__FrameHeader *header);
void sequence_events(struct verifier *verifier, struct lane_state *lane,
		     const Hinomi__FrameHeader *header, const Hinomi__Payload *payload);
struct cpu_state *sequence_cpu(struct lane_state *lane, uint32_t cpu, bool make);

/* account.c: the ledger */
void account_events(struct verifier *verifier, struct lane_state *lane,
		    const Hinomi__Payload *payload);
void account_header(struct verifier *verifier, struct lane_state *lane,
		    const Hinomi__FrameHeader *header);
void account_end(struct verifier *verifier, struct lane_state *lane); /* of these rings */

/* diagnose.c: why frame_read refused.  The header where that can be told from the rest.  -ENOMEM:
 * not known; done with all the same. */
struct diagnosis {
	const char *text;
	Hinomi__FrameHeader *header; /* NULL when it cannot be trusted */
	uint8_t hash[HASH_BYTES];
};

int diagnose(const void *bytes, size_t size, int error, struct diagnosis *ret);
void diagnosis_done(struct diagnosis *diagnosis);
/* receipts.c */
void receipts_frame(struct verifier *verifier, struct lane_state *lane,
		    const Hinomi__FrameHeader *header, const uint8_t hash[HASH_BYTES]);
void receipts_end(struct verifier *verifier, struct lane_state *lane);
/* keys.c; behind_hole: frames before it are missing */
void keys_frame(struct verifier *verifier, struct lane_state *lane, const struct frame *frame,
		bool behind_hole);
