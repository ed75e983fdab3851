/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hinomi.conf(5): sections of `key = value`.  Read from /usr/lib/hinomi/hinomi.conf,
 * /etc/hinomi/hinomi.conf, then *.conf of /usr/lib, /run and /etc hinomi/hinomi.conf.d sorted by
 * name, where a file of /etc hides one of the same name in /run and /usr/lib; a later value
 * replaces an earlier one, `rule`, `header` and sinks add up.  Strict: an unknown section or key,
 * or a value of the wrong type, is an error with file and line.  Names of keys, their units and
 * limits are in keys.c and nowhere else; the comments below have the key and its default.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"

struct config_sink {
	char *name; /* [sink NAME] */
	char *type; /* type: otlp or collector */
	char *url; /* url: http(s)://HOST[:PORT]/PATH for otlp, http(s)://HOST:PORT for collector */
	char *ca_file;		    /* ca_file, PEM; NULL: the system's */
	char *cert_file, *key_file; /* cert_file, key_file: mutual authentication */
	char *receipt_key; /* receipt_key: the 64 hex digits of a collector's receipt.pub; NULL: the
			      first that it names is kept */
	char **headers;	   /* header: "Name: value" or "Name: @FILE", NULL at the end */
	size_t nheaders;
	uint32_t batch_events;	   /* batch_events = 512 */
	uint32_t batch_bytes;	   /* batch_size = 1M, before compression */
	uint32_t timeout_ms;	   /* timeout = 30s, of one request */
	bool gzip;		   /* gzip = yes */
	bool event_name_attribute; /* event_name_attribute = yes: also event.name, for those who
				      drop event_name */
	char *file;		   /* where the section stands, for messages */
	int line;
};

/* [filter] rule = ..., in order, with where they stand */
struct config_rule {
	char *text;
	char *file;
	int line;
};

/* [resource] key = value: labels on exported records (cloud.provider, ...) */
struct config_label {
	char *key, *value;
};

struct config {
	/* [sensor] */
	char *spool;		    /* spool = /var/lib/hinomi/spool */
	uint64_t spool_limit_bytes; /* spool_limit = 1G */
	uint64_t spool_age_ms;	    /* spool_age = 2592000s; 0: no bound */
	uint64_t ring_keep_bytes;   /* ring_keep = 4M */
	uint64_t ring_bulk_bytes;   /* ring_bulk = 16M */
	uint32_t summaries;	    /* summaries = 8192: entries of the kernel's table of them */
	char *cgroup;		    /* cgroup: none, NULL */
	char **classes_off;	    /* classes_off: class names with commas; none */
	size_t nclasses_off;
	char **classes_on; /* classes_on: of those that are off unless named */
	size_t nclasses_on;
	char **watch; /* watch: paths with wildcards; adds up to a list of ours */
	size_t nwatch;
	uint64_t hash_file_max_bytes; /* hash_file_max = 64M; 0: off */
	uint32_t heartbeat_ms;	      /* heartbeat = 5s */
	uint32_t canary_ms;	      /* canary = 30s: between two rounds */
	uint32_t coverage_ms;	      /* coverage = 3600s: between two accounts of all classes */
	char *reader_group; /* reader_group = hinomi-forward; may read the spool; NULL: nobody else
			     */
	char *receipts;	    /* receipts = /var/lib/hinomi-forward: where the forwarder keeps them */
	struct config_rule *rules;
	size_t nrules;
	struct config_label *labels;
	size_t nlabels;
	struct config_sink *sinks;
	size_t nsinks;
	uint8_t sha256[32]; /* of the effective configuration, as dumped */
};

#define CONFIG_ERROR_MAX 1024

/* path: one file alone, or NULL for the search described above (a missing file is no error then).
 * -errno with error: "FILE:LINE: what is wrong; what would be right".  Opens no credential. */
int config_load(const char *path, struct config **ret, char error[CONFIG_ERROR_MAX]);
/* The search below another root directory, for tests and for images that are not running. */
int config_load_root(const char *root, struct config **ret, char error[CONFIG_ERROR_MAX]);
/* For who talks to the sinks, and nobody else: "Name: @FILE" in headers becomes "Name: CONTENT",
 * and names of credential files become absolute (a relative one stands in $CREDENTIALS_DIRECTORY).
 * -errno and error as above when one cannot be read. */
int config_read_credentials(struct config *config, char error[CONFIG_ERROR_MAX]);
/* Sets sha256, after a value was replaced. */
int config_hash(struct config *config);
/* Named in classes_off, or off unless classes_on names it, and not named there. */
bool config_class_is_off(const struct config *config, const char *name);
void config_free(struct config *config);
/* The effective configuration in the file's own syntax, secrets as the name of their file.  Not
 * after config_read_credentials. */
void config_dump(const struct config *config, FILE *out);

DEFINE_CLEANUP(struct config *, config_free);
