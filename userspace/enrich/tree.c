/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots in one array, found through chains by pid, so that an older process of
 * the same pid is met on the way: its exit was missed, and it is dead.  The list
 * of the dead gives the order in which they leave; in a full tree without any, a
 * clock hand asks the kernel for one whose end was lost, and only then takes a
 * living one, of those that had no event for longest.
 */
#include "enrich/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "enrich/image.h"
#include "enrich/session.h"

#define NONE	       UINT32_MAX
#define MIN_PROCESSES  16
#define SAME_PID_MAX   16   /* processes of one pid that are remembered */
#define HAND_STEPS_MAX 64   /* that the eviction hand takes at once */
#define ASKED_MAX      1024 /* questions to the kernel for one place in a full tree */
#define DEAD_SHARE     4    /* at most a quarter of the slots holds dead ones, */
#define DEAD_MAX       4096 /* and no more than this */
#define GOLDEN	       0x9e3779b97f4a7c15ULL

struct tree {
	struct process *slots;
	uint32_t *buckets;
	uint32_t max, used;  /* slots; those below `used` have been taken once */
	uint32_t free_first; /* given back, linked by chain_next */
	uint32_t bucket_bits;
	uint32_t dead_oldest, dead_newest, dead_count, dead_max;
	uint32_t hand;
	uint32_t asked_in_vain; /* living ones in a row */
	uint64_t count, evicted_alive;
	uint64_t stamps;  /* names given so far */
	uint64_t changes; /* of anything that a lineage is made of */
	bool (*is_alive)(uint32_t pid, uint64_t start_ns);
};

DEFINE_CLEANUP(struct tree *, tree_free);

