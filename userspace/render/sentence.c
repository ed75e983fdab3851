/* SPDX-License-Identifier: Apache-2.0 */
/* An event in one line for places that are no terminal: the display string of exports. */
#include <hinomi/record.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "frame/frame.h"
#include "render/body.h"
#include "render/render.h"
#include "render/topic.h"

void render_line(FILE *out, const struct frame *frame, const Hinomi__Event *event)
{
	const Hinomi__Process *process = payload_process(frame->payload, event);
	struct body body = {.what = out, .process = process};
	CLEANUP(free) char *note = NULL;
	size_t size = 0;

	body.note = open_memstream(&note, &size);
	if (!body.note)
		return;
	fprintf(out, "%s ", event_class(event));
	if (process) {
		topic_who(out, &process->comm, process->key ? process->key->pid : 0);
		putc(' ', out);
		topic_user(out, process);
		putc(' ', out);
	} else if (event->cpu == CPU_SENSOR) {
		fputs("hinomi ", out);
	}
	body_write(&body, event);
	if (!fclose(body.note))
		fwrite(note, 1, size, out);
}
