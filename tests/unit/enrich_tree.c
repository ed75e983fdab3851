/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the tree forgets: the dead, those whose death nobody saw, and the living last of all. */
#include "enrich_world.h"

#include "base/clock.h"
#include "enrich/alive.h"
#include "enrich/tree.h"

#define MAX 1000

/* Processes up to this pid live. */
static uint32_t living;

static bool is_alive(uint32_t pid, uint64_t start_ns)
{
	(void)start_ns;
	return pid <= living;
}

static struct tree *make_tree(uint32_t nliving)
{
	struct tree *tree;

	assert_int_equal(tree_new(MAX, &tree), 0);
	tree_ask(tree, is_alive);
	living = nliving;
	for (uint32_t pid = 1; pid <= nliving; pid++)
		tree_insert(tree, pid, pid);
	return tree;
}

static void want_living(struct tree *tree)
{
	for (uint32_t pid = 1; pid <= living; pid++)
		assert_non_null(tree_find(tree, pid, pid));
	assert_int_equal(tree_evicted_alive(tree), 0);
	assert_true(tree_count(tree) <= MAX);
}

static void forty_thousand_dead(void **state)
{
	struct tree *tree = make_tree(500);

	(void)state;
	for (uint32_t pid = 501; pid < 40501; pid++)
		tree_exit(tree, tree_insert(tree, pid, pid));
	want_living(tree);
	tree_free(tree);
}

/* Their ends were lost in a full ring. */
static void forty_thousand_whose_end_was_lost(void **state)
{
	struct tree *tree = make_tree(100);

	(void)state;
	for (uint32_t pid = 101; pid < 40101; pid++)
		tree_insert(tree, pid, pid); /* no event of the living would save them */
	want_living(tree);
	tree_free(tree);
}

/* Ends of connections of processes that the tree has forgotten already. */
static void forty_thousand_from_the_past(void **state)
{
	struct tree *tree = make_tree(500);
	struct process *process;

	(void)state;
	for (uint32_t pid = 501; pid < 40501; pid++)
		tree_doubt(tree, tree_insert(tree, pid, pid));
	want_living(tree);
	/* one of them does something: it lives */
	process = tree_find(tree, 40500, 40500);
	tree_trust(tree, process);
	living = 500;
	for (uint32_t pid = 50000; pid < 60000; pid++)
		tree_exit(tree, tree_insert(tree, pid, pid));
	assert_ptr_equal(tree_find(tree, 40500, 40500), process);
	tree_exit(tree, process);
	assert_true(process->dead);
	tree_free(tree);
}

static void more_living_than_it_holds(void **state)
{
	struct tree *tree = make_tree(MAX);

	(void)state;
	living = 2 * MAX;
	for (uint32_t pid = MAX + 1; pid <= 2 * MAX; pid++) {
		tree_insert(tree, pid, pid);
		tree_find(tree, 50, 50)->seen = true; /* busy, so it stays */
	}
	assert_int_equal(tree_count(tree), MAX);
	assert_int_equal(tree_evicted_alive(tree), MAX);
	tree_free(tree);
}

static void the_kernel_is_asked(void **state)
{
	uint64_t start_ns = 0;
	FILE *stat = fopen("/proc/self/stat", "re");
	unsigned long ticks;

	(void)state;
	assert_non_null(stat);
	assert_int_equal(fscanf(stat,
				"%*d (%*[^)]) %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
				"%*s %*s %*s %*s %*s %*s %lu",
				&ticks),
			 1);
	fclose(stat);
	start_ns = ticks * (NS_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK)) + 1234;
	assert_true(process_is_alive((uint32_t)getpid(), start_ns));
	assert_false(process_is_alive((uint32_t)getpid(), start_ns + NS_PER_SEC));
	assert_false(process_is_alive(4194304 + 1, start_ns)); /* above every pid */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(forty_thousand_dead),
		cmocka_unit_test(forty_thousand_whose_end_was_lost),
		cmocka_unit_test(forty_thousand_from_the_past),
		cmocka_unit_test(more_living_than_it_holds),
		cmocka_unit_test(the_kernel_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
