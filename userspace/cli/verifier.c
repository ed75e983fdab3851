/* SPDX-License-Identifier: Apache-2.0 */
/* The chain: numbers, hashes, identities, clocks. */
#include "cli/verifier.h"

#include <errno.h>
#include <hinomi/record.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/judge.h"
#include "frame/frame.h"

const char *const lane_names[LANES] = {"keep", "bulk"};

void finding(struct verifier *verifier, const struct lane_state *lane, uint64_t number,
	     const char *format, ...)
{
	va_list args;

	if (verifier->short_of_memory) /* who does not know all accuses nobody */
		return;
	verifier->findings++;
	fprintf(verifier->out, "%s: ", lane_names[lane->lane]);
	if (number)
		fprintf(verifier->out, "frame %" PRIu64 ": ", number);
	va_start(args, format);
	vfprintf(verifier->out, format, args);
	va_end(args);
	putc('\n', verifier->out);
}

const char *cpu_name(uint32_t cpu, char buffer[CPU_NAME_BYTES])
{
	if (cpu == CPU_SENSOR)
		return "the sensor itself";
	if (cpu == CPU_UNKNOWN)
		return "a cpu that is not known";
	snprintf(buffer, CPU_NAME_BYTES, "cpu %" PRIu32, cpu);
	return buffer;
}

void hole_found(struct verifier *verifier, const struct hole *hole)
{
	if (holes_add(&verifier->holes, hole))
		verifier->short_of_memory = true;
}

void hole_declared(struct verifier *verifier, const struct hole *hole)
{
	if (holes_add(&verifier->declared, hole))
		verifier->short_of_memory = true;
}

int verifier_new(FILE *out, struct verifier **ret)
{
	struct verifier *verifier = calloc(1, sizeof(*verifier));

	if (!verifier)
		return -ENOMEM;
	verifier->out = out;
	for (int lane = 0; lane < LANES; lane++)
		verifier->lanes[lane].lane = (enum lane)lane;
	*ret = verifier;
	return 0;
}

void verifier_free(struct verifier *verifier)
{
	if (!verifier)
		return;
	for (int i = 0; i < LANES; i++) {
		free(verifier->lanes[i].old_rings);
		free(verifier->lanes[i].cpus);
		free(verifier->lanes[i].receipts.all);
		rows_done(&verifier->lanes[i].rows);
	}
	holes_done(&verifier->holes);
	holes_done(&verifier->declared);
	holes_done(&verifier->left);
	free(verifier);
}

void verifier_part(struct verifier *verifier)
{
	verifier->is_part = true;
}

uint64_t verifier_findings(const struct verifier *verifier)
{
	return verifier->findings;
}

uint64_t verifier_gaps(const struct verifier *verifier, uint64_t *lost)
{
	*lost = verifier->lost;
	return verifier->gaps;
}

struct verifier_counts verifier_counts(const struct verifier *verifier, enum lane lane)
{
	return verifier->lanes[lane].counts;
}

static struct numbered frames_of(const struct lane_state *lane)
{
	return (struct numbered){.lane = lane->lane, .frames = true};
}

/* Whether the frame is the next of the chain, be it behind a hole. */
static bool check_number(struct verifier *verifier, struct lane_state *lane,
			 const Hinomi__FrameHeader *header)
{
	uint64_t number = header->number, last = lane->counts.last;

	if (!lane->begun) {
		lane->counts.first = number;
		return true;
	}
	if (number <= last) {
		struct hole found = {.of = frames_of(lane), .first = number, .last = number};

		finding(verifier, lane, number,
			"stands behind frame %" PRIu64 ": it was repeated or put there", last);
		hole_declared(verifier, &found); /* it is not missing */
		return false;
	}
	if (number > last + 1) {
		struct hole missing = {.of = frames_of(lane),
				       .first = last + 1,
				       .last = number - 1,
				       .after = last,
				       .before = number};

		hole_found(verifier, &missing);
		lane->complete = false;
	} else if (header->previous.len != HASH_BYTES ||
		   memcmp(header->previous.data, lane->hash, HASH_BYTES)) {
		finding(verifier, lane, number,
			"does not continue frame %" PRIu64
			": its header was changed, or this one belongs to another chain",
			last);
	}
	return true;
}

static void check_sensor(struct verifier *verifier, struct lane_state *lane,
			 const Hinomi__FrameHeader *header)
{
	const struct lane_state *other = &verifier->lanes[!lane->lane];

	if (header->lane != (Hinomi__Lane)lane->lane)
		finding(verifier, lane, header->number, "is of the other lane");
	if (lane->begun && memcmp(header->sensor_id.data, lane->sensor, ID_BYTES))
		finding(verifier, lane, header->number, "is of another sensor than frame %" PRIu64,
			lane->counts.last);
	else if (!lane->begun && other->begun &&
		 memcmp(header->sensor_id.data, other->sensor, ID_BYTES))
		finding(verifier, lane, header->number, "is of another sensor than the %s lane",
			lane_names[other->lane]);
	memcpy(lane->sensor, header->sensor_id.data, ID_BYTES);
}

