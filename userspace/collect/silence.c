/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/silence.h"

#include "collect/finding.h"
#include "collect/store.h"

void silence_check(struct store *store, struct findings *findings, uint64_t now_ns)
{
	struct sensor *sensor;

	for (size_t i = 0; (sensor = store_each(store, i)); i++) {
		bool is_silent =
			now_ns > sensor->heard_ns && now_ns - sensor->heard_ns > SILENCE_NS;

		if (is_silent == sensor->is_silent)
			continue;
		sensor->is_silent = is_silent;
		/* the time makes it another finding than the last of its kind */
		finding_add(findings, sensor->id, -1, is_silent ? "silence" : "heard",
			    sensor->heard_ns, now_ns,
			    is_silent ? "nothing was heard of it for 15 s: it is stopped, cut off, "
					"or silenced"
				      : "it is heard again");
	}
}
