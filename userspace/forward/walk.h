/* SPDX-License-Identifier: Apache-2.0 */
/* Any message of proto/event.proto as attributes, by its descriptors: no class has code here. */
#pragma once

#include <protobuf-c/protobuf-c.h>

struct attributes;
struct frame;

/* root: what stands in front of a field's name, "hinomi.exec."; path: its end from where on names
 * are looked up in the conventions, "" or "process.". */
void walk_message(struct attributes *attributes, const struct frame *frame, const char *root,
		  const char *path, const ProtobufCMessage *message);
/* One field of it, looked up by its name alone. */
void walk_field(struct attributes *attributes, const struct frame *frame, const char *root,
		const ProtobufCMessage *message, const char *field);
