/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sensor makes a must-keep frame at least every 5 s, so one of which none comes is
 * news.  A sign of life is a frame that was not here before, that is the sensor's,
 * and that it has made of late: neither what is brought once more nor a backlog
 * that is drained says that it lives.
 */
#pragma once

#include <stdint.h>

struct findings;
struct frame;
struct sensor;
struct store;

#define SILENCE_NS (15 * 1000000000ULL)

/* A new must-keep frame that is proven, or is of a sensor that signs nothing.  Now: boot time. */
void silence_heard(struct sensor *sensor, const struct frame *frame, uint64_t now_ns);
/* Call every second or so. */
void silence_check(struct store *store, struct findings *findings, uint64_t now_ns);
