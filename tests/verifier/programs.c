// SPDX-License-Identifier: Apache-2.0
/*
 * Loads every program that this kernel can have, tier by tier, and prints what
 * each cost the verifier: "PROGRAM INSTRUCTIONS", and "# " lines with the time of each load.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attach/attach.h"

#define PROGRAMS_MAX 512
#define RING_BYTES   (1 << 20)

struct programs {
	char name[PROGRAMS_MAX][32];
	unsigned instructions[PROGRAMS_MAX];
	unsigned n, loaded;
	unsigned long verified_us;
};

static void note(void *ctx, const struct measure *measure)
{
	struct programs *all = ctx;

	all->loaded++;
	all->verified_us += measure->verified_us;
	for (unsigned i = 0; i < all->n; i++)
		if (!strcmp(all->name[i], measure->program))
			return;
	if (all->n == PROGRAMS_MAX)
		exit(2);
	snprintf(all->name[all->n], sizeof(all->name[0]), "%s", measure->program);
	all->instructions[all->n++] = measure->instructions;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int load(struct programs *all, int tier)
{
	struct attach_options options = {
		.ring_bytes = {RING_BYTES, RING_BYTES},
		.tier_min = tier,
		.measure = true,
	};
	CLEANUP(attach_free) struct attach *attach = NULL;
	struct attach_error error;
	long began = now_ms();

	all->loaded = 0;
	all->verified_us = 0;
	if (attach_load(&options, &attach, &error)) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	attach_measures(attach, note, all);
	printf("# from tier %d on: %u programs in %ld ms, %lu ms of them in the verifier\n", tier,
	       all->loaded, now_ms() - began, all->verified_us / 1000);
	return 0;
}

int main(void)
{
	static struct programs all;

	if (load(&all, 1) || load(&all, 2))
		return 1;
	for (unsigned i = 0; i < all.n; i++)
		printf("%s %u\n", all.name[i], all.instructions[i]);
	return all.n ? 0 : 1;
}
