/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hinomi.conf(5): sections of `key = value`.  Read from /usr/lib/hinomi/hinomi.conf,
 * /etc/hinomi/hinomi.conf, then *.conf of /usr/lib, /run and /etc hinomi/hinomi.conf.d sorted by
 * name; a later value replaces an earlier one, `rule` and sinks add up.  Strict: an unknown
 * section or key, or a value of the wrong type, is an error with file and line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"

struct config_sink {
	char *name;	       /* [sink NAME] */
	char *type;	       /* otlp or collector */
	char *url;	       /* otlp: http(s)://HOST[:PORT]/PATH; collector: http(s)://HOST:PORT */
	char *ca_file;	       /* PEM; NULL: the system's */
	char *cert_file, *key_file; /* for mutual authentication */
	char **headers;	       /* "Name: value", NULL at the end; value may be @FILE: read from FILE */
	size_t nheaders;
	uint32_t batch_events;	/* 512 */
	uint32_t batch_bytes;	/* 1 MiB, before compression */
	uint32_t timeout_ms;	/* 30000, of one request */
	bool gzip;		/* true */
	bool event_name_attribute; /* true: also send event.name, for back ends that drop event_name */
};

struct config {
	/* [sensor] */
	char *spool;		 /* /var/lib/hinomi/spool */
	uint64_t spool_limit_bytes; /* 1 GiB */
	uint64_t ring_keep_bytes; /* 4 MiB */
	uint64_t ring_bulk_bytes; /* 16 MiB */
	char *cgroup;		 /* NULL */
	char **classes_off;	 /* class names */
	size_t nclasses_off;
	uint64_t hash_file_max_bytes; /* 64 MiB; 0: off */
	uint32_t heartbeat_ms;	 /* 5000 */
	char *reader_group;	 /* hinomi-forward; may read the spool; NULL: nobody else */
	/* [filter] rule = ..., in order, with where they stand */
	struct config_rule {
		char *text;
		char *file;
		int line;
	} *rules;
	size_t nrules;
	/* [resource] key = value: labels on exported records (cloud.provider, ...) */
	struct config_label {
		char *key, *value;
	} *labels;
	size_t nlabels;
	struct config_sink *sinks;
	size_t nsinks;
	uint8_t sha256[32]; /* of the effective configuration, as dumped */
};

#define CONFIG_ERROR_MAX 512

/* path: one file alone, or NULL for the search described above (a missing file is no error then).
 * -errno with error: "FILE:LINE: what is wrong; what would be right". */
int config_load(const char *path, struct config **ret, char error[CONFIG_ERROR_MAX]);
void config_free(struct config *config);
/* The effective configuration in the file's own syntax, secrets as the name of their file. */
void config_dump(const struct config *config, FILE *out);

DEFINE_CLEANUP(struct config *, config_free);
