/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of classes about what a process does to itself. */
#include "render/body.h"

#include <inttypes.h>
#include <sys/prctl.h>

#include "base/cleanup.h"

void say_sandbox(const struct body *body, const Hinomi__Event *event)
{
	static const char *const changes[] = {
		[HINOMI__SANDBOX__CHANGE__CHANGE_UNSPECIFIED] = "restricted",
		[HINOMI__SANDBOX__CHANGE__CHANGE_NO_NEW_PRIVS] = "no new privileges",
		[HINOMI__SANDBOX__CHANGE__CHANGE_STRICT] = "only read, write and exit",
		[HINOMI__SANDBOX__CHANGE__CHANGE_FILTER] = "system call filter",
	};
	const Hinomi__Sandbox *sandbox = event->sandbox;
	unsigned change = (unsigned)sandbox->change;

	fputs(change < ARRAY_SIZE(changes) ? changes[change] : changes[0], body->what);
	if (sandbox->instructions)
		fprintf(body->what, " of %u instructions", sandbox->instructions);
	if (sandbox->listener)
		body_note(body, STYLE_MAGENTA, "another process answers");
}

void say_process_name(const struct body *body, const Hinomi__Event *event)
{
	body_bytes(body->what, &event->process_name->old);
	fputs(" " BODY_ARROW " ", body->what);
	body_bytes(body->what, &event->process_name->now);
}

void say_prctl(const struct body *body, const Hinomi__Event *event)
{
	static const struct {
		uint32_t option;
		const char *name;
	} options[] = {{PR_SET_DUMPABLE, "dumpable"},	  {PR_SET_KEEPCAPS, "keep capabilities"},
		       {PR_SET_MM, "memory map"},	  {59, "dispatch of system calls"},
		       {65, "memory deny write execute"}, {PR_SET_PTRACER, "tracer"}};
	const Hinomi__Prctl *prctl = event->prctl;
	const char *name = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].option == prctl->option)
			name = options[i].name;
	if (name)
		fputs(name, body->what);
	else
		fprintf(body->what, "option %u", prctl->option);
	fprintf(body->what, " %" PRIu64, prctl->value);
	if (prctl->option == PR_SET_MM)
		fprintf(body->what, " %#" PRIx64, prctl->address);
}
