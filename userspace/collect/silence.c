/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/silence.h"

#include <string.h>

#include "collect/finding.h"
#include "collect/store.h"
#include "frame/frame.h"

#define DRIFT 4096 /* two clocks differ by less than one part in so many, 244 ppm */

/* Whether the frame was made about now.  The clocks are of two boots: how far they are apart is
 * what the frame that was quickest to come shows, give or take what they drift since. */
static bool is_fresh(struct pace *pace, const Hinomi__FrameHeader *header, uint64_t now_ns)
{
	const Hinomi__ClockPair *made = header->clocks[header->n_clocks - 1];
	int64_t behind_ns = (int64_t)(now_ns - made->boot_ns), best_ns = behind_ns;

	if (pace->at_ns && !memcmp(pace->boot_id, header->boot_id.data, sizeof(pace->boot_id))) {
		best_ns = pace->behind_ns + (int64_t)((now_ns - pace->at_ns) / DRIFT);
		if (behind_ns < best_ns)
			best_ns = behind_ns;
	}
	memcpy(pace->boot_id, header->boot_id.data, sizeof(pace->boot_id));
	pace->behind_ns = best_ns;
	pace->at_ns = now_ns;
	return behind_ns - best_ns <= (int64_t)SILENCE_NS;
}

void silence_heard(struct sensor *sensor, const struct frame *frame, uint64_t now_ns)
{
	if (!frame->header->n_clocks)
		return;
	/* once its silence was said, its clock may have stood still with the whole machine */
	if (sensor->is_silent)
		sensor->pace.at_ns = 0;
	if (is_fresh(&sensor->pace, frame->header, now_ns))
		sensor->heard_ns = now_ns;
}

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
			    is_silent ? "nothing new was heard of it for 15 s: it is stopped, cut "
					"off, or silenced"
				      : "it is heard again");
	}
}