static void remember_rings(struct verifier *verifier, struct lane_state *lane)
{
	if (!lane->old_rings)
		lane->old_rings = calloc(RINGS_REMEMBERED, sizeof(*lane->old_rings));
	if (!lane->old_rings) {
		verifier->short_of_memory = true;
		return;
	}
	memcpy(lane->old_rings[lane->old_count++ % RINGS_REMEMBERED], lane->rings, ID_BYTES);
}

static bool were_rings_before(const struct lane_state *lane, const uint8_t *rings)
{
	size_t count = lane->old_count < RINGS_REMEMBERED ? lane->old_count : RINGS_REMEMBERED;

	for (size_t i = 0; lane->old_rings && i < count; i++)
		if (!memcmp(lane->old_rings[i], rings, ID_BYTES))
			return true;
	return false;
}

/* With new rings all numbers and the ledger begin again; rings never outlive their boot. */
static void check_rings(struct verifier *verifier, struct lane_state *lane,
			const Hinomi__FrameHeader *header, bool behind_hole)
{
	bool same_boot = !memcmp(header->boot_id.data, lane->boot, ID_BYTES);

	if (lane->begun && !memcmp(header->rings_id.data, lane->rings, ID_BYTES)) {
		if (!same_boot)
			finding(verifier, lane, header->number,
				"names another boot than frame %" PRIu64 ", with the same rings",
				lane->counts.last);
	} else {
		if (lane->begun) {
			account_end(verifier, lane);
			remember_rings(verifier, lane);
		}
		if (were_rings_before(lane, header->rings_id.data))
			finding(verifier, lane, header->number,
				"goes back to rings that had been left");
		lane->from_start = header->number == 1 || (lane->begun && !behind_hole);
		lane->complete = lane->from_start;
		lane->cpu_count = 0;
		rows_clear(&lane->rows);
		lane->counts.starts++;
		memcpy(lane->rings, header->rings_id.data, ID_BYTES);
	}
	if (!same_boot)
		lane->clock_ns = 0;
	memcpy(lane->boot, header->boot_id.data, ID_BYTES);
}

static void check_clocks(struct verifier *verifier, struct lane_state *lane,
			 const Hinomi__FrameHeader *header)
{
	for (size_t i = 0; i < header->n_clocks; i++) {
		uint64_t now_ns = header->clocks[i]->boot_ns;

		if (now_ns < lane->clock_ns)
			finding(verifier, lane, header->number,
				"the boot clock goes back from %" PRIu64 " to %" PRIu64 " ns",
				lane->clock_ns, now_ns);
		lane->clock_ns = now_ns;
	}
}

/* Whether the frame stands where it may. */
static bool check_header(struct verifier *verifier, struct lane_state *lane,
			 const Hinomi__FrameHeader *header, const uint8_t *hash)
{
	bool behind_hole = header->number != lane->counts.last + 1;

	lane->counts.frames++;
	if (!check_number(verifier, lane, header))
		return false;
	check_sensor(verifier, lane, header);
	check_rings(verifier, lane, header, behind_hole);
	check_clocks(verifier, lane, header);
	if (!lane->begun) {
		memcpy(lane->first_rings, lane->rings, ID_BYTES);
		lane->first_ns = lane->clock_ns;
	}
	lane->begun = true;
	lane->counts.last = header->number;
	memcpy(lane->hash, hash, HASH_BYTES);
	receipts_frame(verifier, lane, header, hash);
	sequence_header(verifier, lane, header);
	return true;
}

/* What can be said of a frame that frame_read does not take. */
static void unreadable(struct verifier *verifier, struct lane_state *lane, const void *bytes,
		       size_t size, int error, const char *where)
{
	struct diagnosis why;

	if (diagnose(bytes, size, error, &why)) {
		verifier->short_of_memory = true;
		diagnosis_done(&why);
		return;
	}
	finding(verifier, lane, why.header ? why.header->number : 0, "%s (%s)", why.text, where);
	lane->complete = false;
	if (why.header && check_header(verifier, lane, why.header, why.hash))
		account_header(verifier, lane, why.header);
	lane->complete = false;
	diagnosis_done(&why);
}

