/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of config/: one reader takes up files, line by line, into one struct config. */
#pragma once

#include "config/config.h"

#define CONFIG_FILE_MAX	  (1u << 20)
#define CONFIG_LINE_MAX	  8192
#define CONFIG_NAME_MAX	  64
#define CONFIG_SINKS_MAX  16
#define CONFIG_LABELS_MAX 64
#define CONFIG_RULES_MAX  4096
#define CONFIG_WATCH_MAX  256
#define CONFIG_KEYS_MAX	  16 /* of one section */

enum value_kind {
	VALUE_PATH,	/* absolute */
	VALUE_GROUP,	/* name of a group, or nothing */
	VALUE_CLASSES,	/* list of event classes, or nothing */
	VALUE_SIZE,	/* bytes, K, M, G */
	VALUE_RING,	/* size that is a power of two */
	VALUE_DURATION, /* ms, s */
	VALUE_COUNT,
	VALUE_SWITCH,
	VALUE_SINK_TYPE,
	VALUE_URL,
	VALUE_CREDENTIAL, /* file name, absolute or in the credentials directory, or nothing */
	VALUE_PUBLIC_KEY, /* 64 hex digits, or nothing */
	VALUE_HEADER,	  /* adds up */
	VALUE_RULE,	  /* adds up */
	VALUE_WATCH,	  /* adds up to the list that is there from the start */
};

/* One key of a section: where its value goes and what it may be. */
struct key {
	const char *name;
	enum value_kind kind;
	size_t offset, width; /* of the member, from the start of its struct */
	uint64_t low, high;   /* numbers, in bytes, ms or pieces */
	uint64_t preset;
	const char *preset_text;
};

struct section {
	const char *name;
	const struct key *keys;
	size_t nkeys;
};

extern const struct section section_sensor, section_filter, section_sink;

/* Where a key was set last: a second time in one file is a mistake, in a later file an override. */
struct origin {
	unsigned file; /* from 1; 0: never */
	int line;
};

struct reader {
	struct config *config;
	char *error; /* CONFIG_ERROR_MAX */
	const char *name;
	unsigned file; /* number of the file being read, from 1 */
	int line;
	const struct section *section; /* NULL: none yet, or [resource] */
	bool in_resource;
	size_t sink; /* the one whose section this is */
	struct origin sensor_set[CONFIG_KEYS_MAX];
	struct origin sink_set[CONFIG_SINKS_MAX][CONFIG_KEYS_MAX];
	struct origin label_set[CONFIG_LABELS_MAX];
};

int reader_init(struct reader *reader, char *error);
void reader_done(struct reader *reader);
/* required: a file that is not there is an error */
int reader_file(struct reader *reader, const char *path, bool required);
/* All files of hinomi.conf(5), below root. */
int reader_search(struct reader *reader, const char *root);
/* One file's content.  Name: for messages. */
int reader_text(struct reader *reader, const char *name, const char *text, size_t size);
/* What can only be judged when everything was read; the configuration is the caller's. */
int reader_finish(struct reader *reader, struct config **ret);
/* -EINVAL, with "FILE:LINE: ..." as the error. */
int reader_fail(struct reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Sets the member that the key stands for, in the struct at base. */
int value_set(struct reader *reader, const struct key *key, void *base, char *value);
/* Writes the key as the file has it; nothing for what is not set. */
void value_dump(const struct key *key, const void *base, FILE *out);
int key_preset(const struct section *section, void *base);
int sink_add_header(struct reader *reader, struct config_sink *sink, const char *value);
int watch_add(struct reader *reader, const char *value);
int watch_preset(struct config *config);
int sink_check(struct reader *reader, size_t index);
/* Appends one string to a list that ends with NULL; takes a copy. */
int list_append(char ***list, size_t *count, const char *text);
void list_free(char ***list, size_t *count);
