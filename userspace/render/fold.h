/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps a stream of lines readable: the first lines of a kind are shown, the rest counted until
 * a second has passed without one.  Times are the events' own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOLDS_MAX     128
#define FOLD_TEXT_MAX 192

/* What a count says when it is shown; text that is safe for a terminal. */
struct fold_label {
	const char *class;
	const char *style;
	char who[FOLD_TEXT_MAX];
	char user[FOLD_TEXT_MAX];
	char place[FOLD_TEXT_MAX]; /* "in /tmp/x" */
};

struct fold {
	uint64_t key; /* 0: free */
	uint64_t first_ns, last_ns;
	uint64_t real_ns; /* wall-clock time of the last one */
	uint64_t shown, hidden;
	struct fold_label label;
};

struct folds {
	struct fold folds[FOLDS_MAX];
	void (*say)(void *ctx, const struct fold *fold); /* a count that is due */
	void *ctx;
};

/* The fold of this key, NULL when none is open. */
struct fold *folds_find(struct folds *folds, uint64_t key);
/* Opens one; where all are taken the one that rested longest is closed for it. */
struct fold *folds_open(struct folds *folds, uint64_t key, uint64_t now_ns);
void fold_hide(struct fold *fold, uint64_t now_ns, uint64_t real_ns);
/* Closes those that are over by now; UINT64_MAX: all. */
void folds_expire(struct folds *folds, uint64_t now_ns);
