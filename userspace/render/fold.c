/* SPDX-License-Identifier: Apache-2.0 */
#include "render/fold.h"

#include <string.h>

#include "base/clock.h"

#define REST_NS NS_PER_SEC	 /* over when nothing came for so long */
#define OPEN_NS (5 * NS_PER_SEC) /* a count is shown this often while they keep coming */

static void fold_close(struct folds *folds, struct fold *fold)
{
	if (fold->hidden)
		folds->say(folds->ctx, fold);
	fold->key = 0;
}

struct fold *folds_find(struct folds *folds, uint64_t key)
{
	for (size_t i = 0; i < FOLDS_MAX; i++)
		if (folds->folds[i].key == key)
			return &folds->folds[i];
	return NULL;
}

struct fold *folds_open(struct folds *folds, uint64_t key, uint64_t now_ns)
{
	struct fold *fold = &folds->folds[0];

	for (size_t i = 0; i < FOLDS_MAX && fold->key; i++)
		if (!folds->folds[i].key || folds->folds[i].last_ns < fold->last_ns)
			fold = &folds->folds[i];
	if (fold->key)
		fold_close(folds, fold);
	*fold = (struct fold){.key = key, .first_ns = now_ns, .last_ns = now_ns};
	return fold;
}

void fold_hide(struct fold *fold, uint64_t now_ns, uint64_t real_ns)
{
	fold->hidden++;
	fold->last_ns = now_ns;
	fold->real_ns = real_ns;
}

void folds_expire(struct folds *folds, uint64_t now_ns)
{
	for (size_t i = 0; i < FOLDS_MAX; i++) {
		struct fold *fold = &folds->folds[i];

		if (fold->key && (now_ns == UINT64_MAX || now_ns > fold->last_ns + REST_NS ||
				  now_ns > fold->first_ns + OPEN_NS))
			fold_close(folds, fold);
	}
}
