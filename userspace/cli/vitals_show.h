/* SPDX-License-Identifier: Apache-2.0 */
/* Vitals for people and for scripts. */
#pragma once

#include <stdint.h>
#include <stdio.h>

struct vitals;

enum vitals_state { VITALS_NONE, VITALS_RUNNING, VITALS_SILENT, VITALS_STOPPED };

struct vitals_moment {
	enum vitals_state state;
	uint64_t silent_ns; /* since the sensor was heard; UINT64_MAX: that was in another boot */
};

void vitals_text(FILE *out, const struct vitals *vitals, const struct vitals_moment *moment);
/* One object and a newline. */
void vitals_json(FILE *out, const struct vitals *vitals, const struct vitals_moment *moment);