int tree_new(uint32_t processes_max, struct tree **ret)
{
	CLEANUP(tree_free) struct tree *tree = calloc(1, sizeof(*tree));
	uint32_t max = processes_max < MIN_PROCESSES ? MIN_PROCESSES : processes_max;
	void *slots;

	if (!tree)
		return -ENOMEM;
	if (max > 1u << 24)
		max = 1u << 24;
	tree->max = max;
	tree->dead_max = max / DEAD_SHARE < DEAD_MAX ? max / DEAD_SHARE : DEAD_MAX;
	tree->free_first = tree->dead_oldest = tree->dead_newest = NONE;
	while (1u << tree->bucket_bits < max)
		tree->bucket_bits++;
	/* only what is used ever becomes memory */
	slots = mmap(NULL, max * sizeof(*tree->slots), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (slots == MAP_FAILED)
		return -ENOMEM;
	tree->slots = slots;
	tree->buckets = calloc((size_t)1 << tree->bucket_bits, sizeof(*tree->buckets));
	if (!tree->buckets)
		return -ENOMEM;
	*ret = TAKE(tree);
	return 0;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	for (uint32_t i = 0; tree->slots && i < tree->used; i++) {
		image_unref(tree->slots[i].image);
		image_unref(tree->slots[i].old_image);
		session_unref(tree->slots[i].session);
	}
	if (tree->slots)
		munmap(tree->slots, tree->max * sizeof(*tree->slots));
	free(tree->buckets);
	free(tree);
}

/* Buckets and chains hold slot + 1, so that zeroed memory is empty. */
static uint32_t *bucket_of(struct tree *tree, uint32_t pid)
{
	return &tree->buckets[(pid * GOLDEN) >> (64 - tree->bucket_bits)];
}

struct process *tree_find(struct tree *tree, uint32_t pid, uint64_t start_ns)
{
	uint32_t next = *bucket_of(tree, pid);

	while (next) {
		struct process *process = &tree->slots[next - 1];

		if (process->pid == pid && process->start_ns == start_ns)
			return process;
		next = process->chain_next;
	}
	return NULL;
}

static void dead_add(struct tree *tree, struct process *process)
{
	process->listed = true;
	process->dead_newer = NONE;
	process->dead_older = tree->dead_newest;
	if (tree->dead_newest == NONE)
		tree->dead_oldest = process->slot;
	else
		tree->slots[tree->dead_newest].dead_newer = process->slot;
	tree->dead_newest = process->slot;
	tree->dead_count++;
}

static void dead_remove(struct tree *tree, struct process *process)
{
	if (process->dead_newer == NONE)
		tree->dead_newest = process->dead_older;
	else
		tree->slots[process->dead_newer].dead_older = process->dead_older;
	if (process->dead_older == NONE)
		tree->dead_oldest = process->dead_newer;
	else
		tree->slots[process->dead_older].dead_newer = process->dead_newer;
	tree->dead_count--;
	process->listed = false;
}

static void dead_mark(struct tree *tree, struct process *process)
{
	process->dead = true;
	if (!process->listed)
		dead_add(tree, process);
}

static void process_evict(struct tree *tree, struct process *process)
{
	uint32_t *link = bucket_of(tree, process->pid);
	uint32_t slot = process->slot;

	while (*link != slot + 1)
		link = &tree->slots[*link - 1].chain_next;
	*link = process->chain_next;
	if (process->listed)
		dead_remove(tree, process);
	else if (!tree->is_alive || tree->is_alive(process->pid, process->start_ns))
		tree->evicted_alive++;
	image_unref(process->image);
	image_unref(process->old_image);
	session_unref(process->session);
	memset(process, 0, sizeof(*process));
	process->slot = slot;
	process->chain_next = tree->free_first;
	tree->free_first = slot;
	tree->count--;
	tree->changes++;
}

static struct process *hand_next(struct tree *tree)
{
	struct process *process = &tree->slots[tree->hand];

	tree->hand = (tree->hand + 1) % tree->max;
	return process;
}

/* One whose end was lost.  Asking is dear: after a whole round in vain, little of it is done. */
static struct process *hand_ask(struct tree *tree)
{
	int steps = tree->asked_in_vain < tree->max ? ASKED_MAX : 1;

	for (int i = 0; tree->is_alive && i < steps; i++) {
		struct process *process = hand_next(tree);

		if (!tree->is_alive(process->pid, process->start_ns)) {
			tree->asked_in_vain = 0;
			return process;
		}
		tree->asked_in_vain++;
	}
	return NULL;
}

/* None is known to be dead: of those that live, one that had no event since the hand came by last.
 */
static struct process *hand_choose(struct tree *tree)
{
	struct process *process = hand_ask(tree);

	if (process)
		return process;
	for (int i = 0; i < HAND_STEPS_MAX; i++) {
		process = hand_next(tree);
		if (!process->seen)
			break;
		process->seen = false;
	}
	return process;
}

static struct process *slot_take(struct tree *tree)
{
	uint32_t slot = tree->free_first;

	if (slot == NONE && tree->used < tree->max) {
		slot = tree->used++;
	} else {
		if (slot == NONE) {
			process_evict(tree, tree->dead_count ? &tree->slots[tree->dead_oldest]
							     : hand_choose(tree));
			slot = tree->free_first;
		}
		tree->free_first = tree->slots[slot].chain_next;
	}
	memset(&tree->slots[slot], 0, sizeof(tree->slots[slot]));
	tree->slots[slot].slot = slot;
	return &tree->slots[slot];
}

/* Processes that had this pid before are dead, whoever missed their exit; the oldest are forgotten.
 */
static void pid_reused(struct tree *tree, uint32_t pid, uint64_t start_ns)
{
	uint32_t next = *bucket_of(tree, pid);
	struct process *oldest = NULL;
	unsigned same = 0;

	while (next) {
		struct process *process = &tree->slots[next - 1];

		next = process->chain_next;
		if (process->pid != pid)
			continue;
		same++;
		if (process->start_ns < start_ns && !process->dead)
			dead_mark(tree, process);
		if (process->dead && (!oldest || process->start_ns < oldest->start_ns))
			oldest = process;
	}
	if (same >= SAME_PID_MAX && oldest)
		process_evict(tree, oldest);
}

struct process *tree_insert(struct tree *tree, uint32_t pid, uint64_t start_ns)
{
	struct process *process;
	uint32_t *bucket = bucket_of(tree, pid);

	pid_reused(tree, pid, start_ns);
	process = slot_take(tree);
	process->pid = pid;
	process->start_ns = start_ns;
	process->seen = true;
	process->chain_next = *bucket;
	*bucket = process->slot + 1;
	tree->count++;
	tree->changes++;
	return process;
}

static void dead_limit(struct tree *tree)
{
	if (tree->dead_count > tree->dead_max)
		process_evict(tree, &tree->slots[tree->dead_oldest]);
}

void tree_exit(struct tree *tree, struct process *process)
{
	if (process->dead)
		return;
	dead_mark(tree, process);
	dead_limit(tree);
}

void tree_doubt(struct tree *tree, struct process *process)
{
	dead_add(tree, process);
	dead_limit(tree);
}

void tree_trust(struct tree *tree, struct process *process)
{
	if (process->listed && !process->dead)
		dead_remove(tree, process);
}

void tree_ask(struct tree *tree, bool (*is_alive)(uint32_t pid, uint64_t start_ns))
{
	tree->is_alive = is_alive;
}

void tree_set_name(struct tree *tree, struct process *process, const char name[TREE_COMM_SIZE])
{
	if (process->name_stamp && !memcmp(process->name, name, TREE_COMM_SIZE))
		return;
	memcpy(process->name, name, TREE_COMM_SIZE);
	process->name_stamp = ++tree->stamps;
	tree->changes++;
}

void tree_set_facts(struct tree *tree, struct process *process, const struct facts *facts)
{
	if (process->parent_pid != facts->parent_pid ||
	    process->parent_start_ns != facts->parent_start_ns)
		tree->changes++;
	process->parent_pid = facts->parent_pid;
	process->parent_start_ns = facts->parent_start_ns;
	process->facts = *facts;
	process->told = true;
}

void tree_set_image(struct process *process, uint64_t exec_id, struct image *image)
{
	if (process->image && exec_id < process->image_exec_id) {
		image_unref(process->old_image);
		process->old_image = image;
		process->old_image_exec_id = exec_id;
	} else {
		if (exec_id != process->image_exec_id) {
			image_unref(process->old_image);
			process->old_image = process->image;
			process->old_image_exec_id = process->image_exec_id;
		} else {
			image_unref(process->image);
		}
		process->image = image;
		process->image_exec_id = exec_id;
	}
	process->changed = true;
}

struct image *tree_image(const struct process *process, uint64_t exec_id)
{
	if (process->image && process->image_exec_id == exec_id)
		return process->image;
	if (process->old_image && process->old_image_exec_id == exec_id)
		return process->old_image;
	return NULL;
}

void tree_set_session(struct process *process, struct session *session)
{
	session_unref(process->session);
	process->session = session;
	process->changed = true;
}

static struct process *tree_parent(struct tree *tree, struct process *process)
{
	struct process *parent = &tree->slots[process->parent_slot];

	if (!process->parent_pid)
		return NULL;
	if (parent->pid == process->parent_pid && parent->start_ns == process->parent_start_ns)
		return parent;
	parent = tree_find(tree, process->parent_pid, process->parent_start_ns);
	if (parent)
		process->parent_slot = parent->slot;
	return parent;
}

size_t tree_ancestors(struct tree *tree, struct process *process,
		      struct process *ret[TREE_ANCESTORS_MAX])
{
	size_t n = 0;

	for (; n < TREE_ANCESTORS_MAX; n++) {
		process = tree_parent(tree, process);
		if (!process)
			break;
		ret[n] = process;
	}
	return n;
}

uint64_t tree_lineage(struct tree *tree, struct process *process)
{
	struct process *ancestors[TREE_ANCESTORS_MAX];
	size_t n;

	if (process->lineage && process->lineage_changes == tree->changes)
		return process->lineage;
	n = tree_ancestors(tree, process, ancestors);
	process->lineage = n + 1;
	for (size_t i = 0; i < n; i++)
		process->lineage = (process->lineage ^ ancestors[i]->name_stamp) * GOLDEN;
	process->lineage |= 1; /* 0: not known */
	process->lineage_changes = tree->changes;
	return process->lineage;
}

uint64_t tree_count(const struct tree *tree)
{
	return tree->count;
}

uint64_t tree_evicted_alive(const struct tree *tree)
{
	return tree->evicted_alive;
}
