/* SPDX-License-Identifier: Apache-2.0 */
/* Folding: a little story, and what a person who follows is shown of it. */
#include "render_tools.h"

#define STORY_MAX 1024

struct story {
	struct fixture f;
	Hinomi__Process processes[STORY_MAX], *process_list[STORY_MAX];
	Hinomi__ProcessKey keys[STORY_MAX], parent;
	Hinomi__Event events[STORY_MAX], *list[STORY_MAX];
	Hinomi__File files[STORY_MAX];
	union {
		Hinomi__Fork fork;
		Hinomi__Exec exec;
		Hinomi__Exit exit;
		Hinomi__FileOpen open;
	} bodies[STORY_MAX];
	ProtobufCBinaryData args[STORY_MAX], ancestor;
	size_t count;
};

static ProtobufCBinaryData bytes(const char *text)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)text, .len = strlen(text)};
}

static void story_init(struct story *story)
{
	memset(story, 0, sizeof(*story));
	fixture_init(&story->f, NULL);
	story->f.payload.processes = story->process_list;
	story->ancestor = bytes("sh");
	hinomi__process_key__init(&story->parent);
	story->parent.pid = 1;
	story->parent.start_ns = 1;
}

/* One more event, `ms` after the start, of a process whose parent is pid 1. */
static Hinomi__Event *story_add(struct story *story, unsigned ms, uint32_t pid, const char *comm)
{
	size_t i = story->count++;
	Hinomi__Event *event = &story->events[i];
	Hinomi__Process *process = &story->processes[i];

	assert_true(i < STORY_MAX);
	hinomi__event__init(event);
	hinomi__process__init(process);
	hinomi__process_key__init(&story->keys[i]);
	hinomi__file__init(&story->files[i]);
	story->keys[i].pid = pid;
	story->keys[i].start_ns = pid;
	process->key = &story->keys[i];
	process->parent = &story->parent;
	process->comm = bytes(comm);
	process->ancestors = &story->ancestor;
	process->n_ancestors = 1;
	process->login_uid = UINT32_MAX;
	story->process_list[i] = process;
	story->f.payload.n_processes = i + 1;
	event->process = (uint32_t)i + 1;
	event->time_ns = 1000 * NS_PER_SEC + ms * NS_PER_MS;
	story->list[i] = event;
	return event;
}

static void story_fork(struct story *story, unsigned ms, uint32_t pid, uint32_t child)
{
	Hinomi__Event *event = story_add(story, ms, pid, "sh");
	size_t i = story->count - 1;

	hinomi__fork__init(&story->bodies[i].fork);
	event->body_case = HINOMI__EVENT__BODY_FORK;
	event->fork = &story->bodies[i].fork;
	event->fork->child = calloc(1, sizeof(*event->fork->child));
	hinomi__process_key__init(event->fork->child);
	event->fork->child->pid = child;
	event->fork->child->start_ns = child;
}

static void story_exec(struct story *story, unsigned ms, uint32_t pid, const char *arg)
{
	Hinomi__Event *event = story_add(story, ms, pid, "prog");
	size_t i = story->count - 1;

	hinomi__exec__init(&story->bodies[i].exec);
	event->body_case = HINOMI__EVENT__BODY_EXEC;
	event->exec = &story->bodies[i].exec;
	story->args[i] = bytes(arg);
	event->exec->args = &story->args[i];
	event->exec->n_args = event->exec->args_count = 1;
	story->files[i].path = bytes("/usr/bin/prog");
	event->exec->file = &story->files[i];
}

static void story_exit(struct story *story, unsigned ms, uint32_t pid, int code)
{
	Hinomi__Event *event = story_add(story, ms, pid, "prog");
	size_t i = story->count - 1;

	hinomi__exit__init(&story->bodies[i].exit);
	event->body_case = HINOMI__EVENT__BODY_EXIT;
	event->exit = &story->bodies[i].exit;
	event->exit->code = code;
}

