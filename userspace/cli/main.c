/* SPDX-License-Identifier: Apache-2.0 */
/* hinomi SUBCOMMAND: what reads a spool is in this program, what senses and delivers in others. */
#include "cli/cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/libexec.h"
#include "frame/crypto.h"

static const char help[] =
	"hinomi: a kernel-level sensor that declares what it missed\n"
	"\n"
	"Usage: hinomi COMMAND [OPTION]...    (hinomi COMMAND --help says more)\n"
	"\n"
	"Watch\n"
	"  run           sense and deliver in the foreground, print events and the ledger\n"
	"  tail          follow the events of a spool as they come\n"
	"  cat           print the events of a spool\n"
	"  status        whether the sensor runs, what it costs, what it lost\n"
	"Check\n"
	"  verify        check a spool's chain, sequences and ledger\n"
	"  spool check   check the bytes of a spool on disk\n"
	"  spool export  write its frames in a row, for verify --frames\n"
	"  doctor        what this kernel offers, and whether each class is seen\n"
	"  check-config  check a configuration\n"
	"  describe      the data dictionary: classes, fields, types\n"
	"Services\n"
	"  sensor        the privileged half: kernel to spool\n"
	"  forward       the networked half: spool to collectors and back ends\n"
	"  collect       a small collector\n"
	"\n"
	"  -h, --help    this text          --version   name of this build\n"
	"Exit status: 0 ok, 1 failed, 2 usage, 3 findings, 69 kernel not\n"
	"supported, 77 permission, 78 configuration.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv); /* in this program */
	const char *program;		   /* or another */
} commands[] = {
	{.name = "run", .run = command_run},
	{.name = "tail", .run = command_tail},
	{.name = "cat", .run = command_cat},
	{.name = "status", .run = command_status},
	{.name = "verify", .run = command_verify},
	{.name = "spool", .run = command_spool},
	{.name = "doctor", .program = "hinomi-sensor"},
	{.name = "check-config", .run = command_check_config},
	{.name = "describe", .run = command_describe},
	{.name = "sensor", .program = "hinomi-sensor"},
	{.name = "forward", .program = "hinomi-forward"},
	{.name = "collect", .program = "hinomi-collect"},
};

/* hinomi doctor --x is hinomi-sensor --doctor --x */
static int become_doctor(const char *program, int argc, char **argv)
{
	char *args[64] = {argv[0], "--doctor"};

	if (argc + 1 > (int)ARRAY_SIZE(args))
		return usage_error("too many arguments");
	memcpy(args + 2, argv + 1, (size_t)(argc - 1) * sizeof(*args));
	return libexec_become(program, argc + 1, args);
}

static int unknown_command(const char *name)
{
	fprintf(stderr, "hinomi: there is no command '%s'; the commands are", name);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(stderr, "%s %s", i ? "," : "", commands[i].name);
	putc('\n', stderr);
	return usage_refused();
}

static int dispatch(int argc, char **argv)
{
	char full[32];

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[0], commands[i].name))
			continue;
		snprintf(full, sizeof(full), "hinomi %s", commands[i].name);
		usage_init(full);
		argv[0] = full;
		if (!strcmp(commands[i].name, "doctor"))
			return become_doctor(commands[i].program, argc, argv);
		if (commands[i].program)
			return libexec_become(commands[i].program, argc, argv);
		if (crypto_start()) {
			fputs("hinomi: there is not enough memory to start\n", stderr);
			return STATUS_FAILED;
		}
		return commands[i].run(argc, argv);
	}
	return unknown_command(argv[0]);
}

int main(int argc, char **argv)
{
	usage_init("hinomi");
	signal(SIGPIPE, SIG_DFL); /* as cat(1): nobody reads, nothing to say */
	if (argc < 2) {
		fputs(help, stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return usage_help(help);
	if (!strcmp(argv[1], "--version")) {
		puts("hinomi " HINOMI_VERSION);
		return finish(STATUS_OK);
	}
	if (argv[1][0] == '-')
		return usage_error(
			"there is no option '%s'; an option of a command stands behind it",
			argv[1]);
	return dispatch(argc - 1, argv + 1);
}
