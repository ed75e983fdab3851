/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One event after the other: what it tells of its process goes into the tree,
 * what the tree knows goes into the event.  While nothing about a process
 * changes, all its events of a batch share one description.
 */
#include "enrich/enrich.h"

#include <errno.h>
#include <hinomi/record.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "enrich/alive.h"
#include "enrich/cgroup.h"
#include "enrich/cmdline.h"
#include "enrich/code.h"
#include "enrich/credentials.h"
#include "enrich/describe.h"
#include "enrich/hasher.h"
#include "enrich/image.h"
#include "enrich/names.h"
#include "enrich/origin.h"
#include "enrich/provenance.h"
#include "enrich/session.h"
#include "enrich/tree.h"
#include "enrich/watched.h"

#define UNSET_ID UINT32_MAX /* login uid that was never set */

struct enrich {
	struct sessions *sessions; /* outlives who refers to them */
	struct tree *tree;
	struct origins *origins;
	struct cgroups *cgroups;
	struct names *users, *groups;
	struct hasher *hasher;	   /* NULL: no hashing */
	struct cmdlines *cmdlines; /* while processes are found; NULL else */
	uint64_t states;	   /* numbers given to states of processes */
	char *const *watch;
	size_t nwatch;
	bool watch_grows;
};

int enrich_new(const struct enrich_options *options, struct enrich **ret)
{
	CLEANUP(enrich_free) struct enrich *enrich = calloc(1, sizeof(*enrich));
	const char *root = options->root ? options->root : "/";
	int r;

	if (!enrich)
		return -ENOMEM;
	r = sessions_new(&enrich->sessions);
	if (!r)
		r = tree_new(options->processes_max, &enrich->tree);
	if (!r)
		r = origins_new(ORIGINS_MAX, &enrich->origins);
	if (!r)
		tree_ask(enrich->tree, process_is_alive);
	enrich->watch = options->watch;
	enrich->nwatch = options->nwatch;
	if (!r)
		r = cgroups_new(options->cgroup_root, &enrich->cgroups);
	if (!r)
		r = names_new(root, "etc/passwd", &enrich->users);
	if (!r)
		r = names_new(root, "etc/group", &enrich->groups);
	if (!r && options->hash_file_max_bytes)
		r = hasher_new(options->hash_file_max_bytes, &enrich->hasher);
	if (r)
		return r;
	*ret = TAKE(enrich);
	return 0;
}

void enrich_free(struct enrich *enrich)
{
	if (!enrich)
		return;
	cmdlines_free(enrich->cmdlines);
	hasher_free(enrich->hasher);
	names_free(enrich->groups);
	names_free(enrich->users);
	cgroups_free(enrich->cgroups);
	origins_free(enrich->origins);
	tree_free(enrich->tree);
	sessions_free(enrich->sessions);
	free(enrich);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / NS_PER_MS;
}

static uint64_t all_names_epoch(const struct enrich *enrich)
{
	return names_epoch(enrich->users) + names_epoch(enrich->groups);
}

static struct process *process_get(struct tree *tree, uint32_t pid, uint64_t start_ns)
{
	struct process *process = tree_find(tree, pid, start_ns);

	if (!process)
		process = tree_insert(tree, pid, start_ns);
	process->seen = true;
	return process;
}

/* The ends of connections and flows, and what was counted, are told long after, when their process
 * may have ended. */
static bool is_of_past(unsigned kind)
{
	return kind == KIND_tcp_close || kind == KIND_udp_flow || kind == KIND_summary;
}

static struct process *process_of(struct tree *tree, const struct event *event)
{
	const Hinomi__ProcessKey *key = event->process->key;
	struct process *process = tree_find(tree, key->pid, key->start_ns);

	if (process && !is_of_past(event->kind))
		tree_trust(tree, process);
	if (process || !is_of_past(event->kind))
		return process_get(tree, key->pid, key->start_ns);
	process = tree_insert(tree, key->pid, key->start_ns);
	tree_doubt(tree, process);
	return process;
}

/* Threads have names of their own; that of the process is its leader's. */
static bool names_process(const struct event *event, const struct process *process)
{
	return !process->name_stamp || event->kind == KIND_exec || event->body->tid == process->pid;
}

static void facts_learn(struct enrich *enrich, struct process *process, const struct facts *facts)
{
	uint32_t session = process->session ? process->session->id : SESSION_UNSET;

	tree_set_facts(enrich->tree, process, facts);
	if (facts->session_id != session)
		tree_set_session(process, sessions_get(enrich->sessions, facts->session_id));
}

static void process_learn(struct enrich *enrich, struct process *process, const struct event *event,
			  const struct facts *facts)
{
	if (!process->told || memcmp(&process->facts, facts, sizeof(*facts)) != 0) {
		facts_learn(enrich, process, facts);
		process->changed = true;
	}
	if (names_process(event, process))
		tree_set_name(enrich->tree, process, facts->comm);
}

static uint64_t session_version(const struct process *process)
{
	return process->session ? process->session->version : 0;
}

