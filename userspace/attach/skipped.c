// SPDX-License-Identifier: Apache-2.0
/*
 * Events that a program was not run for, since it (or on older kernels any other) was running on
 * that cpu already.  The kernel counts them by program, and shows the count to whoever holds the
 * program, from 5.12 on (9ed9e9ba2337); it is opened while we may.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach/internal.h"
#include "base/fdinfo.h"

void skipped_program(struct attach *attach, const char *name, int fd)
{
	struct counted_program *program = &attach->programs[attach->nprograms];
	uint64_t none;
	int info;

	if (attach->nprograms == LINKS_MAX || hook_by_name(name) == HOOK_NONE)
		return;
	for (unsigned i = 0; i < attach->nprograms; i++)
		if (!strcmp(attach->programs[i].name, name))
			return;
	info = fdinfo_open(fd);
	if (info < 0)
		return;
	if (fdinfo_number(info, "recursion_misses", &none)) { /* this kernel does not count */
		close(info);
		return;
	}
	*program = (struct counted_program){.fd = fd, .info = info};
	snprintf(program->name, sizeof(program->name), "%s", name);
	attach->nprograms++;
}

void skipped_class(struct attach *attach, const char *name, unsigned kind)
{
	for (unsigned i = 0; i < attach->nprograms; i++)
		if (!strcmp(attach->programs[i].name, name))
			attach->programs[i].kinds[kind / 64] |= 1ULL << kind % 64;
}

void skipped_close(struct attach *attach)
{
	for (unsigned i = 0; i < attach->nprograms; i++) {
		close(attach->programs[i].info);
		if (attach->resumed) /* else the object's */
			close(attach->programs[i].fd);
	}
	attach->nprograms = 0;
}

void attach_skipped(const struct attach *attach, uint64_t by_kind[KINDS_MAX])
{
	memset(by_kind, 0, KINDS_MAX * sizeof(*by_kind));
	for (unsigned i = 0; i < attach->nprograms; i++) {
		const struct counted_program *program = &attach->programs[i];
		uint64_t n;

		if (fdinfo_number(program->info, "recursion_misses", &n))
			continue;
		for (unsigned kind = 0; n && kind < KINDS_MAX; kind++)
			if (program->kinds[kind / 64] >> kind % 64 & 1)
				by_kind[kind] += n;
	}
}