int verifier_frame(struct verifier *verifier, enum lane in, const void *bytes, size_t size,
		   const char *where)
{
	CLEANUP(frame_free) struct frame *frame = NULL;
	struct lane_state *lane = &verifier->lanes[in];
	int err = frame_read(bytes, size, &frame);
	bool behind_hole;

	if (err == -ENOMEM)
		return err;
	if (err) {
		unreadable(verifier, lane, bytes, size, err, where);
		return verifier->short_of_memory ? -ENOMEM : 0;
	}
	behind_hole = !lane->begun || frame->header->number != lane->counts.last + 1;
	if (!check_header(verifier, lane, frame->header, frame->hash))
		return verifier->short_of_memory ? -ENOMEM : 0;
	keys_frame(verifier, lane, frame, behind_hole);
	err = frame_open_payload(frame);
	if (err == -ENOMEM)
		return err;
	if (err) {
		finding(verifier, lane, frame->header->number,
			"the payload is not what the header says (%s)", where);
		lane->complete = false;
	} else {
		sequence_events(verifier, lane, frame->header, frame->payload);
		account_events(verifier, lane, frame->payload);
	}
	account_header(verifier, lane, frame->header);
	return verifier->short_of_memory ? -ENOMEM : 0;
}

void verifier_damage(struct verifier *verifier, enum lane in, const char *where)
{
	finding(verifier, &verifier->lanes[in], 0, "damaged on disk: %s", where);
	verifier->lanes[in].complete = false;
}

/* Whether a declared loss of frames lies between the two that the hole was seen in. */
static bool is_in_lost_frames(const struct verifier *verifier, const struct hole *hole)
{
	struct hole frames = {.of = {.lane = hole->of.lane, .frames = true},
			      .first = hole->after + 1,
			      .last = hole->before - 1};
	uint64_t first, last;

	if (hole->of.frames || frames.first > frames.last)
		return false;
	return !holes_next_open(&verifier->declared, &frames, frames.first, &first, &last) ||
	       first > frames.first || last < frames.last;
}

/* What declared numbers lost may have been in must-keep frames that were evicted since: those
 * before the first that is here, of the same rings or of older ones. */
static bool may_be_declared(const struct verifier *verifier, const struct hole *hole)
{
	const struct lane_state *keep = &verifier->lanes[LANE_KEEP];

	if (hole->of.frames || hole->of.lane == LANE_KEEP || !keep->begun ||
	    keep->counts.first == 1)
		return false;
	if (!memcmp(hole->in_rings, keep->first_rings, ID_BYTES))
		return hole->in_ns <= keep->first_ns;
	return memcmp(hole->in_rings, keep->rings, ID_BYTES) &&
	       !were_rings_before(keep, hole->in_rings);
}

static void report_hole(struct verifier *verifier, const struct hole *hole)
{
	const struct lane_state *lane = &verifier->lanes[hole->of.lane];
	uint64_t from = hole->first, first, last;
	char cpu[CPU_NAME_BYTES];

	if (is_in_lost_frames(verifier, hole) || may_be_declared(verifier, hole))
		return;
	while (holes_next_open(&verifier->declared, hole, from, &first, &last)) {
		if (hole->of.frames)
			finding(verifier, lane, 0, "frames %" PRIu64 " to %" PRIu64 " are missing",
				first, last);
		else
			finding(verifier, lane, hole->before,
				"sequence %" PRIu64 " to %" PRIu64
				" of %s is missing and not declared",
				first, last, cpu_name(hole->of.cpu, cpu));
		if (last == hole->last)
			break;
		from = last + 1;
	}
}

/* Frames leave a spool from its beginning, each time declared; what declares the first of them
 * leaves it with others later. */
static void check_front(struct verifier *verifier, const struct lane_state *lane)
{
	uint64_t before = lane->counts.first - 1, first, last;
	struct hole front = {.of = frames_of(lane), .first = before, .last = before};

	if (verifier->is_part || !lane->begun || !before)
		return;
	if (holes_next_open(&verifier->left, &front, before, &first, &last))
		finding(verifier, lane, 0,
			"begins with frame %" PRIu64 ", and nothing declares frame %" PRIu64
			" gone: the beginning was cut off, or never came here",
			lane->counts.first, before);
}

void verifier_end(struct verifier *verifier)
{
	for (int i = 0; i < LANES; i++) {
		if (verifier->lanes[i].begun)
			account_end(verifier, &verifier->lanes[i]);
		receipts_end(verifier, &verifier->lanes[i]);
	}
	holes_sort(&verifier->declared);
	holes_sort(&verifier->left);
	for (int i = 0; i < LANES; i++)
		check_front(verifier, &verifier->lanes[i]);
	for (size_t i = 0; i < verifier->holes.count; i++)
		report_hole(verifier, &verifier->holes.holes[i]);
}
