/* SPDX-License-Identifier: Apache-2.0 */
#include "render/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "render/body.h"
#include "render/line.h"
#include "render/render.h"

#define COLUMNS_WIDE	110 /* from here on the left columns have room */
#define COLUMNS_DEFAULT 80  /* of a terminal that does not say */
#define LINK		" ‹ "
#define DOTS		"… ‹ "
#define WHO_COLUMNS_MAX 28

int part_init(struct part *part)
{
	part->file = open_memstream(&part->text, &part->size);
	return part->file ? 0 : -ENOMEM;
}

void part_done(struct part *part)
{
	if (part->file)
		fclose(part->file);
	free(part->text);
	*part = (struct part){0};
}

FILE *part_begin(struct part *part)
{
	rewind(part->file);
	return part->file;
}

const char *part_end(struct part *part)
{
	putc('\0', part->file);
	if (fflush(part->file) || ferror(part->file)) {
		clearerr(part->file);
		return "";
	}
	return part->text;
}

int layout_init(struct layout *layout, FILE *terminal, bool colour, bool date, int columns)
{
	*layout = (struct layout){
		.colour = colour,
		.date = date,
		.columns = columns,
		.terminal = terminal,
		.second = -1,
	};
	if (part_init(&layout->left) || part_init(&layout->whole))
		return -ENOMEM;
	return 0;
}

void layout_done(struct layout *layout)
{
	part_done(&layout->left);
	part_done(&layout->whole);
}

static size_t layout_columns(const struct layout *layout)
{
	struct winsize size;

	if (layout->columns >= 0)
		return (size_t)layout->columns;
	if (ioctl(fileno(layout->terminal), TIOCGWINSZ, &size) || !size.ws_col)
		return COLUMNS_DEFAULT;
	return size.ws_col;
}

const struct tm *layout_date(struct layout *layout, uint64_t real_ns)
{
	time_t second = (time_t)(real_ns / NS_PER_SEC);

	if (second != layout->second) {
		localtime_r(&second, &layout->tm);
		layout->second = second;
	}
	return &layout->tm;
}

static void put_time(struct layout *layout, FILE *out, uint64_t real_ns)
{
	const struct tm *tm = layout_date(layout, real_ns);

	if (layout->colour)
		fputs(STYLE_DIM, out);
	if (layout->date)
		fprintf(out, "%04d-%02d-%02d ", tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday);
	fprintf(out, "%02d:%02d:%02d.%03" PRIu64, tm->tm_hour, tm->tm_min, tm->tm_sec,
		(uint64_t)(real_ns / NS_PER_MS % 1000));
	if (layout->colour)
		fputs(STYLE_END, out);
}

static void put_padded(FILE *out, const char *text, size_t columns, size_t most)
{
	size_t width = line_width(text);

	if (most && width > most) {
		line_cut_middle(out, text, most);
		width = most;
	} else {
		fputs(text, out);
	}
	for (; width < columns; width++)
		putc(' ', out);
	putc(' ', out);
}

static const char *left_columns(struct layout *layout, const struct cells *cells, size_t columns)
{
	bool wide = !columns || columns >= COLUMNS_WIDE;
	FILE *out = part_begin(&layout->left);

	put_time(layout, out, cells->real_ns);
	putc(' ', out);
	if (layout->colour)
		fputs(cells->style, out);
	put_padded(out, cells->class, 11, 0);
	if (layout->colour)
		fputs(STYLE_END STYLE_BOLD, out);
	put_padded(out, cells->who, wide ? 20 : 13, columns ? WHO_COLUMNS_MAX : 0);
	if (layout->colour)
		fputs(STYLE_END, out);
	put_padded(out, cells->user, wide ? 8 : 4, columns ? WHO_COLUMNS_MAX : 0);
	return part_end(&layout->left);
}

static void put_chain(struct layout *layout, FILE *out, const char *dots, const char *chain,
		      const char *self)
{
	if (!*chain)
		return;
	fputs(layout->colour ? "  " STYLE_DIM : "  ", out);
	fprintf(out, "%s%s%s%s", dots, chain, *self ? LINK : "", self);
	if (layout->colour)
		fputs(STYLE_END, out);
}

static void put_whole(struct layout *layout, FILE *out, const struct cells *cells)
{
	fprintf(out, "%s%s", cells->what, cells->note);
	put_chain(layout, out, "", cells->chain, cells->self);
}

/* The nearest ancestors that fit behind the dots; empty when not even the parent does. */
static const char *chain_end(const char *chain, size_t room)
{
	while (line_width(DOTS) + line_width(chain) > room) {
		chain = strstr(chain, LINK);
		if (!chain)
			return "";
		chain += strlen(LINK);
	}
	return chain;
}

/* What it did is cut down to two thirds of the room before who started it is cut. */
static void put_fitted(struct layout *layout, FILE *out, const struct cells *cells, size_t room)
{
	size_t what = line_width(cells->what), note = line_width(cells->note), width;
	size_t whole = what + note + line_width(cells->chain) + line_width(cells->self) + 5;
	const char *chain = cells->chain, *dots = "";

	if (whole <= room || (!*chain && what + note <= room)) {
		put_whole(layout, out, cells);
		return;
	}
	if (note > room / 2)
		note = room / 2;
	room -= note;
	width = what < room - room / 3 ? room - what : room / 3; /* for the chain */
	if (line_width(chain) + 2 > width) {
		chain = width > 2 ? chain_end(chain, width - 2) : "";
		dots = DOTS;
	}
	width = *chain ? line_width(dots) + line_width(chain) + 2 : 0;
	line_cut_middle(out, cells->what, room - width);
	line_cut_middle(out, cells->note, note);
	put_chain(layout, out, dots, chain, "");
}

const char *layout_line(struct layout *layout, const struct cells *cells)
{
	size_t columns = layout_columns(layout);
	const char *left = left_columns(layout, cells, columns);
	size_t taken = line_width(left);
	FILE *out = part_begin(&layout->whole);

	if (columns && taken >= columns) {
		line_cut_middle(out, left, columns);
	} else {
		fputs(left, out);
		if (columns)
			put_fitted(layout, out, cells, columns - taken);
		else
			put_whole(layout, out, cells);
	}
	putc('\n', out);
	return part_end(&layout->whole);
}
