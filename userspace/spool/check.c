/* SPDX-License-Identifier: Apache-2.0 */
/* `hinomi spool check`: every segment, whatever a reader would be given of it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "spool/directory.h"
#include "spool/state.h"
#include "spool/walk.h"

struct check {
	FILE *out;
	enum lane lane;
	int dir;
	bool alive;	/* a writer is: what is behind the bound is not for us */
	bool has_bound; /* `durable` is good */
	struct spool_position bound;
	uint64_t evicted;
	bool damaged;
};

struct tally {
	uint64_t frames, first, last;
	uint64_t tail; /* bytes behind the bound that no writer finished */
};

static void say_damage(struct check *check, uint64_t number, uint64_t offset, uint64_t bytes)
{
	fprintf(check->out,
		"%s/%016" PRIx64 ".seg: damaged at byte %" PRIu64 ", %" PRIu64 " bytes skipped\n",
		lane_name(check->lane), number, offset, bytes);
	check->damaged = true;
}

static bool is_behind_bound(const struct check *check, uint64_t number, uint64_t offset)
{
	return check->has_bound &&
	       (number > check->bound.segment ||
		(number == check->bound.segment && offset >= check->bound.offset));
}

static int walk_all(struct check *check, struct walk *walk, uint64_t number, struct tally *tally)
{
	int r;

	while ((r = walk_next(walk))) {
		if (r == -EBADMSG && is_behind_bound(check, number, walk->at))
			tally->tail += walk->damaged;
		else if (r == -EBADMSG)
			say_damage(check, number, walk->at, walk->damaged);
		if (r < 0 && r != -EBADMSG)
			return r;
		if (r != 1)
			continue;
		if (!tally->frames++)
			tally->first = walk->record.number;
		tally->last = walk->record.number;
	}
	return 0;
}

static void print_segment(const struct check *check, const struct walk *walk,
			  const struct tally *tally)
{
	fprintf(check->out, "%s/%016" PRIx64 ".seg: %" PRIu64 " frames", lane_name(check->lane),
		walk->number, tally->frames);
	if (tally->frames)
		fprintf(check->out, " (%" PRIu64 " to %" PRIu64 ")", tally->first, tally->last);
	fprintf(check->out, ", %" PRIu64 " bytes", walk->end);
	if (tally->tail)
		fprintf(check->out, ", and %" PRIu64 " of a write that was cut short", tally->tail);
	fprintf(check->out, "%s\n", walk->has_foot ? "" : ", not finished");
}

/* Is it us who cannot read, whatever the disk has? */
static bool is_our_error(int err)
{
	return err == -ENOMEM || err == -EMFILE || err == -ENFILE || err == -EACCES;
}

static int check_segment(struct check *check, struct walk *walk, uint64_t number)
{
	struct tally tally = {0};
	bool before = check->damaged;
	int r = walk_open(walk, check->dir, check->lane, number);

	if (r == -ENOENT)
		return 0; /* evicted since it was listed */
	if (is_our_error(r))
		return r;
	if (r && r != -EBADMSG) {
		fprintf(check->out, "%s/%016" PRIx64 ".seg: %s\n", lane_name(check->lane), number,
			r == -EPROTONOSUPPORT ? "written by a later version" : strerror(-r));
		check->damaged = true;
		return 0;
	}
	if (r && is_behind_bound(check, number, 0))
		tally.tail = walk->damaged;
	else if (r)
		say_damage(check, number, 0, walk->damaged);
	if (check->alive && check->has_bound && number == check->bound.segment)
		walk_bound(walk, check->bound.offset);
	else
		walk_settle(walk, check->dir);
	r = walk_all(check, walk, number, &tally);
	if (r)
		return r;
	print_segment(check, walk, &tally);
	if (walk->has_foot && before == check->damaged && tally.frames != walk->foot.frames) {
		fprintf(check->out, "%s/%016" PRIx64 ".seg: its foot counts %" PRIu64 " frames\n",
			lane_name(check->lane), number, walk->foot.frames);
		check->damaged = true;
	}
	return 0;
}

static void check_hole(struct check *check, uint64_t first, uint64_t next)
{
	if (first >= next || next - 1 <= check->evicted)
		return;
	if (first <= check->evicted)
		first = check->evicted + 1;
	fprintf(check->out, "%s: segments %" PRIx64 " to %" PRIx64 " are missing\n",
		lane_name(check->lane), first, next - 1);
	check->damaged = true;
}

static int read_state(struct check *check, size_t segments)
{
	CLEANUP(close_fd) int durable = openat(check->dir, "durable", O_RDONLY | O_CLOEXEC);
	CLEANUP(close_fd) int evicted = openat(check->dir, "evicted", O_RDONLY | O_CLOEXEC);
	struct evicted marker = {0};
	int err = durable < 0 ? -errno : -EBADMSG;

	for (int i = 0; i < 3 && err == -EBADMSG; i++)
		err = durable_read(durable, &check->bound);
	check->has_bound = !err;
	if ((err == -EBADMSG || err == -ENOENT) && segments) {
		fprintf(check->out,
			"%s/durable: damaged or missing; the next start of the sensor "
			"makes it anew\n",
			lane_name(check->lane));
		check->damaged = true;
	} else if (err && err != -EBADMSG && err != -ENOENT) {
		return err;
	}
	if (evicted >= 0)
		err = evicted_read(evicted, check->lane, &marker);
	else
		err = errno == ENOENT ? 0 : -errno;
	check->evicted = marker.segment;
	return err < 0 && err != -EBADMSG && err != -ENOENT ? err : 0;
}

static int check_lane(struct check *check)
{
	CLEANUP(free) struct segment_entry *entries = NULL;
	struct walk walk = WALK_NONE;
	uint64_t expected = 1;
	size_t count = 0;
	int err = directory_segments(check->dir, &entries, &count);

	if (!err)
		err = read_state(check, count);
	for (size_t i = 0; !err && i < count; i++) {
		uint64_t number = entries[i].number;

		if (check->alive && check->has_bound && number > check->bound.segment)
			break;
		check_hole(check, expected, number);
		expected = number + 1;
		err = check_segment(check, &walk, number);
	}
	if (!err && check->has_bound)
		check_hole(check, expected, check->bound.segment + 1);
	walk_done(&walk);
	return err;
}

int spool_check(const char *dir, FILE *out)
{
	CLEANUP(close_fd) int spool = directory_open(dir);
	bool damaged = false;

	if (spool < 0)
		return spool;
	for (int i = 0; i < LANES; i++) {
		CLEANUP(close_fd) int fd = directory_open_lane(spool, (enum lane)i);
		struct check check = {.out = out,
				      .lane = (enum lane)i,
				      .dir = fd,
				      .alive = directory_is_locked(spool)};
		int err = fd < 0 ? fd : check_lane(&check);

		if (err)
			return err;
		damaged |= check.damaged;
	}
	return damaged;
}
