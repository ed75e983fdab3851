/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to one sink, kept open between requests.  HTTP/1.1, redirects are
 * not followed, the answer is read up to a limit.  One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define HTTP_ANSWER_MAX 65536

struct config_sink;
struct http;
struct stop;

struct http_options {
	const struct config_sink *sink; /* borrowed: certificates, headers, timeout */
	const struct stop *stop;	/* borrowed: ends a request once overdue */
	_Atomic uint64_t *pulse_ns;	/* borrowed: boot time of the last sign of life */
	bool tls13;			/* not even 1.2 */
};

struct http_request {
	const char *url;
	const char *type;   /* of the body */
	bool gzip;	    /* the body is */
	const char *header; /* one more, or NULL */
	const void *body;   /* NULL: GET */
	size_t size;
};

struct http_answer {
	long status;		 /* 0: none came; error says why */
	char type[64];		 /* of the body, lower case, without parameters */
	uint64_t retry_after_ns; /* 0: not said */
	bool too_long;		 /* body is only its beginning */
	size_t size;
	uint8_t body[HTTP_ANSWER_MAX];
	char error[256];
};

int http_new(const struct http_options *options, struct http **ret);
void http_free(struct http *http);
/* The answer is http's and valid until the next call. */
const struct http_answer *http_perform(struct http *http, const struct http_request *request);

DEFINE_CLEANUP(struct http *, http_free);
