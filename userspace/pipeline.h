/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of the stages, and nothing else knows it:
 * rings -> decode -> enrich -> filter -> seal -> spool.
 */
#pragma once

#include <hinomi/record.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/clock.h"
#include "event/event.h"
#include "host.h"
#include "frame.pb-c.h"
#include "seal/seal.h"

struct attach;
struct config;
struct enrich;
struct evp_pkey_st;
struct filter;
struct guard;
struct ledger;
struct losses;
struct ring;
struct sequences;
struct spool_writer;
struct syncer;

/* What the sensor costs, between two heartbeats. */
struct costs {
	uint64_t start_ns;	  /* boot time at which it began */
	bool counting;		  /* the kernel counted what programs cost, when it was looked at */
	uint64_t seen[KINDS_MAX]; /* then */
	uint64_t counted[KINDS_MAX]; /* while the kernel counts */
};

/* A sealed frame that the disk has not taken yet. */
struct waiting {
	const uint8_t *bytes; /* the sealer's; NULL: none waits */
	size_t size;
	uint64_t number, again_ns;
	int error; /* why, when it was tried last */
	bool said;
};

/* Read from a ring and not yet taken, in the ring's own memory. */
struct held_record {
	const void *data; /* NULL: none */
	size_t size;
};

#define MACHINE_ID "/etc/machine-id" /* machine-id(5) */
/* The sensor whose spool was set aside at this start. */
struct replaced {
	Hinomi__SensorStart__Replaced why;
	uint8_t sensor_id[16]; /* zero: it could not be read */
	char name[64];	       /* where it is, in the spool */
};

struct pipeline {
	const struct config *config;
	struct attach *attach;
	struct ring *rings[LANES];
	struct arena arena; /* of one batch */
	struct enrich *enrich;
	struct filter *filter;
	struct guard *guard;
	struct ledger *ledger;
	struct sequences *sequences;
	struct sealer *sealers[LANES];
	struct spool_writer *spool;
	struct syncer *syncer;
	Hinomi__LedgerRow *rows; /* room for all of them */
	size_t rows_max;
	struct seal_identity identity;
	uint64_t own_seq;		   /* of the sensor's own events, last given out */
	uint64_t since_whole_bytes[LANES]; /* appended since the ledger was last written whole */
	bool frame_due[LANES];		   /* seal even without events */
	uint64_t held_ns;		   /* since when the bulk frame waits; 0: it does not */
	bool whole_due[LANES];
	struct losses *losses;
	uint64_t malformed, duplicates;
	struct held_record held[LANES];
	struct waiting waiting[LANES];
	bool spool_gone;  /* somebody took it away: nothing to wait for */
	uint64_t stop_ns; /* until then a stop waits for the disk */
	uint64_t disk_ns; /* ever spent appending to it */
	uint64_t blind_ns;
	struct costs costs;
	uint64_t last_ns;	     /* time of the record that was taken last */
	struct host host;	     /* as it was told last */
	bool is_known;		     /* a sensor has been at work in this spool before */
	Hinomi__Gap lost_end[LANES]; /* frames that were gone from it; last_frame 0: none */
	struct replaced replaced;
};

struct pipeline_error {
	int status; /* exit status of hinomi(1) */
	char text[512];
};

/* Opens everything behind the rings; takes up an earlier process's chain, ledger and sequences. */
int pipeline_open(struct pipeline *p, const struct config *config, struct attach *attach,
		  struct pipeline_error *error);
void pipeline_close(struct pipeline *p);
/* One batch out of both rings, in time order; how many records. */
size_t pipeline_run(struct pipeline *p);
/* A running process that the iterator found. */
int pipeline_seed(struct pipeline *p, const void *record, size_t size);
void pipeline_seeded(struct pipeline *p);	 /* that was all of them */
bool pipeline_waiting(const struct pipeline *p); /* records are in rings whose lane may go on */
bool pipeline_behind(const struct pipeline *p);	 /* so many that they should be taken at once */
int pipeline_hash_fd(const struct pipeline *p);	 /* readable when a hash can be taken, -1 */
uint64_t pipeline_spool_bytes(const struct pipeline *p);
/* Seals what waits, however short, and what is due without events. */
void pipeline_seal(struct pipeline *p);
/* One of the sensor's own events (its body is set), into the keep lane. */
void pipeline_own(struct pipeline *p, enum kind kind, Hinomi__Event *event);
/* The same, done by whoever did the event `by`; NULL: the sensor itself. */
void pipeline_own_by(struct pipeline *p, enum kind kind, Hinomi__Event *event,
		     const struct event *by);
