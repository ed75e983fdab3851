/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/http.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "config/config.h"
#include "forward/credential.h"
#include "forward/retry.h"
#include "forward/stop.h"

#define CONNECT_TIMEOUT_MS 10000

struct http {
	struct http_options options;
	CURL *curl;
	struct curl_slist *headers;
	char *ca_file, *cert_file, *key_file;
	char detail[CURL_ERROR_SIZE];
	struct http_answer answer;
};

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct http_answer *answer = ctx;
	size_t room = sizeof(answer->body) - answer->size;

	size *= count;
	answer->too_long = size > room;
	if (answer->too_long)
		return 0; /* curl ends the transfer */
	memcpy(answer->body + answer->size, data, size);
	answer->size += size;
	return size;
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
	static const char name[] = "Retry-After:";
	struct http_answer *answer = ctx;
	char value[128];

	size *= count;
	if (size > strlen(name) && !strncasecmp(data, name, strlen(name))) {
		snprintf(value, sizeof(value), "%.*s", (int)(size - strlen(name)),
			 data + strlen(name));
		answer->retry_after_ns = retry_after_ns(value, clock_real_ns());
	}
	return size;
}

static int on_progress(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
		       curl_off_t up)
{
	struct http *http = ctx;

	(void)down_all, (void)down, (void)up_all, (void)up;
	atomic_store(http->options.pulse_ns, clock_boot_ns());
	return stop_overdue(http->options.stop);
}

static int set_tls(struct http *http)
{
	const struct config_sink *sink = http->options.sink;
	int err = 0;

	curl_easy_setopt(
		http->curl, CURLOPT_SSLVERSION,
		(long)(http->options.tls13 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
	/* else an authority that is exchanged in its file counts only after a day */
	curl_easy_setopt(http->curl, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	if (sink->ca_file) {
		err = credential_path(sink->ca_file, &http->ca_file);
		curl_easy_setopt(http->curl, CURLOPT_CAINFO, http->ca_file);
		curl_easy_setopt(http->curl, CURLOPT_CAPATH, NULL); /* this one and no other */
	}
	if (!err && sink->cert_file) {
		err = credential_path(sink->cert_file, &http->cert_file);
		curl_easy_setopt(http->curl, CURLOPT_SSLCERT, http->cert_file);
	}
	if (!err && sink->key_file) {
		err = credential_path(sink->key_file, &http->key_file);
		curl_easy_setopt(http->curl, CURLOPT_SSLKEY, http->key_file);
	}
	return err;
}

static void set_transfer(struct http *http)
{
	CURL *curl = http->curl;

	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)http->options.sink->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "hinomi-forward/" HINOMI_VERSION);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->detail);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &http->answer);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &http->answer);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
}

int http_new(const struct http_options *options, struct http **ret)
{
	CLEANUP(http_free) struct http *http = calloc(1, sizeof(*http));
	int err;

	if (!http)
		return -ENOMEM;
	http->options = *options;
	http->curl = curl_easy_init();
	if (!http->curl)
		return -ENOMEM;
	set_transfer(http);
	err = set_tls(http);
	if (err)
		return err;
	*ret = TAKE(http);
	return 0;
}

/* Secrets are in the list's strings. */
static void drop_headers(struct http *http)
{
	for (struct curl_slist *at = http->headers; at; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(http->headers);
	http->headers = NULL;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	if (http->curl)
		curl_easy_cleanup(http->curl);
	drop_headers(http);
	free(http->ca_file);
	free(http->cert_file);
	free(http->key_file);
	free(http);
}

static int add_header(struct http *http, const char *header)
{
	struct curl_slist *list = curl_slist_append(http->headers, header);

	if (!list)
		return -ENOMEM;
	http->headers = list;
	return 0;
}

static int add_configured(struct http *http)
{
	const struct config_sink *sink = http->options.sink;

	for (size_t i = 0; i < sink->nheaders; i++) {
		char *header = NULL;
		int err = credential_header(sink->headers[i], &header);

		if (!err)
			err = add_header(http, header);
		if (err)
			snprintf(http->answer.error, sizeof(http->answer.error),
				 "header %.*s cannot be read: %s",
				 (int)strcspn(sink->headers[i], ":"), sink->headers[i],
				 strerror(-err));
		if (header)
			explicit_bzero(header, strlen(header));
		free(header);
		if (err)
			return err;
	}
	return 0;
}

static int add_headers(struct http *http, const struct http_request *request)
{
	char type[128];
	int err = add_header(http, "Expect:");

	if (!err && request->body) {
		snprintf(type, sizeof(type), "Content-Type: %s", request->type);
		err = add_header(http, type);
	}
	if (!err && request->gzip)
		err = add_header(http, "Content-Encoding: gzip");
	if (!err && request->header)
		err = add_header(http, request->header);
	return err ? err : add_configured(http);
}

static void take_result(struct http *http, CURLcode code)
{
	struct http_answer *answer = &http->answer;
	const char *type = NULL;

	if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && answer->too_long)) {
		snprintf(answer->error, sizeof(answer->error), "%s",
			 http->detail[0] ? http->detail : curl_easy_strerror(code));
		return;
	}
	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_easy_getinfo(http->curl, CURLINFO_CONTENT_TYPE, &type);
	if (type)
		snprintf(answer->type, sizeof(answer->type), "%.*s", (int)strcspn(type, "; \t"),
			 type);
	for (char *c = answer->type; *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

const struct http_answer *http_perform(struct http *http, const struct http_request *request)
{
	CURL *curl = http->curl;
	struct http_answer *answer = &http->answer;

	answer->status = 0;
	answer->type[0] = answer->error[0] = http->detail[0] = '\0';
	answer->retry_after_ns = 0;
	answer->too_long = false;
	answer->size = 0;
	if (add_headers(http, request)) {
		if (!answer->error[0])
			snprintf(answer->error, sizeof(answer->error), "out of memory");
		drop_headers(http);
		return answer;
	}
	curl_easy_setopt(curl, CURLOPT_URL, request->url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, http->headers);
	if (request->body) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size);
	} else {
		curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	}
	take_result(http, curl_easy_perform(curl));
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
	drop_headers(http);
	return answer;
}
