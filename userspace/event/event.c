/* SPDX-License-Identifier: Apache-2.0 */
#include "event/event.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	enum lane lane;
	bool is_kernel;
} kinds[KINDS_MAX] = {
#define KIND(label, number, in_lane) [number] = {#label, in_lane, true},
	FOR_EACH_KERNEL_KIND(KIND)
#undef KIND
#define KIND(label, number, in_lane) [number] = {#label, in_lane, false},
		FOR_EACH_SENSOR_KIND(KIND)
#undef KIND
};

const char *kind_name(unsigned kind)
{
	return kind < KINDS_MAX ? kinds[kind].name : NULL;
}

int kind_lane(unsigned kind)
{
	if (!kind_name(kind))
		return -EINVAL;
	return kinds[kind].lane == LANE_KEEP ? LANE_KEEP : LANE_BULK;
}

bool kind_is_by_rights(unsigned kind)
{
	return kind_name(kind) && kinds[kind].lane == LANE_BY_RIGHTS;
}

bool kind_may_be_in(unsigned kind, enum lane lane)
{
	return kind_lane(kind) == (int)lane ||
	       (lane == LANE_BULK ? kind_is_kernel(kind) : kind_is_by_rights(kind));
}

int kind_by_name(const char *name)
{
	for (unsigned kind = 0; kind < KINDS_MAX; kind++)
		if (kinds[kind].name && !strcmp(kinds[kind].name, name))
			return (int)kind;
	return -EINVAL;
}

bool kind_is_kernel(unsigned kind)
{
	return kind_name(kind) && kinds[kind].is_kernel;
}