/* The name tables are looked at, and the state gets a new number if anything in it is new. */
static int process_describe(struct enrich *enrich, struct process *process, struct arena *arena,
			    Hinomi__Process *to)
{
	struct process *ancestors[TREE_ANCESTORS_MAX];
	uint64_t now = now_ms(), lineage = tree_lineage(enrich->tree, process);
	struct description d = {.process = process, .ancestors = ancestors};
	int r;

	names_refresh(enrich->users, now);
	names_refresh(enrich->groups, now);
	d.nancestors = tree_ancestors(enrich->tree, process, ancestors);
	d.image = tree_image(process, process->facts.exec_id);
	d.cgroup = cgroups_find(enrich->cgroups, process->facts.cgroup_id, now);
	if (to->credentials) {
		d.user = names_find(enrich->users, to->credentials->euid);
		d.group = names_find(enrich->groups, to->credentials->egid);
	}
	if (to->login_uid != UNSET_ID)
		d.login_user = names_find(enrich->users, to->login_uid);
	r = describe(&d, arena, to);
	if (r < 0)
		return r;
	if (process->changed || process->state_lineage != lineage ||
	    process->session_version != session_version(process) ||
	    process->names_epoch != all_names_epoch(enrich))
		process->state = ++enrich->states;
	process->changed = !d.cgroup; /* it may be known next time */
	process->state_lineage = lineage;
	process->names_epoch = all_names_epoch(enrich);
	process->session_version = session_version(process);
	process->shown = to;
	process->shown_epoch = arena->epoch;
	return 0;
}

static int event_describe(struct enrich *enrich, struct process *process, struct event *event,
			  struct arena *arena)
{
	int r = 0;

	if (process->changed || process->shown_epoch != arena->epoch ||
	    process->session_version != session_version(process) ||
	    process->state_lineage != tree_lineage(enrich->tree, process))
		r = process_describe(enrich, process, arena, event->process);
	if (r < 0)
		return r;
	event->process = process->shown;
	event->process_state = process->state;
	return 0;
}

/* The process runs something else from here on, whether that can be remembered or not. */
static int exec_learn(struct process *process, uint64_t exec_id, const Hinomi__Exec *exec)
{
	struct image *image = image_new(exec);

	tree_set_image(process, exec_id, image);
	return image ? 0 : -ENOMEM;
}

static struct session_leader leader_of(const struct process *process, const Hinomi__Endpoint *peer)
{
	return (struct session_leader){
		.pid = process->pid,
		.start_ns = process->start_ns,
		.exec_id = process->facts.exec_id,
		.euid = process->facts.ids[FACTS_EUID],
		.image = tree_image(process, process->facts.exec_id),
		.peer = peer,
	};
}

/* Before the process is learnt anew: what it was until now. */
static void login_old(const struct process *process, const struct event *event)
{
	Hinomi__Login *login = event->body->login;

	login->old_known = process->told;
	login->old_uid = process->told ? process->facts.login_uid : 0;
	login->old_session_id = process->told ? process->facts.session_id : 0;
}

/* What it became is of the first user namespace, what was asked for need not be. */
static void login_learn(const struct process *process, const struct event *event)
{
	struct session_leader leader = leader_of(process, event->body->login->peer);

	if (!event->body->result)
		event->body->login->uid = process->facts.login_uid;
	if (!event->body->result && process->session)
		session_begin(process->session, event->body->time_ns, &leader);
}

/* How old the file was that is executed. */
static void exec_age(const struct event *event)
{
	Hinomi__Exec *exec = event->body->exec;
	uint64_t since_boot = clock_boot_ns() - event->body->time_ns;
	uint64_t real = clock_real_ns() - since_boot;

	if (exec->file && exec->file->changed_ns && real > exec->file->changed_ns)
		exec->age_ns = real - exec->file->changed_ns;
}

/* A child is as its creator was, until it says otherwise.  Stale afterwards: pointers to other
 * processes. */
static void fork_learn(struct enrich *enrich, const struct event *event,
		       const struct process *creator)
{
	const Hinomi__Fork *fork = event->body->fork;
	struct image *image = image_ref(tree_image(creator, fork->child->exec_id));
	struct facts facts = creator->facts;
	struct process_id id = {.pid = creator->pid,
				.start_ns = creator->start_ns,
				.exec_id = event->process->key->exec_id};
	struct process *child = process_get(enrich->tree, fork->child->pid, fork->child->start_ns);

	child->creator = id;
	child->preexisting = false;
	child->changed = true;
	if (tree_image(child, fork->child->exec_id))
		image_unref(image); /* told by the task iterator */
	else
		tree_set_image(child, fork->child->exec_id, image);
	if (child->told)
		return;
	facts.exec_id = fork->child->exec_id;
	if (fork->child_parent) {
		facts.parent_pid = fork->child_parent->pid;
		facts.parent_start_ns = fork->child_parent->start_ns;
		facts.parent_exec_id = fork->child_parent->exec_id;
	}
	if (fork->child_namespaces)
		facts_set_namespaces(&facts, fork->child_namespaces);
	facts.cgroup_id = fork->child_cgroup_id;
	facts.namespace_pid = fork->child_namespace_pid;
	facts_learn(enrich, child, &facts);
	tree_set_name(enrich->tree, child, facts.comm);
}

