/* SPDX-License-Identifier: Apache-2.0 */
/* One line per event; for a person who follows, what repeats is counted instead of shown. */
#include "render/render.h"

#include <errno.h>
#include <hinomi/record.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/escape.h"
#include "frame/frame.h"
#include "render/body.h"
#include "render/fold.h"
#include "render/forks.h"
#include "render/layout.h"
#include "render/line.h"
#include "render/topic.h"

#define COARSE_SHOWN	   8		     /* lines of a coarse topic before they are counted */
#define CONTAINER_ID_SHOWN 12		     /* digits, as container tools show it */
#define DISORDER_NS	   (10 * NS_PER_SEC) /* further back is another boot */

struct text {
	FILE *out;
	struct text_options options;
	struct layout layout;
	struct part who, user, what, note, chain, self;
	struct folds folds;
	struct forks forks;
	uint64_t seed;
	uint64_t now_ns;   /* newest event so far, boot time */
	uint64_t coverage; /* hash of the one last shown */
	uint64_t routine;  /* lines left out */
	int day;	   /* last one shown, as in tm_yday */
};

static void put_line(struct text *text, uint64_t real_ns, const char *line)
{
	const struct tm *tm = layout_date(&text->layout, real_ns);

	if (!text->options.date && tm->tm_yday != text->day) {
		text->day = tm->tm_yday;
		if (text->options.colour)
			fputs(STYLE_DIM, text->out);
		fprintf(text->out, "%04d-%02d-%02d\n", tm->tm_year + 1900, tm->tm_mon + 1,
			tm->tm_mday);
		if (text->options.colour)
			fputs(STYLE_END, text->out);
	}
	fputs(line, text->out);
}

static void say_fold(void *ctx, const struct fold *fold)
{
	struct text *text = ctx;
	struct cells cells = {
		.real_ns = fold->real_ns,
		.class = fold->label.class,
		.style = STYLE_DIM,
		.who = fold->label.who,
		.user = fold->label.user,
		.note = "",
		.chain = "",
		.self = "",
	};

	fprintf(part_begin(&text->what), "… %" PRIu64 " more %s", fold->hidden, fold->label.place);
	cells.what = part_end(&text->what);
	put_line(text, fold->real_ns, layout_line(&text->layout, &cells));
}

static struct fold *fold_ensure(struct text *text, uint64_t key, const struct fold_label *label)
{
	struct fold *fold = folds_open(&text->folds, key, text->now_ns);

	fold->label = *label;
	return fold;
}

static void show_fork(void *ctx, const struct held_fork *fork)
{
	struct text *text = ctx;
	struct fold *fold = folds_find(&text->folds, fork->topic);

	if (fold) {
		fold_hide(fold, text->now_ns, fork->real_ns);
		return;
	}
	fold_ensure(text, fork->topic, &fork->label);
	put_line(text, fork->real_ns, fork->line);
}

int text_new(FILE *out, const struct text_options *options, struct text **ret)
{
	CLEANUP(text_free) struct text *text = calloc(1, sizeof(*text));
	int err;

	if (!text)
		return -ENOMEM;
	text->out = out;
	text->options = *options;
	text->day = -1;
	text->folds.say = say_fold;
	text->forks.show = show_fork;
	text->folds.ctx = text->forks.ctx = text;
	if (getrandom(&text->seed, sizeof(text->seed), 0) < 0)
		text->seed = clock_boot_ns();
	err = layout_init(&text->layout, out, options->colour, options->date, options->columns);
	if (err || part_init(&text->who) || part_init(&text->user) || part_init(&text->what) ||
	    part_init(&text->note) || part_init(&text->chain) || part_init(&text->self))
		return -ENOMEM;
	*ret = TAKE(text);
	return 0;
}

void text_free(struct text *text)
{
	if (!text)
		return;
	layout_done(&text->layout);
	forks_done(&text->forks);
	part_done(&text->who);
	part_done(&text->user);
	part_done(&text->what);
	part_done(&text->note);
	part_done(&text->chain);
	part_done(&text->self);
	free(text);
}

void text_flush(struct text *text)
{
	forks_expire(&text->forks, UINT64_MAX);
	folds_expire(&text->folds, UINT64_MAX);
}

void text_end(struct text *text)
{
	text_flush(text);
	if (!text->routine)
		return;
	if (text->options.colour)
		fputs(STYLE_DIM, text->out);
	fprintf(text->out, "%" PRIu64 " lines of routine not shown\n", text->routine);
	if (text->options.colour)
		fputs(STYLE_END, text->out);
	text->routine = 0;
}

