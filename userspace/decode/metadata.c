/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classes of paths and headers, by what the services of the big clouds understand.
 * Paths are compared as a server would: without escapes, doubled slashes and case.
 */
#include "decode/metadata.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

#define PATH_MAX_TEXT 512

#define PATH(name)    HINOMI__METADATA_REQUEST__PATH_CLASS__PATH_##name
#define METHOD(name)  HINOMI__METADATA_REQUEST__METHOD__METHOD_##name

/* The first that is part of the path decides. */
static const struct {
	const char *part;
	Hinomi__MetadataRequest__PathClass class;
} paths[] = {
	{"/api/token", PATH(TOKEN)},		      /* EC2: a session of version 2 */
	{"security-credentials", PATH(CREDENTIALS)},  /* EC2, Alibaba */
	{"/identity-credentials", PATH(CREDENTIALS)}, /* EC2 */
	{"/service-accounts", PATH(CREDENTIALS)},     /* GCE: tokens and identities */
	{"/oauth2/token", PATH(CREDENTIALS)},	      /* Azure: managed identity */
	{"/v1/credentials", PATH(CREDENTIALS)},	      /* EKS */
	{"/v2/credentials", PATH(CREDENTIALS)},	      /* ECS */
	{"/opc/v1/identity", PATH(CREDENTIALS)},      /* OCI: the instance's own certificate */
	{"/opc/v2/identity", PATH(CREDENTIALS)},
	{"user-data", PATH(USER_DATA)}, /* EC2, OpenStack, Alibaba */
	{"user_data", PATH(USER_DATA)},
	{"userdata", PATH(USER_DATA)}, /* Azure */
	{"customdata", PATH(USER_DATA)},
	{"/attributes", PATH(USER_DATA)},      /* GCE: scripts and settings of the owner */
	{"recursive=true", PATH(USER_DATA)},   /* GCE: all of the above at once */
	{"instance-identity", PATH(IDENTITY)}, /* EC2 */
	{"/attested", PATH(IDENTITY)},	       /* Azure */
};

static const struct {
	const char *name;
	Hinomi__MetadataRequest__Method method;
} methods[] = {
	{"GET ", METHOD(GET)},	   {"PUT ", METHOD(PUT)},	{"POST ", METHOD(POST)},
	{"HEAD ", METHOD(HEAD)},   {"DELETE ", METHOD(OTHER)},	{"OPTIONS ", METHOD(OTHER)},
	{"PATCH ", METHOD(OTHER)}, {"CONNECT ", METHOD(OTHER)}, {"TRACE ", METHOD(OTHER)},
};

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 32) >= 'a' && (c | 32) <= 'f')
		return (c | 32) - 'a' + 10;
	return -1;
}

/* One byte of a path, an escape for it taken apart. */
static uint8_t path_byte(const uint8_t *path, size_t size, size_t *at)
{
	uint8_t c = path[(*at)++];
	int high, low;

	if (c != '%' || size - *at < 2)
		return c;
	high = hex_digit(path[*at]);
	low = hex_digit(path[*at + 1]);
	if (high < 0 || low < 0)
		return c;
	*at += 2;
	return (uint8_t)(high << 4 | low);
}

static void path_plain(const uint8_t *path, size_t size, char text[PATH_MAX_TEXT])
{
	size_t at = 0, len = 0;

	while (at < size && len < PATH_MAX_TEXT - 1) {
		uint8_t c = path_byte(path, size, &at);

		if (c == '/' && len && text[len - 1] == '/')
			continue;
		text[len++] = c ? (char)c : '?';
	}
	text[len] = 0;
}

static Hinomi__MetadataRequest__PathClass path_class(const uint8_t *path, size_t size)
{
	char text[PATH_MAX_TEXT];

	path_plain(path, size, text);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (strcasestr(text, paths[i].part))
			return paths[i].class;
	return PATH(OTHER);
}

/* The line at the front of *rest, taken off it; false: none that is whole. */
static bool line_next(const uint8_t **rest, size_t *left, const uint8_t **line, size_t *len)
{
	const uint8_t *end = memchr(*rest, '\n', *left);

	if (!end)
		return false;
	*line = *rest;
	*len = (size_t)(end - *rest);
	*left -= *len + 1;
	*rest = end + 1;
	while (*len && (*line)[*len - 1] == '\r')
		--*len;
	return true;
}

static bool header_is(const uint8_t *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	return len > n && line[n] == ':' && !strncasecmp((const char *)line, name, n);
}

static void read_header(const uint8_t *line, size_t len, Hinomi__MetadataRequest *to)
{
	static const char *const provider[] = {"Metadata-Flavor", "X-Google-Metadata-Request",
					       "Metadata", "Authorization"};

	if (header_is(line, len, "X-aws-ec2-metadata-token"))
		to->session_token = true;
	if (header_is(line, len, "X-Forwarded-For") || header_is(line, len, "Forwarded"))
		to->forwarded = true;
	for (size_t i = 0; i < ARRAY_SIZE(provider); i++)
		if (header_is(line, len, provider[i]))
			to->provider_header = true;
}

static void read_method(const uint8_t *bytes, size_t size, Hinomi__MetadataRequest *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		size_t n = strlen(methods[i].name);

		if (size >= n && !memcmp(bytes, methods[i].name, n))
			to->method = methods[i].method;
	}
}

static void read_path(const uint8_t *bytes, size_t size, Hinomi__MetadataRequest *to)
{
	const uint8_t *path = memchr(bytes, ' ', size), *end;
	size_t left;

	if (!path)
		return;
	path++;
	left = size - (size_t)(path - bytes);
	end = memchr(path, ' ', left);
	to->path = path_class(path, end ? (size_t)(end - path) : left);
}

void metadata_parse(const uint8_t *bytes, size_t size, Hinomi__MetadataRequest *to)
{
	const uint8_t *line;
	size_t len, left = size;

	to->incomplete = true;
	if (!size)
		return;
	read_method(bytes, size, to);
	if (!to->method)
		return;
	if (!line_next(&bytes, &left, &line, &len)) {
		read_path(bytes, size, to);
		return;
	}
	read_path(line, len, to);
	while (line_next(&bytes, &left, &line, &len)) {
		if (!len) {
			to->incomplete = false;
			break;
		}
		read_header(line, len, to);
	}
	if (to->session_token || to->path == PATH(TOKEN))
		to->version = HINOMI__METADATA_REQUEST__VERSION__VERSION_2;
	else if (!to->provider_header && !to->incomplete)
		to->version = HINOMI__METADATA_REQUEST__VERSION__VERSION_1;
}
