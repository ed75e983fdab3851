/* SPDX-License-Identifier: Apache-2.0 */
/* hinomi-collect: takes frames and OTLP logs over HTTP and keeps them on disk. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/sandbox.h"
#include "collect/finding.h"
#include "collect/logs.h"
#include "collect/notary.h"
#include "collect/query.h"
#include "collect/route.h"
#include "collect/server.h"
#include "collect/silence.h"
#include "collect/store.h"
#include "frame/crypto.h"

#define EXIT_USAGE 2 /* as hinomi(1) has it */
#define PEM_MAX	   (1 << 20)
#define FILES_MAX  4096

static const char usage[] =
	"usage: hinomi-collect --listen ADDRESS:PORT --store DIR [-o json|none]\n"
	"                      [--tls-cert FILE --tls-key FILE [--client-ca FILE]]\n"
	"Takes sealed frames at /v1/frames and OTLP logs at /v1/logs, checks each chain, and has\n"
	"all of it on disk before it answers.\n"
	"  --listen ADDRESS:PORT  [ADDRESS]:PORT for IPv6, :PORT for all; port 0: a free one\n"
	"  --store DIR            a spool for each sensor in DIR/SENSOR_ID, what is wrong in\n"
	"                         DIR/findings.jsonl, OTLP in DIR/logs/\n"
	"  --tls-cert, --tls-key  PEM files: HTTPS, TLS 1.3\n"
	"  --client-ca FILE       clients need a certificate of this authority\n"
	"  -o json|none           print each event, once it is on disk (default: none)\n"
	"The first line says the address, on standard output; with -o json on standard error.\n"
	"Exit status: 0 stopped by SIGTERM, 1 failed, 2 usage.\n";

struct options {
	const char *listen, *store, *cert, *key, *client_ca;
	bool json;
};

static int refuse(const char *why)
{
	fprintf(stderr, "hinomi-collect: %s\n%s", why, usage);
	return EXIT_USAGE + 1;
}

static int check(const struct options *options)
{
	if (!options->listen || !options->store)
		return refuse("--listen and --store are needed");
	if (!options->cert != !options->key)
		return refuse("--tls-cert and --tls-key go together");
	if (options->client_ca && !options->cert)
		return refuse("--client-ca needs --tls-cert");
	return 0;
}

/* 0, or the exit status + 1. */
static int parse(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {{"listen", required_argument, NULL, 'l'},
					      {"store", required_argument, NULL, 's'},
					      {"tls-cert", required_argument, NULL, 'c'},
					      {"tls-key", required_argument, NULL, 'k'},
					      {"client-ca", required_argument, NULL, 'a'},
					      {"output", required_argument, NULL, 'o'},
					      {"help", no_argument, NULL, 'h'},
					      {"version", no_argument, NULL, 'V'},
					      {0}};
	int c;

	while ((c = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
		switch (c) {
		case 'l':
			ret->listen = optarg;
			break;
		case 's':
			ret->store = optarg;
			break;
		case 'c':
			ret->cert = optarg;
			break;
		case 'k':
			ret->key = optarg;
			break;
		case 'a':
			ret->client_ca = optarg;
			break;
		case 'o':
			ret->json = !strcmp(optarg, "json");
			if (!ret->json && strcmp(optarg, "none"))
				return refuse("-o is json or none");
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS + 1;
		case 'V':
			puts("hinomi-collect " HINOMI_VERSION);
			return EXIT_SUCCESS + 1;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE + 1;
		}
	}
	return optind == argc ? check(ret) : refuse("there is a word too many");
}

static char *read_pem(const char *path)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(free) char *text = NULL;
	struct stat st;
	ssize_t size;

	if (fd < 0 || fstat(fd, &st)) {
		log_error("%s: %m", path);
		return NULL;
	}
	text = st.st_size < PEM_MAX ? calloc(1, (size_t)st.st_size + 1) : NULL;
	size = text ? read(fd, text, (size_t)st.st_size) : -1;
	if (size <= 0) {
		log_error("%s: not a file of certificates", path);
		return NULL;
	}
	return TAKE(text);
}

static int open_socket(const struct addrinfo *address)
{
	CLEANUP(close_fd)
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address->ai_addr, address->ai_addrlen) || listen(fd, SOMAXCONN))
		return -errno;
	return TAKE_FD(fd);
}

