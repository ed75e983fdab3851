/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record being read.  The first thing that makes no sense, or an arena that
 * is full, is kept in `error` and gives empty values from there on, so that a
 * decoder is a plain list of fields.
 */
#pragma once

#include <hinomi/record.h>
#include <stddef.h>
#include <stdint.h>

#include "event.pb-c.h"

struct arena;

struct source {
	const uint8_t *data;
	size_t size;  /* of the record */
	size_t fixed; /* variable bytes begin behind this */
	struct arena *arena;
	uint32_t watch; /* as struct event has it */
	int error;	/* 0, -EBADMSG, -ENOMEM */
};

#define ARGS_MAX 32768 /* strings taken out of one argument area */

/* The record as a struct of this size, NULL when it is shorter; what is behind it is variable. */
const void *source_fixed(struct source *source, size_t size);
/* Zeroed; NULL sets the error. */
void *source_alloc(struct source *source, size_t size);

ProtobufCBinaryData source_bytes(struct source *source, const struct bytes_ref *ref);
/* Bytes up to the NUL, of an array inside the fixed part. */
ProtobufCBinaryData source_name(const char *name, size_t size);
/* 32 bytes; empty when there is nothing to digest. */
ProtobufCBinaryData source_sha256(struct source *source, const ProtobufCBinaryData *data);
/* NUL-terminated strings to a list of them; the last may lack its NUL. */
ProtobufCBinaryData *source_strings(struct source *source, const struct bytes_ref *ref, size_t *n);
Hinomi__File *source_file(struct source *source, const struct file_ref *file);
/* NULL when the record has none. */
Hinomi__Address *source_address(struct source *source, const struct address *address);
Hinomi__ProcessKey *source_key(struct source *source, const struct process_key *key);
Hinomi__Credentials *source_cred(struct source *source, const struct cred_ids *cred);
Hinomi__Namespaces *source_namespaces(struct source *source, const struct namespace_ids *ns);
Hinomi__Process *source_process(struct source *source, const struct actor *actor);
