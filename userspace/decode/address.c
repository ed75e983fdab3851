/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses: IP, unix names, and families that nobody here knows. */
#include "decode/source.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

static bool is_mapped(const struct address *from)
{
	return from->family == AF_INET6 && from->len == 16 &&
	       !memcmp(from->data, mapped_prefix, sizeof(mapped_prefix));
}

static int ip_fill(Hinomi__Address *to, const struct address *from)
{
	size_t want = from->family == AF_INET ? 4 : 16;

	to->port = from->port;
	to->scope_id = from->scope_id;
	to->mapped = !!from->mapped;
	if (!from->len)
		return 0; /* the kernel side could not read it */
	if (from->len != want)
		return -EBADMSG;
	to->ip = (ProtobufCBinaryData){.data = (uint8_t *)from->data, .len = want};
	if (is_mapped(from)) {
		to->family = AF_INET;
		to->mapped = true;
		to->ip.data += sizeof(mapped_prefix);
		to->ip.len -= sizeof(mapped_prefix);
	}
	return 0;
}

/* A leading NUL begins an abstract name, in which every further byte counts; a path ends at its
 * NUL. */
static void unix_fill(Hinomi__Address *to, const struct address *from)
{
	to->abstract = from->len && !from->data[0];
	if (to->abstract) {
		to->path.data = (uint8_t *)from->data + 1;
		to->path.len = from->len - 1;
	} else {
		to->path.data = (uint8_t *)from->data;
		to->path.len = strnlen((const char *)from->data, from->len);
	}
}

Hinomi__Address *source_address(struct source *source, const struct address *from)
{
	Hinomi__Address *to;
	int r = 0;

	if (!from->family)
		return NULL;
	to = source_alloc(source, sizeof(*to));
	if (!to)
		return NULL;
	hinomi__address__init(to);
	to->family = from->family;
	if (from->len > sizeof(from->data))
		r = -EBADMSG;
	else if (from->family == AF_INET || from->family == AF_INET6)
		r = ip_fill(to, from);
	else if (from->family == AF_UNIX)
		unix_fill(to, from);
	else
		to->raw = (ProtobufCBinaryData){.data = (uint8_t *)from->data, .len = from->len};
	if (r && !source->error)
		source->error = r;
	return to;
}
