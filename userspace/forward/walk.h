/* SPDX-License-Identifier: Apache-2.0 */
/* Any message of proto/event.proto as attributes, by its descriptors: no class has code here. */
#pragma once

#include <protobuf-c/protobuf-c.h>

struct attributes;
struct frame;

/* root: what stands in front of a field's name, "hinomi.exec."; path: likewise where the names of
 * the conventions are looked up, "" or "process.". */
void walk_message(struct attributes *attributes, const struct frame *frame, const char *root,
		  const char *path, const ProtobufCMessage *message);
/* One scalar field of it, likewise. */
void walk_field(struct attributes *attributes, const struct frame *frame, const char *root,
		const char *path, const ProtobufCMessage *message, const char *field);
