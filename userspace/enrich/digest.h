/* SPDX-License-Identifier: Apache-2.0 */
/* The SHA-256 of one executed file, read once it is certain to be that file. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "event.pb-c.h"

#define DIGEST_SIZE 32

/* A state of a file's content, as the kernel told it; compared as bytes, so it has no padding. */
struct file_identity {
	uint64_t inode, size, changed_ns;
	uint32_t device_major, device_minor, generation, filesystem;
};

struct digest_request {
	struct file_identity identity;
	uint32_t pid;	 /* executes it, if it still lives */
	uint32_t parent; /* of it, which may see the same root directory */
	char *path;	 /* as that process sees it; NULL: not known */
};

struct digest {
	Hinomi__HashState state;
	bool settled; /* the file had rested: the identity names this content and no other */
	uint8_t sha256[DIGEST_SIZE];
};

/* May block in the file system.  Gives up when stop becomes true. */
void digest_file(const struct digest_request *request, const atomic_bool *stop, struct digest *ret);
/* Files that each reader may see differently, or that can make a reader wait: never read. */
bool digest_refuses(uint32_t filesystem);
