/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP for the collector: takes requests apart within limits and hands whole bodies
 * on.  Runs in its caller's thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define SERVER_BODY_MAX	       (16u << 20)
#define SERVER_BODIES_MAX      (256u << 20) /* of all requests under way together */
#define SERVER_CONNECTIONS_MAX 256

struct server;

/* What a request is, once its body is whole. */
struct server_request {
	const char *method, *path;
	const char *type;     /* of the body, "" for none */
	const char *encoding; /* of the body, "" for none */
	const void *body;
	size_t size;
	void *connection; /* for server_header, server_argument */
};

struct server_reply {
	unsigned status;
	const char *type;
	void *body; /* from malloc, becomes the server's; NULL: empty */
	size_t size;
	unsigned retry_after_s; /* 0: not said */
};

typedef void server_handler(void *ctx, const struct server_request *request,
			    struct server_reply *reply);

struct server_options {
	int listen_fd;		/* becomes the server's */
	const char *cert, *key; /* PEM text; NULL: no TLS */
	const char *client_ca;	/* PEM text; NULL: clients need no certificate */
	server_handler *handler;
	void *ctx;
};

int server_new(const struct server_options *options, struct server **ret);
void server_free(struct server *server);
int server_poll_fd(const struct server *server); /* readable when server_run has work */
/* How long to wait at most before server_run, in ms. */
int server_timeout_ms(const struct server *server);
void server_run(struct server *server);
/* NULL: not there. */
const char *server_header(const struct server_request *request, const char *name);
const char *server_argument(const struct server_request *request, const char *name);

DEFINE_CLEANUP(struct server *, server_free);
