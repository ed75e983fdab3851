// SPDX-License-Identifier: Apache-2.0
/* What a [sink] needs as a whole: its type, URL, headers and credentials fit together. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "config/reader.h"

#define HEADERS_MAX 32

static bool is_token(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!isalnum((unsigned char)text[i]) && !strchr("!#$%&'*+-.^_`|~", text[i]))
			return false;
	}
	return size > 0;
}

/* Names that by themselves say that a secret follows. */
static bool is_secret(const char *name, size_t size)
{
	static const char *const words[] = {"auth", "key", "token", "secret", "cookie", "password"};
	char *copy = strndup(name, size);
	bool found = !copy;

	for (size_t i = 0; copy && i < ARRAY_SIZE(words); i++)
		found = found || strcasestr(copy, words[i]);
	free(copy);
	return found;
}

/* Headers that the forwarder makes itself. */
static bool is_reserved(const char *name, size_t size)
{
	static const char *const names[] = {"Host",
					    "Content-Type",
					    "Content-Length",
					    "Content-Encoding",
					    "Transfer-Encoding",
					    "Connection",
					    "Expect"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i]) == size && !strncasecmp(names[i], name, size))
			return true;
	}
	return false;
}

static bool has_header(const struct config_sink *sink, const char *name, size_t size)
{
	for (size_t i = 0; i < sink->nheaders; i++) {
		if (!strncasecmp(sink->headers[i], name, size) && sink->headers[i][size] == ':')
			return true;
	}
	return false;
}

int sink_add_header(struct reader *reader, struct config_sink *sink, const char *value)
{
	const char *colon = strchr(value, ':'), *content;
	size_t name = colon ? colon - value : 0;

	if (!colon || !is_token(value, name)) /* not shown: it may be a secret */
		return reader_fail(reader, "header is not of the form NAME: VALUE or NAME: @FILE");
	content = colon + 1 + strspn(colon + 1, " \t");
	if (!*content || !strcmp(content, "@"))
		return reader_fail(reader, "header %.*s has no value", (int)name, value);
	if (*content != '@' && is_secret(value, name))
		return reader_fail(
			reader,
			"header %.*s carries a secret, which must not stand here; put it "
			"into a file and write header = %.*s: @FILE",
			(int)name, value, (int)name, value);
	if (is_reserved(value, name))
		return reader_fail(reader,
				   "header %.*s is made by hinomi-forward itself; leave it out",
				   (int)name, value);
	if (has_header(sink, value, name))
		return reader_fail(reader, "header %.*s is set already in [sink %s]", (int)name,
				   value, sink->name);
	if (sink->nheaders >= HEADERS_MAX)
		return reader_fail(reader, "more than %d headers", HEADERS_MAX);
	return list_append(&sink->headers, &sink->nheaders, value);
}

/* The part of an URL behind HOST, with [] around IPv6; NULL when there is no host. */
static const char *behind_host(const char *host)
{
	size_t size;

	if (*host == '[') {
		size = strspn(host + 1, "0123456789abcdefABCDEF:.%");
		return size && host[1 + size] == ']' ? host + size + 2 : NULL;
	}
	size = strcspn(host, ":/?#");
	return size ? host + size : NULL;
}

static const char *url_mistake(const struct config_sink *sink)
{
	bool otlp = !strcmp(sink->type, "otlp");
	const char *host = sink->url, *rest;

	if (!strncmp(host, "https://", 8))
		host += 8;
	else if (!strncmp(host, "http://", 7))
		host += 7;
	else
		return "begins with neither http:// nor https://";
	if (strpbrk(host, " \t\"<>\\"))
		return "has a space or a quote in it";
	if (memchr(host, '@', strcspn(host, "/")))
		return "has a user in it; use header = Authorization: @FILE";
	rest = behind_host(host);
	if (!rest)
		return "names no host";
	if (*rest == ':') {
		size_t digits = strspn(rest + 1, "0123456789");
		unsigned long port = digits <= 5 ? strtoul(rest + 1, NULL, 10) : 0;

		if (port < 1 || port > 65535)
			return "has no port from 1 to 65535 behind the colon";
		rest += 1 + digits;
		if (*rest && *rest != '/')
			return "has something other than a path behind the port";
	} else if (!otlp) {
		return "names no port; `hinomi collect` listens at https://HOST:PORT";
	}
	if (otlp && rest[0] != '/')
		return "has no path; OTLP is usually taken at /v1/logs";
	if (!otlp && *rest)
		return "has a path; a collector is https://HOST:PORT and no more";
	return NULL;
}

int sink_check(struct reader *reader, size_t index)
{
	struct config_sink *sink = &reader->config->sinks[index];
	const char *mistake;

	reader->name = sink->file;
	reader->line = sink->line;
	if (!sink->type)
		return reader_fail(reader,
				   "[sink %s] has no type; write type = otlp or type = "
				   "collector",
				   sink->name);
	if (!sink->url)
		return reader_fail(reader, "[sink %s] has no url", sink->name);
	mistake = url_mistake(sink);
	if (mistake)
		return reader_fail(reader, "[sink %s] url = %.80s %s", sink->name, sink->url,
				   mistake);
	if (!sink->cert_file != !sink->key_file)
		return reader_fail(reader,
				   "[sink %s] has %s without %s; a certificate needs its key",
				   sink->name, sink->cert_file ? "cert_file" : "key_file",
				   sink->cert_file ? "key_file" : "cert_file");
	if ((sink->ca_file || sink->cert_file) && strncmp(sink->url, "https://", 8))
		return reader_fail(
			reader,
			"[sink %s] has %s, but its url is not https:// and would not use "
			"it",
			sink->name, sink->ca_file ? "ca_file" : "cert_file");
	return 0;
}
