// SPDX-License-Identifier: Apache-2.0
/* Servers that the rows talk to: a word for everybody who comes. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "evade.h"

_Noreturn static void serve(int listener, const char *word)
{
	for (;;) {
		int fd = (int)must(accept(listener, NULL, NULL));

		dprintf(fd, "%s\n", word);
		close(fd);
	}
}

/* listen PORT WORD */
static int listen_tcp(char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((in_port_t)strtoul(argv[0], NULL, 10))};
	int fd = (int)must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	must(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	must(listen(fd, 8));
	serve(fd, argument(argv, 1, ""));
}

/* unix-listen PATH */
static int listen_unix(char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = (int)must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[0]);
	must(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	must(listen(fd, 8));
	serve(fd, "");
}

const struct performer listeners[] = {{"listen", listen_tcp}, {"unix-listen", listen_unix}, {0}};
