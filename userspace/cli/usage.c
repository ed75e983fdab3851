/* SPDX-License-Identifier: Apache-2.0 */
/* What every subcommand says in the same words. */
#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static const char *command = "hinomi";

void usage_init(const char *name)
{
	command = name;
	log_init(name);
}

int usage_help(const char *help)
{
	fputs(help, stdout);
	return finish(STATUS_OK);
}

int usage_refused(void)
{
	fprintf(stderr, "Try: %s --help\n", command);
	return STATUS_USAGE;
}

int usage_error(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", command);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	putc('\n', stderr);
	return usage_refused();
}

int spool_failed(const char *dir, int err)
{
	if (err == -ENOENT || err == -ENOTDIR) {
		log_error("there is no spool at %s; name one with --spool, or start the sensor: "
			  "hinomi run",
			  dir);
		return STATUS_FAILED;
	}
	if (err == -EACCES || err == -EPERM) {
		log_error("may not read %s: be root, or in the group of that directory", dir);
		return STATUS_PERMISSION;
	}
	if (err == -ESTALE)
		log_error("the spool at %s was deleted meanwhile", dir);
	else
		log_error("cannot read %s: %s", dir, strerror(-err));
	return STATUS_FAILED;
}

static bool has_reader(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO};

	return poll(&out, 1, 0) <= 0 || !(out.revents & (POLLERR | POLLHUP | POLLNVAL));
}

bool output_gone(void)
{
	return ferror(stdout) || !has_reader();
}

int finish(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	if (has_reader()) /* whoever went away need not be told */
		log_error("cannot write the output: the disk is full, or it failed");
	return status ? status : STATUS_FAILED;
}
