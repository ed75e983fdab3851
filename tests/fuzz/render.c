/* SPDX-License-Identifier: Apache-2.0 */
/* Events of any content as JSON and as text.  Input: a byte of options, then a Payload.  No byte of
 * control but the newline may come out, and no line that is too wide. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame/frame.h"
#include "render/line.h"
#include "render/render.h"

static void check_lines(char *shown, size_t columns)
{
	for (char *line = shown, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (columns && line_width(line) > columns)
			abort();
		for (const char *p = line; *p; p++)
			if ((unsigned char)*p < 0x20 || *p == 0x7f)
				abort();
	}
}

static void show(const struct frame *frame, const struct text_options *options, bool json)
{
	char *shown = NULL;
	size_t size;
	FILE *out = open_memstream(&shown, &size);
	struct text *text;

	if (!out || text_new(out, options, &text))
		abort();
	for (size_t i = 0; i < frame->payload->n_events; i++) {
		if (json)
			render_json(out, frame, frame->payload->events[i]);
		else
			text_event(text, frame, frame->payload->events[i]);
	}
	text_end(text);
	text_free(text);
	fclose(out);
	check_lines(shown, json ? 0 : (size_t)options->columns);
	free(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Hinomi__FrameHeader header = HINOMI__FRAME_HEADER__INIT;
	Hinomi__ClockPair clock = HINOMI__CLOCK_PAIR__INIT, *clocks[] = {&clock};
	struct frame frame = {.header = &header};
	struct text_options options = {0};

	if (!size)
		return 0;
	frame.payload = hinomi__payload__unpack(NULL, size - 1, data + 1);
	if (!frame.payload)
		return 0;
	header.n_clocks = 1;
	header.clocks = clocks;
	clock.real_ns = 1795442400000000000;
	options.fold = data[0] & 1;
	options.date = data[0] & 2;
	options.columns = data[0] & 4 ? 20 + data[0] / 4 : 0;
	show(&frame, &options, false);
	show(&frame, &options, true);
	hinomi__payload__free_unpacked(frame.payload, NULL);
	return 0;
}
