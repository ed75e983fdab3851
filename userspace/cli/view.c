/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "event/event.h"
#include "render/render.h"

#define BUFFER_BYTES		  (256 << 10)

#define KIND(class, number, lane) " " #class
static const char classes[] = FOR_EACH_KIND(KIND);
#undef KIND

static int view_classes(struct view *view, const char *list)
{
	char *copy = strdup(list), *rest = copy, *name;
	int status = STATUS_OK;

	if (!copy)
		return STATUS_FAILED;
	view->some_classes = true;
	while (!status && (name = strsep(&rest, ","))) {
		int kind = kind_by_name(name);

		if (kind < 0)
			status = usage_error("there is no class '%s'; the classes are%s", name,
					     classes);
		else
			view->classes[kind] = true;
	}
	free(copy);
	return status;
}

static int view_form(struct view *view, const char *name)
{
	static const char *const names[] = {"text", "json", "none"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name)) {
			view->form = (enum view_form)i;
			return STATUS_OK;
		}
	return usage_error("there is no output '%s'; it is text, json or none", name);
}

static int view_lane(struct view *view, const char *name)
{
	static const enum lane lanes[] = {LANE_KEEP, LANE_BULK};
	bool bulk = !strcmp(name, "bulk");

	if (!bulk && strcmp(name, "keep"))
		return usage_error("there is no lane '%s'; it is keep or bulk", name);
	view->lane = &lanes[bulk];
	return STATUS_OK;
}

int view_option(struct view *view, int option, const char *value)
{
	switch (option) {
	case 'c':
		return view_classes(view, value);
	case 'o':
		return view_form(view, value);
	case VIEW_LANE:
		return view_lane(view, value);
	case VIEW_FOLD:
	case VIEW_NO_FOLD:
		view->fold = option == VIEW_FOLD;
		return STATUS_OK;
	default:
		return usage_refused();
	}
}

static bool has_colours(void)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_colour && *no_colour) && term && strcmp(term, "dumb");
}

int view_open(struct view *view)
{
	bool terminal = isatty(STDOUT_FILENO);
	struct text_options options = {
		.colour = has_colours(),
		.fold = view->fold < 0 ? terminal : view->fold,
		.date = !terminal,
		.columns = terminal ? TEXT_COLUMNS_OF_TERMINAL : 0,
	};

	setvbuf(stdout, NULL, _IOFBF, BUFFER_BYTES);
	if (view->form != VIEW_TEXT)
		return STATUS_OK;
	if (!text_new(stdout, &options, &view->text))
		return STATUS_OK;
	log_error("out of memory");
	return STATUS_FAILED;
}

void view_close(struct view *view)
{
	if (view->text)
		text_end(view->text);
	text_free(view->text);
	view->text = NULL;
}

static bool is_wanted(const struct view *view, const Hinomi__Event *event)
{
	unsigned kind = event->body_case;

	return !view->some_classes || (kind < KINDS_MAX && view->classes[kind]);
}

void view_event(struct view *view, const struct frame *frame, const Hinomi__Event *event)
{
	if (view->form == VIEW_NONE || !is_wanted(view, event))
		return;
	if (view->form == VIEW_JSON)
		render_json(stdout, frame, event);
	else
		text_event(view->text, frame, event);
}

void view_idle(struct view *view)
{
	if (view->text)
		text_flush(view->text);
	fflush(stdout);
}
