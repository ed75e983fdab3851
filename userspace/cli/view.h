/* SPDX-License-Identifier: Apache-2.0 */
/* How events are shown on stdout, as the options of run, cat and tail say. */
#pragma once

#include <getopt.h>
#include <hinomi/kinds.h>
#include <stdbool.h>

#include "frame.pb-c.h"

struct frame;
struct text;

enum view_form { VIEW_TEXT, VIEW_JSON, VIEW_NONE };

struct view {
	enum view_form form;
	int fold;	   /* -1: when stdout is a terminal */
	bool some_classes; /* only those of classes */
	bool classes[KINDS_MAX];
	const enum lane *lane; /* only this one; NULL: both */
	struct text *text;
};

/* for getopt_long, beside a command's own */
#define VIEW_SHORT "o:c:"
enum { VIEW_FOLD = 0x100, VIEW_NO_FOLD, VIEW_LANE, VIEW_OPTIONS_END };
#define VIEW_LONG                                                                          \
	{"class", required_argument, NULL, 'c'}, {"output", required_argument, NULL, 'o'}, \
		{"fold", no_argument, NULL, VIEW_FOLD},                                    \
	{                                                                                  \
		"no-fold", no_argument, NULL, VIEW_NO_FOLD                                 \
	}
/* of those that need not see both lanes */
#define VIEW_LONG_LANE                                     \
	{                                                  \
		"lane", required_argument, NULL, VIEW_LANE \
	}
#define VIEW_HELP_LANE                                                                      \
	"      --lane keep|bulk    only this one; keep is what must arrive, and does not\n" \
	"                          wait for what is older in the other\n"
#define VIEW_HELP                                                                          \
	"  -o, --output text|json  one line per event (text), or one JSON object\n"        \
	"  -c, --class NAME,...    only these classes; hinomi describe lists them\n"       \
	"      --fold, --no-fold   count what repeats instead of showing it, or do not;\n" \
	"                          without either: when the output is a terminal\n"

/* Takes one option; 0, or an exit status after it said what is wrong. */
int view_option(struct view *view, int option, const char *value);
/* Text to a terminal is coloured (not with NO_COLOR) and cut to its width. */
int view_open(struct view *view);
void view_close(struct view *view);
void view_event(struct view *view, const struct frame *frame, const Hinomi__Event *event);
void view_idle(struct view *view); /* nothing comes for a while: shows all that is held back */