static void story_create(struct story *story, unsigned ms, uint32_t pid, const char *path)
{
	Hinomi__Event *event = story_add(story, ms, pid, "touch");
	size_t i = story->count - 1;

	hinomi__file_open__init(&story->bodies[i].open);
	event->body_case = HINOMI__EVENT__BODY_FILE_CREATE;
	event->file_create = &story->bodies[i].open;
	story->files[i].path = bytes(path);
	event->file_create->file = &story->files[i];
}

static char *story_tell(struct story *story, bool fold)
{
	struct text_options options = {.fold = fold, .date = true};
	char *text = text_of(&story->f, &options, story->list, story->count);

	for (size_t i = 0; i < story->count; i++)
		if (story->events[i].body_case == HINOMI__EVENT__BODY_FORK)
			free(story->events[i].fork->child);
	fixture_done(&story->f);
	return text;
}

static size_t lines(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static struct story story;

static void test_fold_short_process(void **state)
{
	char *text;

	(void)state;
	story_init(&story);
	story_fork(&story, 0, 10, 11);
	story_exec(&story, 1, 11, "prog");
	story_exit(&story, 2, 11, 0);
	text = story_tell(&story, true);
	assert_int_equal(lines(text), 2);
	assert_non_null(strstr(text, "exec        prog[11]"));
	assert_non_null(strstr(text, "2 lines of routine not shown\n"));
	free(text);
}

static void test_fold_keeps_what_matters(void **state)
{
	char *text;

	(void)state;
	story_init(&story);
	story_fork(&story, 0, 10, 11); /* never execs: shown */
	story_create(&story, 1, 11, "/tmp/a");
	story_exec(&story, 2, 12, "prog");
	story_exit(&story, 3, 12, 3);
	text = story_tell(&story, true);
	assert_int_equal(lines(text), 4);
	assert_non_null(strstr(text, "→ 11"));
	assert_non_null(strstr(text, "code 3"));
	free(text);
}

static void test_fold_same_directory(void **state)
{
	char *text;

	(void)state;
	story_init(&story);
	for (unsigned i = 0; i < 215; i++)
		story_create(&story, i, 10, "/tmp/x/file");
	story_create(&story, 215, 10, "/tmp/y/file");
	text = story_tell(&story, true);
	assert_int_equal(lines(text), 3);
	assert_non_null(strstr(text, "… 214 more in /tmp/x"));
	free(text);

	story_init(&story);
	for (unsigned i = 0; i < 215; i++)
		story_create(&story, i, 10, "/tmp/x/file");
	text = story_tell(&story, false);
	assert_int_equal(lines(text), 215);
	free(text);
}

/* Many short processes that do the same: the first few are shown, the rest counted exactly. */
static void test_fold_many_processes(void **state)
{
	char *text;

	(void)state;
	story_init(&story);
	for (unsigned i = 0; i < 100; i++)
		story_create(&story, i, 100 + i, "/tmp/x/file");
	text = story_tell(&story, true);
	assert_int_equal(lines(text), 9);
	assert_non_null(strstr(text, "… 92 more by touch in /tmp/x"));
	free(text);
}

static void test_fold_ends_after_rest(void **state)
{
	char *text;

	(void)state;
	story_init(&story);
	story_create(&story, 0, 10, "/tmp/x/a");
	story_create(&story, 500, 10, "/tmp/x/b");
	story_create(&story, 5000, 10, "/tmp/x/c");
	text = story_tell(&story, true);
	assert_int_equal(lines(text), 3);
	assert_non_null(strstr(text, "… 1 more in /tmp/x"));
	assert_non_null(strstr(text, "/tmp/x/c"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold_short_process),
		cmocka_unit_test(test_fold_keeps_what_matters),
		cmocka_unit_test(test_fold_same_directory),
		cmocka_unit_test(test_fold_many_processes),
		cmocka_unit_test(test_fold_ends_after_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