static int open_listener(const char *text)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
				 .ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *list;
	char address[256], port[6];
	int fd, err;

	if (query_listen(text, address, sizeof(address), port)) {
		log_error("--listen %s: should be ADDRESS:PORT, as 127.0.0.1:4320 or [::1]:4320",
			  text);
		return -EINVAL;
	}
	err = getaddrinfo(*address ? address : NULL, port, &hints, &list);
	if (err) {
		log_error("--listen %s: %s", text, gai_strerror(err));
		return -EINVAL;
	}
	fd = open_socket(list);
	freeaddrinfo(list);
	if (fd < 0)
		log_error("cannot listen at %s: %s", text, strerror(-fd));
	return fd;
}

static void say_address(int fd, const struct options *options)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);
	char host[NI_MAXHOST], port[NI_MAXSERV];
	FILE *out = options->json ? stderr : stdout;

	if (getsockname(fd, (struct sockaddr *)&address, &size) ||
	    getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	fprintf(out, "hinomi-collect: listening at http%s://%s%s%s:%s\n", options->cert ? "s" : "",
		address.ss_family == AF_INET6 ? "[" : "", host,
		address.ss_family == AF_INET6 ? "]" : "", port);
	fflush(out);
}

static int open_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void serve(struct server *server, const struct routes *routes, int signals)
{
	struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
			       {.fd = server_poll_fd(server), .events = POLLIN}};
	uint64_t watchdog_ns = notify_watchdog_ns(), fed_ns = 0, listened_ns = 0;

	notify_send("READY=1");
	do {
		uint64_t now_ns = clock_boot_ns();

		server_run(server);
		if (now_ns - listened_ns >= NS_PER_SEC) {
			silence_check(routes->accept.store, routes->accept.findings, now_ns);
			listened_ns = now_ns;
		}
		if (watchdog_ns && now_ns - fed_ns >= watchdog_ns / 2) {
			notify_send("WATCHDOG=1");
			fed_ns = now_ns;
		}
		if (poll(fds, 2, server_timeout_ms(server)) < 0 && errno != EINTR)
			return;
	} while (!fds[0].revents);
	notify_send("STOPPING=1");
}

static int open_store(const struct options *options, struct routes *routes)
{
	struct accept_options *accept = &routes->accept;
	int err = store_open(options->store, &accept->store);

	accept->events = options->json ? stdout : NULL;
	if (!err)
		err = findings_open(store_dir(accept->store), &accept->findings);
	if (!err)
		err = notary_open(store_dir(accept->store), &accept->notary);
	if (!err)
		err = logs_open(store_dir(accept->store), accept->events, &routes->logs);
	if (err == -EBUSY)
		log_error("another hinomi-collect keeps its frames in %s; stop it, or use another "
			  "--store",
			  options->store);
	else if (err)
		log_error("cannot use the store %s: %s", options->store, strerror(-err));
	return err;
}

static int run(const struct options *options, struct routes *routes)
{
	CLEANUP(free) char *cert = NULL, *key = NULL, *client_ca = NULL;
	CLEANUP(server_free) struct server *server = NULL;
	CLEANUP(close_fd) int signals = open_signals();
	struct server_options server_options = {.handler = route, .ctx = routes};
	int err;

	cert = options->cert ? read_pem(options->cert) : NULL;
	key = options->key ? read_pem(options->key) : NULL;
	client_ca = options->client_ca ? read_pem(options->client_ca) : NULL;
	if (!cert != !options->cert || !key != !options->key || !client_ca != !options->client_ca)
		return EXIT_FAILURE;
	server_options.cert = cert;
	server_options.key = key;
	server_options.client_ca = client_ca;
	server_options.listen_fd = open_listener(options->listen);
	if (server_options.listen_fd < 0)
		return EXIT_FAILURE;
	err = server_new(&server_options, &server);
	if (err) {
		log_error("cannot serve: %s%s", strerror(-err),
			  options->cert ? "; are certificate and key a pair in PEM form?" : "");
		return EXIT_FAILURE;
	}
	err = sandbox_enter(SANDBOX_ACCEPTS);
	if (err)
		log_warning("system calls that are not needed cannot be given up: %s",
			    strerror(-err));
	say_address(server_options.listen_fd, options);
	serve(server, routes, signals);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	struct routes routes = {0};
	struct rlimit files = {FILES_MAX, FILES_MAX};
	int status;

	log_init("hinomi-collect");
	log_never_hang();
	if (crypto_start()) {
		log_error("there is not enough memory to start");
		return EXIT_FAILURE;
	}
	status = parse(argc, argv, &options);
	if (status)
		return status - 1;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	setrlimit(RLIMIT_NOFILE, &files); /* where it may: each open sensor takes about fifteen */
	status = open_store(&options, &routes) ? EXIT_FAILURE : run(&options, &routes);
	logs_free(routes.logs);
	notary_free(routes.accept.notary);
	findings_free(routes.accept.findings);
	store_free(routes.accept.store);
	return status;
}