/* The kernel's iterator tells the executable; the arguments are what the process shows of them. */
static int image_found(struct enrich *enrich, struct process *process,
		       const Hinomi__ProcessKey *key, const Hinomi__Exec *from)
{
	struct cmdline cmdline = {.n = 0};
	Hinomi__Exec exec = *from;

	if (!exec.n_args && (enrich->cmdlines || !cmdlines_new(&enrich->cmdlines))) {
		cmdlines_read(enrich->cmdlines, key->pid, key->start_ns, &cmdline);
		exec.args = cmdline.args;
		exec.n_args = cmdline.n;
	}
	return exec_learn(process, key->exec_id, &exec);
}

int enrich_seed(struct enrich *enrich, const struct event *task)
{
	const Hinomi__Process *from = task->process;
	struct session_leader leader;
	struct process *process;
	struct facts facts;
	int r = 0;

	if (!from || !from->key || !from->key->pid)
		return -EINVAL;
	facts_of(from, &facts);
	process = process_get(enrich->tree, from->key->pid, from->key->start_ns);
	process->preexisting = !process->creator.pid;
	process->changed = true;
	if (!process->told)
		process_learn(enrich, process, task, &facts);
	if (task->body->body_case == HINOMI__EVENT__BODY_EXEC &&
	    !tree_image(process, from->key->exec_id))
		r = image_found(enrich, process, from->key, task->body->exec);
	leader = leader_of(process, from->session ? from->session->peer : NULL);
	if (process->session)
		session_found(process->session, &leader);
	return r;
}

void enrich_seeded(struct enrich *enrich)
{
	cmdlines_free(enrich->cmdlines);
	enrich->cmdlines = NULL;
}

int enrich_event(struct enrich *enrich, struct event *event, struct arena *arena)
{
	struct process *process;
	struct facts facts;
	int r = 0;

	if (event->kind == KIND_cgroup_make)
		cgroups_learn(enrich->cgroups, event->body->cgroup_make->id,
			      (const char *)event->body->cgroup_make->path.data,
			      event->body->cgroup_make->path.len);
	if (!event->process || !event->process->key)
		return 0;
	process = process_of(enrich->tree, event);
	if (event->kind == KIND_exit && process->dead)
		return -EALREADY;
	facts_of(event->process, &facts);
	watched_fill(enrich->watch, enrich->nwatch, event);
	enrich->watch_grows |= watched_grows(enrich->watch, enrich->nwatch, event);
	r = credentials_before(process, &facts, event, arena);
	if (event->kind == KIND_login)
		login_old(process, event);
	process_learn(enrich, process, event, &facts);
	if (event->kind == KIND_login)
		login_learn(process, event);
	if (event->kind == KIND_exec) {
		exec_age(event);
		r = exec_learn(process, facts.exec_id, event->body->exec);
	}
	if (!r)
		r = code_hash(enrich->hasher, event, arena);
	if (!r)
		r = provenance_tell(enrich->origins, enrich->tree, event, arena);
	provenance_learn(enrich->origins, process, event);
	if (!r)
		r = event_describe(enrich, process, event, arena);
	if (event->kind == KIND_fork && event->body->fork->child)
		fork_learn(enrich, event, process);
	if (event->kind == KIND_exit)
		tree_exit(enrich->tree, process);
	return r;
}

int enrich_take_hash(struct enrich *enrich, struct arena *arena, struct event *ret)
{
	Hinomi__FileHash *hash = NULL;
	Hinomi__Event *body;
	int r;

	if (!enrich->hasher)
		return 0;
	body = arena_alloc(arena, sizeof(*body));
	if (!body)
		return -ENOMEM;
	r = hasher_take(enrich->hasher, arena, &hash);
	if (r <= 0)
		return r;
	hinomi__event__init(body);
	body->time_ns = clock_boot_ns();
	body->cpu = CPU_SENSOR;
	body->lane = HINOMI__LANE__LANE_KEEP;
	body->body_case = HINOMI__EVENT__BODY_FILE_HASH;
	body->file_hash = hash;
	*ret = (struct event){.body = body, .kind = KIND_file_hash, .lane = LANE_KEEP};
	return 1;
}

int enrich_hash_fd(const struct enrich *enrich)
{
	return enrich->hasher ? hasher_fd(enrich->hasher) : -1;
}

void enrich_stats(const struct enrich *enrich, struct enrich_stats *ret)
{
	struct hasher_stats hashes = {0};

	if (enrich->hasher)
		hashes = hasher_stats(enrich->hasher);
	*ret = (struct enrich_stats){
		.processes = tree_count(enrich->tree),
		.processes_evicted = tree_evicted_alive(enrich->tree),
		.origins = origins_stats(enrich->origins).files,
		.origins_evicted = origins_stats(enrich->origins).evicted,
		.hashes = hashes.hashes,
		.hash_cache_hits = hashes.cache_hits,
		.hash_failures = hashes.failures,
	};
}

bool enrich_watch_grows(struct enrich *enrich)
{
	bool grows = enrich->watch_grows;

	enrich->watch_grows = false;
	return grows;
}
