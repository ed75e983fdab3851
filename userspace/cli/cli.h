/* SPDX-License-Identifier: Apache-2.0 */
/* The program hinomi: its subcommands and what they share. */
#pragma once

#include <stdbool.h>

/* hinomi(1); the values above 64 are those of sysexits.h */
enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_FINDINGS = 3, /* verify, spool check, status */
	STATUS_UNSUPPORTED = 69,
	STATUS_PERMISSION = 77,
	STATUS_CONFIG = 78,
};

#define SPOOL_DEFAULT "/var/lib/hinomi/spool"

/* argv[0] is "hinomi NAME"; each returns an exit status */
int command_run(int argc, char **argv);
int command_cat(int argc, char **argv);
int command_tail(int argc, char **argv);
int command_status(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_spool(int argc, char **argv);
int command_describe(int argc, char **argv);
int command_check_config(int argc, char **argv);

/* Prints the help to stdout, and says whether that went well. */
int usage_help(const char *help);
/* One line on what is wrong and what is right, and where there is more; STATUS_USAGE. */
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Behind an option that getopt refused (it has said why); STATUS_USAGE. */
int usage_refused(void);
void usage_init(const char *command); /* "hinomi cat"; borrowed */

/* Says why the spool cannot be read and what to do; the exit status for it. */
int spool_failed(const char *dir, int err);
/* Says it when stdout could not be written; the exit status of a command that is done. */
int finish(int status);
/* Whether stdout is gone for good: nobody reads it any more. */
bool output_gone(void);
