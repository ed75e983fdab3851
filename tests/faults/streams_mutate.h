/* SPDX-License-Identifier: Apache-2.0 */
/* Ways of tampering with a stream, each of which says where it did. */
#pragma once

#include "streams.h"

/* What one mutation does, and where. */
struct attempt {
	struct stream stream; /* the copy, to be tampered with */
	struct stream *whole;
	uint64_t *seed;
	enum lane lane;
	size_t at;	      /* index of the first frame that is not as it was */
	uint64_t first, last; /* numbers of frames, one of which must be named; 0: the end */
	bool receipts;	      /* the verifier has them */
	bool may_end;	      /* the end alone may show it */
	bool either;	      /* behind the copy either lane may show it */
};

struct mutation {
	const char *name;
	void (*change)(struct attempt *attempt);
};

/* The last has no name. */
extern const struct mutation mutations[];
extern const struct making ours;
uint64_t number_at(const struct stream *stream, enum lane lane, size_t index);