static bool same_name(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* sshd ‹ bash ‹ make; bash ‹ bash ‹ bash is bash×3 */
static void put_chain(FILE *out, const Hinomi__Process *process)
{
	const ProtobufCBinaryData *names = process->ancestors;

	for (size_t i = process->n_ancestors, run; i > 0; i -= run) {
		for (run = 1; run < i && same_name(&names[i - 1], &names[i - 1 - run]);)
			run++;
		if (run == 2)
			run = 1;
		body_bytes(out, &names[i - 1]);
		if (run > 1)
			fprintf(out, "×%zu", run);
		if (i > run)
			fputs(" ‹ ", out);
	}
}

static void put_container(FILE *out, bool colour, const Hinomi__Process *process)
{
	size_t size = process->container_id.len;

	if (!size)
		return;
	fputs(colour ? "  " STYLE_DIM "in " : "  in ", out);
	escape_text(out, process->container_id.data,
		    size < CONTAINER_ID_SHOWN ? size : CONTAINER_ID_SHOWN);
	if (colour)
		fputs(STYLE_END, out);
}

static const char *event_line(struct text *text, uint64_t real_ns, const Hinomi__Event *event,
			      const Hinomi__Process *process)
{
	struct cells cells = {
		.real_ns = real_ns,
		.class = event_class(event),
		.style = body_style(event),
	};
	struct body body = {
		.what = part_begin(&text->what),
		.note = part_begin(&text->note),
		.colour = text->options.colour,
		.process = process,
	};
	FILE *who = part_begin(&text->who), *user = part_begin(&text->user);
	FILE *chain = part_begin(&text->chain), *self = part_begin(&text->self);

	body_write(&body, event);
	if (process) {
		topic_who(who, &process->comm, process->key ? process->key->pid : 0);
		topic_user(user, process);
		put_container(body.note, body.colour, process);
		put_chain(chain, process);
		body_bytes(self, &process->comm);
	} else {
		fputs(event->cpu == CPU_SENSOR ? "hinomi" : "-", who);
		putc('-', user);
	}
	cells.who = part_end(&text->who);
	cells.user = part_end(&text->user);
	cells.what = part_end(&text->what);
	cells.note = part_end(&text->note);
	cells.chain = part_end(&text->chain);
	cells.self = part_end(&text->self);
	return layout_line(&text->layout, &cells);
}

/* A heartbeat is news when the coverage is not what was last shown. */
static bool is_old_news(struct text *text, const Hinomi__Event *event)
{
	Hinomi__Coverage **coverage = NULL;
	uint64_t hash = text->seed;
	size_t count = 0;
	bool old;

	if (event->body_case == HINOMI__EVENT__BODY_HEARTBEAT) {
		coverage = event->heartbeat->coverage;
		count = event->heartbeat->n_coverage;
	} else if (event->body_case == HINOMI__EVENT__BODY_SENSOR_START) {
		coverage = event->sensor_start->coverage;
		count = event->sensor_start->n_coverage;
	} else if (event->body_case == HINOMI__EVENT__BODY_COVERAGE) {
		coverage = event->coverage->coverage;
		count = event->coverage->n_coverage;
	} else {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		hash = topic_hash(hash, coverage[i]->class_, strlen(coverage[i]->class_));
		hash = topic_hash(hash, &coverage[i]->state, sizeof(coverage[i]->state));
	}
	old = hash == text->coverage && event->body_case == HINOMI__EVENT__BODY_HEARTBEAT;
	text->coverage = hash;
	return old;
}

static void hold_fork(struct text *text, uint64_t real_ns, const Hinomi__Event *event,
		      const Hinomi__Process *process)
{
	char *line = strdup(event_line(text, real_ns, event, process));
	struct held_fork *held;

	if (!line)
		return;
	held = forks_hold(&text->forks);
	*held = (struct held_fork){
		.pid = event->fork->child->pid,
		.start_ns = event->fork->child->start_ns,
		.time_ns = text->now_ns,
		.real_ns = real_ns,
		.topic = topic_of(event, process, text->seed).fine,
		.line = line,
	};
	topic_label(event, process, false, &held->label);
}

/* Whether the line is to be counted instead of shown. */
static bool folds_hide(struct text *text, uint64_t real_ns, const Hinomi__Event *event,
		       const Hinomi__Process *process)
{
	struct topic topic = topic_of(event, process, text->seed);
	struct fold_label label;
	struct fold *fold, *coarse;

	if (!topic.fine)
		return false;
	fold = folds_find(&text->folds, topic.fine);
	coarse = fold ? NULL : folds_find(&text->folds, topic.coarse);
	if (coarse && coarse->shown++ >= COARSE_SHOWN)
		fold = coarse;
	if (fold) {
		fold_hide(fold, text->now_ns, real_ns);
		return true;
	}
	topic_label(event, process, false, &label);
	fold_ensure(text, topic.fine, &label);
	if (coarse)
		return false;
	topic_label(event, process, true, &label);
	fold_ensure(text, topic.coarse, &label)->shown = 1;
	return false;
}

static void set_now(struct text *text, uint64_t time_ns)
{
	if (time_ns + DISORDER_NS < text->now_ns) {
		text_flush(text);
		text->now_ns = time_ns;
	}
	if (time_ns > text->now_ns)
		text->now_ns = time_ns;
	forks_expire(&text->forks, text->now_ns);
	folds_expire(&text->folds, text->now_ns);
}

/* Whether the event is left out or waits. */
static bool is_held(struct text *text, uint64_t real_ns, const Hinomi__Event *event,
		    const Hinomi__Process *process)
{
	bool routine = topic_is_routine(event) || is_old_news(text, event);
	/* the exec says it all, and a subshell that did nothing is not worth a line */
	bool needs_no_fork = (event->body_case == HINOMI__EVENT__BODY_EXEC && !event->result) ||
			     (event->body_case == HINOMI__EVENT__BODY_EXIT && routine);

	if (process && process->key && event->body_case != HINOMI__EVENT__BODY_FORK &&
	    (needs_no_fork || !routine) &&
	    forks_settle(&text->forks, process->key, !needs_no_fork) && needs_no_fork)
		text->routine++;
	if (routine) {
		text->routine++;
		return true;
	}
	if (event->body_case == HINOMI__EVENT__BODY_FORK && event->fork->child &&
	    event->fork->child->pid && process) {
		hold_fork(text, real_ns, event, process);
		return true;
	}
	return folds_hide(text, real_ns, event, process);
}

void text_event(struct text *text, const struct frame *frame, const Hinomi__Event *event)
{
	const Hinomi__Process *process = payload_process(frame->payload, event);
	uint64_t real_ns = frame_real_ns(frame, event->time_ns);

	if (text->options.fold) {
		set_now(text, event->time_ns);
		if (is_held(text, real_ns, event, process))
			return;
	}
	put_line(text, real_ns, event_line(text, real_ns, event, process));
}
