/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to the operator, one line each, on stderr; with a "<N>" priority in
 * front when stderr is the journal.  Only edges log (main programs, pipeline);
 * stages return errors.  Hostile bytes are escaped by the caller (base/escape.h).
 */
#pragma once

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

void log_init(const char *program); /* program: borrowed, shown in front of each line */
/* For processes that others wait for: who does not read our lines may hold one up, for 100 ms, and
 * what comes until then is dropped; the next line that goes out says how many. */
void log_never_hang(void);
void log_set_level(enum log_level level);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