/* Programs are off: what is in the rings and was counted in the kernel, then everything that never
 * came. */
void pipeline_drain(struct pipeline *p);
/* After that: the last frames, as far as the disk takes them within 5 s of the drain. */
void pipeline_end(struct pipeline *p);

/* output.c: the last frame of a lane goes to the spool, now or later */
void output_put(struct pipeline *p, enum lane lane, const uint8_t *bytes, size_t size);
bool output_waits(const struct pipeline *p, enum lane lane);
bool output_ready(struct pipeline *p, enum lane lane); /* tries again; false: it waits still */
bool output_stuck(const struct pipeline *p);	       /* either lane waits */
/* Whether somebody took the spool away under us; says so.  A few system calls. */
bool output_place_lost(struct pipeline *p);
void output_give_up(const struct pipeline *p); /* says what is lost with this stop */
/* gaps.c: those that are to be declared now; all: also those that might still be filled */
void pipeline_gaps(struct pipeline *p, bool all);
/* recover.c */
bool pipeline_is_known(const char *spool); /* ask before the spool is opened */
int pipeline_recover(struct pipeline *p, const char *dir, struct seal_state states[LANES]);
void recover_declare(struct pipeline *p); /* what was gone, once it can be said */
/* identity.c: from the spool, made there on first use */
int identity_load(const char *dir, struct seal_identity *ret);
/* The sensor's own key, made there on first use; its public half lies beside it as identity.pub. */
int identity_key(const char *dir, struct evp_pkey_st **ret);
/* bind.c: is the spool of another machine, or its identity damaged?  Then it is set aside, and
 * `ret` says so.  -EBUSY: another sensor writes there; other -errno. */
int bind_check(const char *spool, const char *machine_id, struct replaced *ret);
void bind_say(const char *spool, const struct replaced *replaced); /* to the log */
/* This machine's from now on; once id and key are there. */
int bind_machine(const char *spool, const char *machine_id);
/* All of it; -EBADMSG: it is not of this size. */
int read_file(int dir, const char *name, void *bytes, size_t size);
/* Written whole or not at all, and on disk when it returns. */
int write_file(int dir, const char *name, const void *bytes, size_t size, mode_t mode);
int group_id(
	const char *name); /* of the host's group file, or a number; -1: none, or no such group */
/* announce.c: what the sensor says of itself */
void announce_start(struct pipeline *p, unsigned processes);
void announce_stop(struct pipeline *p, const char *reason);
void announce_heartbeat(struct pipeline *p);
/* costs.c: what the sensor costs; programs in the batch's arena. */
void costs_fill(struct pipeline *p, Hinomi__Heartbeat *beat);
void announce_gap(struct pipeline *p, const Hinomi__Gap *gap);
/* Once more where the lane begins now, since what declared it may be gone. */
void announce_front(struct pipeline *p, enum lane lane);
struct coverage_change {
	const struct coverage *now;
	Hinomi__Coverage__State old;
	const char *reason;
};
/* All classes as they are; n 0: nothing has changed, it is time again. */
/* by: the event that told it, or NULL */
void announce_tamper(void *pipeline, const Hinomi__SensorTamper *tamper, const struct event *by);
/* Found by looking, so that nobody knows who did it; the values before and now, or NULL both. */
void announce_found(struct pipeline *p, Hinomi__SensorTamper__What what, const char *object,
		    char *was, char *is);
/* The configuration differs from that of the run before, which the spool has kept. */
void announce_config(struct pipeline *p);
void announce_coverage(struct pipeline *p, const struct coverage_change *changes, size_t n);
/* sync.c: group commit on a thread of its own */
int syncer_new(struct spool_writer *spool, struct syncer **ret);
void syncer_free(struct syncer *syncer); /* syncs what is left */
/* So many bytes were appended; at_once: of the keep lane. */
void syncer_kick(struct syncer *syncer, size_t bytes, bool at_once);
uint64_t syncer_last_ns(const struct syncer *syncer); /* when something was last made durable */
/* release.c: segments whose frames every sink has given a receipt for may go first */
void release_covered(struct pipeline *p);
/* The highest frame that a sink gave a signed receipt for; 0: none is known. */
uint64_t release_number(struct pipeline *p, enum lane lane);
/* confine.c: capabilities that will not be used, before other threads are; then, once all is
 * proven, those for BPF as well, and system calls that are not the sensor's */
int confine_start(const char *spool);
int confine_running(const char *spool);
