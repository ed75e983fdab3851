// SPDX-License-Identifier: Apache-2.0
#include "stats/sequence.h"

#include <errno.h>
#include <string.h>

#define HOLES_MAX   32 /* open at once on a cpu and lane; beyond, the oldest is declared at once */
#define OVERDUE_MAX 16384 /* declared and not yet taken: more than a batch of records can make */

struct hole {
	uint64_t first, last, from_ns, to_ns;
};

struct track {
	uint64_t last, last_ns; /* highest number seen */
	struct hole holes[HOLES_MAX];
	unsigned nholes; /* oldest first */
};

struct sequences {
	unsigned cpus;
	unsigned open; /* holes in all tracks */
	struct gap *overdue;
	unsigned noverdue;
	struct track tracks[];
};

int sequences_new(unsigned cpus, struct sequences **ret)
{
	size_t n = (size_t)cpus * LANES;
	struct sequences *s = calloc(1, sizeof(*s) + n * sizeof(s->tracks[0]));

	if (!s)
		return -ENOMEM;
	s->cpus = cpus;
	s->overdue = calloc(OVERDUE_MAX, sizeof(*s->overdue));
	if (!s->overdue) {
		free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

void sequences_free(struct sequences *s)
{
	if (!s)
		return;
	free(s->overdue);
	free(s);
}

static struct track *track_of(struct sequences *s, enum lane lane, uint32_t cpu)
{
	return cpu < s->cpus && lane < LANES ? &s->tracks[cpu * LANES + lane] : NULL;
}

static void hole_drop(struct sequences *s, struct track *t, unsigned i)
{
	memmove(&t->holes[i], &t->holes[i + 1], (t->nholes - i - 1) * sizeof(t->holes[0]));
	t->nholes--;
	s->open--;
}

static void hole_declare(struct sequences *s, struct track *t, unsigned i, struct gap *to)
{
	unsigned at = t - s->tracks;
	const struct hole *h = &t->holes[i];

	*to = (struct gap){.cpu = at / LANES,
			   .lane = at % LANES,
			   .first = h->first,
			   .last = h->last,
			   .from_ns = h->from_ns,
			   .to_ns = h->to_ns};
	hole_drop(s, t, i);
}

static void hole_open(struct sequences *s, struct track *t, uint64_t first, uint64_t last,
		      uint64_t to_ns)
{
	if (t->nholes == HOLES_MAX) {
		struct hole *newest = &t->holes[HOLES_MAX - 1];

		if (s->noverdue ==
		    OVERDUE_MAX) { /* nobody takes them: rather too much than too little */
			newest->first = first < newest->first ? first : newest->first;
			newest->last = last > newest->last ? last : newest->last;
			return;
		}
		hole_declare(s, t, 0, &s->overdue[s->noverdue++]);
	}
	t->holes[t->nholes++] = (struct hole){first, last, t->last_ns, to_ns};
	s->open++;
}

/* A number inside a hole: what is left of it stays open on both sides. */
static bool hole_fill(struct sequences *s, struct track *t, uint64_t seq)
{
	for (unsigned i = 0; i < t->nholes; i++) {
		struct hole *h = &t->holes[i], rest;

		if (seq < h->first || seq > h->last)
			continue;
		rest = *h;
		if (h->first == h->last) {
			hole_drop(s, t, i);
		} else if (seq == h->first) {
			h->first++;
		} else if (seq == h->last) {
			h->last--;
		} else {
			h->last = seq - 1;
			hole_open(s, t, seq + 1, rest.last, rest.to_ns);
		}
		return true;
	}
	return false;
}

bool sequences_see(struct sequences *s, enum lane lane, uint32_t cpu, uint64_t seq,
		   uint64_t time_ns)
{
	struct track *t = track_of(s, lane, cpu);

	if (!t)
		return true;
	if (seq <= t->last)
		return hole_fill(s, t, seq);
	if (seq != t->last + 1)
		hole_open(s, t, t->last + 1, seq - 1, time_ns);
	t->last = seq;
	t->last_ns = time_ns;
	return true;
}

/* Takes first to last out of what is missing; true when there is a rest behind them. */
static bool cut(uint64_t *from, uint64_t *to, uint64_t first, uint64_t last, uint64_t *rest)
{
	uint64_t end = *to;

	if (last < *from || first > end)
		return false;
	if (first > *from)
		*to = first - 1;
	else if (last < end)
		*from = last + 1;
	else
		*to = 0; /* nothing is left */
	*rest = last + 1;
	return first > *from && last < end;
}

static void holes_cut(struct sequences *s, struct track *t, uint64_t first, uint64_t last)
{
	for (unsigned i = t->nholes; i-- > 0;) {
		struct hole *h = &t->holes[i], whole = *h;
		uint64_t rest;

		if (cut(&h->first, &h->last, first, last, &rest))
			hole_open(s, t, rest, whole.last, whole.to_ns);
		else if (!h->last)
			hole_drop(s, t, i);
	}
}

static void overdue_cut(struct sequences *s, const struct gap *of)
{
	for (unsigned i = s->noverdue; i-- > 0;) {
		struct gap *gap = &s->overdue[i], whole = *gap;
		uint64_t rest;

		if (gap->cpu != of->cpu || gap->lane != of->lane)
			continue;
		if (cut(&gap->first, &gap->last, of->first, of->last, &rest)) {
			if (s->noverdue == OVERDUE_MAX) { /* rather too much than too little */
				*gap = whole;
				continue;
			}
			whole.first = rest;
			s->overdue[s->noverdue++] = whole;
		} else if (!gap->last) {
			*gap = s->overdue[--s->noverdue];
		}
	}
}

void sequences_declared(struct sequences *s, enum lane lane, uint32_t cpu, uint64_t first,
			uint64_t last)
{
	struct gap of = {.lane = lane, .cpu = cpu, .first = first, .last = last};
	struct track *t = track_of(s, lane, cpu);

	if (!t || !first || first > last)
		return;
	holes_cut(s, t, first, last);
	overdue_cut(s, &of);
}

void sequences_restore(struct sequences *s, enum lane lane, uint32_t cpu, uint64_t first,
		       uint64_t last, uint64_t time_ns, bool from_start)
{
	struct track *t = track_of(s, lane, cpu);

	if (!t || !first || first > last)
		return;
	if (first <= t->last)
		sequences_declared(s, lane, cpu, first, last); /* late, but there */
	else if (first > t->last + 1 && (t->last || from_start))
		hole_open(s, t, t->last + 1, first - 1, time_ns);
	if (last <= t->last)
		return;
	t->last = last;
	t->last_ns = time_ns;
}

uint64_t sequences_settled(const struct sequences *s, enum lane lane, uint32_t cpu)
{
	const struct track *t = track_of((struct sequences *)s, lane, cpu);
	uint64_t ret = t ? t->last : 0;

	for (unsigned i = 0; t && i < t->nholes; i++)
		if (t->holes[i].first <= ret)
			ret = t->holes[i].first - 1;
	return ret;
}

void sequences_resume(struct sequences *s, enum lane lane, uint32_t cpu, uint64_t settled)
{
	struct track *t = track_of(s, lane, cpu);

	if (t && !t->last)
		t->last = settled;
}

bool sequences_have_gaps(const struct sequences *s)
{
	return s->open || s->noverdue;
}

void sequences_end(struct sequences *s, enum lane lane, uint32_t cpu, uint64_t last)
{
	struct track *t = track_of(s, lane, cpu);

	if (!t || last <= t->last)
		return;
	hole_open(s, t, t->last + 1, last, 0);
	t->last = last;
}

bool sequences_take_gap(struct sequences *s, uint64_t now_ns, struct gap *ret)
{
	if (s->noverdue) {
		*ret = s->overdue[--s->noverdue];
		return true;
	}
	if (!s->open)
		return false;
	for (unsigned i = 0; i < s->cpus * LANES; i++) {
		struct track *t = &s->tracks[i];

		if (!t->nholes)
			continue;
		if (now_ns != UINT64_MAX && t->holes[0].to_ns + SEQUENCE_PATIENCE_NS > now_ns)
			continue;
		hole_declare(s, t, 0, ret);
		return true;
	}
	return false;
}
