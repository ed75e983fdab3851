// SPDX-License-Identifier: Apache-2.0
/* Secrets of the sinks: read by the forwarder alone, from files, never from the configuration. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "config/reader.h"

#define CREDENTIAL_MAX 16384

static int fail(const struct config_sink *sink, char *error, int r, const char *what,
		const char *file, const char *why)
{
	snprintf(error, CONFIG_ERROR_MAX, "%.200s:%d: [sink %s] %.80s: %.300s %s", sink->file,
		 sink->line, sink->name, what, file, why);
	return r;
}

/* Where the file is; a relative name is one that systemd was asked to hand over. */
static int locate(const struct config_sink *sink, const char *what, const char *name, char **ret,
		  char *error)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (*name == '/') {
		*ret = strdup(name);
		return *ret ? 0 : -ENOMEM;
	}
	if (!dir)
		return fail(sink, error, -ENOENT, what, name,
			    "is a relative name, and no $CREDENTIALS_DIRECTORY is set; write the "
			    "whole path, or add LoadCredential= to hinomi-forward.service");
	if (strchr(name, '/'))
		return fail(sink, error, -EINVAL, what, name,
			    "is neither the name of a credential nor a path from / on");
	return asprintf(ret, "%s/%s", dir, name) < 0 ? -ENOMEM : 0;
}

static int open_credential(const struct config_sink *sink, const char *what, const char *path,
			   int *ret, char *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return fail(sink, error, -ENOENT, what, path,
			    "is not there; put it there, or add LoadCredential= to "
			    "hinomi-forward.service");
	if (fd < 0 && errno == EACCES)
		return fail(sink, error, -EACCES, what, path,
			    "may not be read by this user; hand it over with LoadCredential= in "
			    "hinomi-forward.service");
	if (fd < 0)
		return fail(sink, error, -errno, what, path, strerror(errno));
	*ret = fd;
	return 0;
}

/* ca_file and so on: libcurl opens them, here only to complain in time */
static int check_file(const struct config_sink *sink, const char *what, char **file, char *error)
{
	CLEANUP(close_fd) int fd = -1;
	CLEANUP(free) char *path = NULL;
	char byte;
	int r;

	if (!*file)
		return 0;
	r = locate(sink, what, *file, &path, error);
	if (!r)
		r = open_credential(sink, what, path, &fd, error);
	if (r)
		return r;
	if (read(fd, &byte, 1) != 1)
		return fail(sink, error, -EINVAL, what, path,
			    "holds nothing; it should be a file in PEM form");
	free(*file);
	*file = TAKE(path);
	return 0;
}

static int read_secret(const struct config_sink *sink, const char *what, const char *path,
		       char secret[CREDENTIAL_MAX], char *error)
{
	CLEANUP(close_fd) int fd = -1;
	ssize_t size;
	int r = open_credential(sink, what, path, &fd, error);

	if (r)
		return r;
	size = read(fd, secret, CREDENTIAL_MAX);
	if (size < 0)
		return fail(sink, error, -errno, what, path, strerror(errno));
	if (size == CREDENTIAL_MAX)
		return fail(sink, error, -EFBIG, what, path, "is longer than 16383 bytes");
	while (size && isspace((unsigned char)secret[size - 1]))
		size--;
	secret[size] = '\0';
	if (!size)
		return fail(sink, error, -EINVAL, what, path, "holds nothing");
	for (ssize_t i = 0; i < size; i++) {
		if (iscntrl((unsigned char)secret[i]))
			return fail(sink, error, -EINVAL, what, path,
				    "holds more than one line; a header is one");
	}
	return 0;
}

static int read_header(const struct config_sink *sink, char **header, char *error)
{
	char secret[CREDENTIAL_MAX], what[80];
	const char *colon = strchr(*header, ':'), *name = colon + 1 + strspn(colon + 1, " \t");
	CLEANUP(free) char *path = NULL;
	char *whole = NULL;
	int r;

	if (*name != '@')
		return 0;
	snprintf(what, sizeof(what), "header %.*s", (int)(colon - *header), *header);
	r = locate(sink, what, name + 1, &path, error);
	if (!r)
		r = read_secret(sink, what, path, secret, error);
	if (!r && asprintf(&whole, "%.*s: %s", (int)(colon - *header), *header, secret) < 0)
		r = -ENOMEM;
	explicit_bzero(secret, sizeof(secret));
	if (r)
		return r;
	free(*header);
	*header = whole;
	return 0;
}

static int read_sink(struct config_sink *sink, char *error)
{
	int r = check_file(sink, "ca_file", &sink->ca_file, error);

	if (!r)
		r = check_file(sink, "cert_file", &sink->cert_file, error);
	if (!r)
		r = check_file(sink, "key_file", &sink->key_file, error);
	for (size_t i = 0; !r && i < sink->nheaders; i++)
		r = read_header(sink, &sink->headers[i], error);
	return r;
}

int config_read_credentials(struct config *config, char error[CONFIG_ERROR_MAX])
{
	int r = 0;

	*error = '\0';
	for (size_t i = 0; !r && i < config->nsinks; i++)
		r = read_sink(&config->sinks[i], error);
	if (r && !*error)
		snprintf(error, CONFIG_ERROR_MAX, "credentials: %s", strerror(-r));
	return r;
}
