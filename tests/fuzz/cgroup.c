/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of cgroups, whose names anybody with a delegated subtree may choose, and lines of
 * mountinfo. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "enrich/cgroup_name.h"
#include "enrich/mountinfo.h"

static void check_part(struct path_part part, size_t size)
{
	if (part.len > size || part.off > size - part.len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), point[64], pod[POD_UID_LEN];
	Hinomi__Runtime runtime;
	struct path_part id;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	id = cgroup_container(text, size, &runtime);
	check_part(id, size);
	if (memchr(text + id.off, '/', id.len) || cgroup_pod(text, size, pod) > sizeof(pod))
		abort();
	check_part(cgroup_unit(text, size), size);
	if (!mountinfo_line(text, "cgroup2", point, sizeof(point)) &&
	    strlen(point) >= sizeof(point))
		abort();
	free(text);
	return 0;
}
