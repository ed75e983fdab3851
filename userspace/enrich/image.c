/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/image.h"

#include <hinomi/record.h>
#include <stdlib.h>
#include <string.h>

struct measure {
	size_t nargs, size; /* whole arguments that fit, with their NULs */
	size_t cut;	    /* bytes of the one behind them that fit as well */
};

static struct measure args_measure(const Hinomi__Exec *exec)
{
	struct measure m = {0};

	while (m.nargs < exec->n_args && exec->args[m.nargs].len < IMAGE_ARGS_MAX - m.size)
		m.size += exec->args[m.nargs++].len + 1;
	if (m.nargs < exec->n_args && IMAGE_ARGS_MAX - m.size > 1)
		m.cut = IMAGE_ARGS_MAX - m.size - 1;
	return m;
}

static char *append(char *to, const void *from, size_t size)
{
	if (size)
		memcpy(to, from, size);
	return to + size;
}

struct image *image_new(const Hinomi__Exec *exec)
{
	struct measure m = args_measure(exec);
	size_t path_size = exec->file ? exec->file->path.len : 0;
	struct image *image;
	char *to;

	if (path_size > RECORD_PATH_MAX)
		path_size = RECORD_PATH_MAX;
	image = malloc(sizeof(*image) + path_size + m.size + (m.cut ? m.cut + 1 : 0));
	if (!image)
		return NULL;
	image->refs = 1;
	image->path_size = (uint16_t)path_size;
	to = append(image->data, path_size ? exec->file->path.data : NULL, path_size);
	for (size_t i = 0; i < m.nargs; i++) {
		to = append(to, exec->args[i].data, exec->args[i].len);
		*to++ = 0;
	}
	if (m.cut) {
		to = append(to, exec->args[m.nargs].data, m.cut);
		*to++ = 0;
	}
	image->nargs = (uint16_t)(m.nargs + !!m.cut);
	image->args_size = (uint16_t)(to - image->data - (ptrdiff_t)path_size);
	image->args_truncated = m.nargs < exec->n_args || exec->args_count > exec->n_args;
	return image;
}

struct image *image_ref(struct image *image)
{
	if (image)
		image->refs++;
	return image;
}

void image_unref(struct image *image)
{
	if (image && !--image->refs)
		free(image);
}
