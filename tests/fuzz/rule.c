/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a rule; where it is one, it judges an event of each class, with and without its
 * parts. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "filter/filter.h"

#define BYTES(text)                                                \
	{                                                          \
		.len = sizeof(text) - 1, .data = (uint8_t *)(text) \
	}

static void judge(const struct filter *filter, bool whole)
{
	ProtobufCBinaryData args[] = {BYTES("sh"), BYTES("-c"), {0}};
	Hinomi__ProcessKey key = HINOMI__PROCESS_KEY__INIT;
	Hinomi__Process process = HINOMI__PROCESS__INIT;
	Hinomi__File file = HINOMI__FILE__INIT;
	Hinomi__Exec exec = HINOMI__EXEC__INIT;
	Hinomi__FileOpen file_open = HINOMI__FILE_OPEN__INIT;
	Hinomi__Address peer = HINOMI__ADDRESS__INIT;
	Hinomi__Socket connect = HINOMI__SOCKET__INIT;
	Hinomi__Event body = HINOMI__EVENT__INIT;
	struct event event = {.body = &body, .process = whole ? &process : NULL};

	process.key = &key;
	process.comm = args[0];
	exec.n_args = whole ? 3 : 0;
	exec.args = args;
	exec.file = file_open.file = whole ? &file : NULL;
	file.path = args[1];
	peer.ip = (ProtobufCBinaryData)BYTES("\x7f\0\0\1");
	connect.peer = whole ? &peer : NULL;
	event.kind = KIND_exec;
	body.body_case = HINOMI__EVENT__BODY_EXEC;
	body.exec = &exec;
	filter_keeps(filter, &event);
	event.kind = KIND_file_open;
	body.body_case = HINOMI__EVENT__BODY_FILE_OPEN;
	body.file_open = &file_open;
	filter_keeps(filter, &event);
	event.kind = KIND_connect;
	body.body_case = HINOMI__EVENT__BODY_CONNECT;
	body.connect = &connect;
	filter_keeps(filter, &event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), error[256] = "";
	struct filter *filter;
	int r;

	if (!text || filter_new(&filter))
		abort();
	memcpy(text, data, size);
	text[size] = 0;
	r = filter_add(filter, text, error, sizeof(error));
	if ((r == 0) == (*error != 0) || strlen(error) >= sizeof(error))
		abort();
	free(text); /* the filter keeps what it needs */
	judge(filter, true);
	judge(filter, false);
	filter_free(filter);
	return 0;
}
