/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events for people and scripts.  JSON: one object per event, names as in proto/,
 * made by walking protobuf-c's descriptors, so that no class needs code here.
 * Text: one line per event.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "frame.pb-c.h"

struct frame;

/* {"time":"2026-11-23T14:00:00.123456789Z","class":"exec","seq":..,"cpu":..,"lane":"keep","process":{..},
 * "exec":{..},"sensor_id":"..","boot_id":"..","frame":N,"id":".."}; a newline behind it. */
void render_json(FILE *out, const struct frame *frame, const Hinomi__Event *event);

/* Any message, as one JSON object without newline. */
void render_message(FILE *out, const ProtobufCMessage *message);

/* What happened, for a place that has the time already: "exec ls[1234] root /bin/ls -l", no
 * newline. */
void render_line(FILE *out, const struct frame *frame, const Hinomi__Event *event);

#define TEXT_COLUMNS_OF_TERMINAL (-1) /* as wide as the terminal behind `out` is at that moment */

struct text_options {
	bool colour;
	bool fold; /* for a person who follows: runs become a count, routine is left out and counted
		    */
	bool date; /* each line has the date; else a line of its own says it when it changes */
	int columns; /* lines are cut to this; 0: whole */
};

struct text;

int text_new(FILE *out, const struct text_options *options, struct text **ret);
void text_free(struct text *text);
void text_event(struct text *text, const struct frame *frame, const Hinomi__Event *event);
void text_flush(
	struct text *text); /* writes counts and lines that are held back: call it when idle */
void text_end(struct text *text); /* flushes, and says how much was left out as routine */

/* The process of an event, NULL when it has none; indices out of range are none. */
const Hinomi__Process *payload_process(const Hinomi__Payload *payload, const Hinomi__Event *event);
/* Name of the class, "unknown" when this build does not know it. */
const char *event_class(const Hinomi__Event *event);

DEFINE_CLEANUP(struct text *, text_free);
