/* SPDX-License-Identifier: Apache-2.0 */
/* hinomi-verify: the command `hinomi verify` in one file that needs nothing of the machine it is
 * carried to. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "frame/crypto.h"

int main(int argc, char **argv)
{
	usage_init("hinomi-verify");
	signal(SIGPIPE, SIG_DFL);
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("hinomi-verify " HINOMI_VERSION);
		return finish(STATUS_OK);
	}
	if (crypto_start()) {
		fputs("hinomi-verify: there is not enough memory to start\n", stderr);
		return STATUS_FAILED;
	}
	return command_verify(argc, argv);
}
