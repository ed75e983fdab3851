// SPDX-License-Identifier: Apache-2.0
/* Loading, choosing tiers, attaching.  Called by the sensor's main and pipeline. */
#include "attach/attach.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "attach/calls.h"
#include "attach/internal.h"

const char *const map_names[MAPS] = {
	[MAP_RING_KEEP] = "ring_keep", [MAP_RING_BULK] = "ring_bulk", [MAP_LEDGER] = "ledger",
	[MAP_SEQUENCES] = "sequences", [MAP_CONTROL] = "control",
};

int attach_fail(struct attach_error *error, int status, int err, const char *what)
{
	error->status = status;
	snprintf(error->text, sizeof(error->text), "%s: %s", what, strerror(-err));
	return err;
}

static int scope_set(struct attach *attach, struct attach_error *error)
{
	CLEANUP(close_fd) int cgroup = -1;
	struct bpf_map *map;
	uint32_t zero = 0;

	if (!attach->options.cgroup)
		return 0;
	cgroup = open(attach->options.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	map = bpf_object__find_map_by_name(attach->object, "scope");
	if (cgroup >= 0 && !bpf_map_update_elem(bpf_map__fd(map), &zero, &cgroup, BPF_ANY)) {
		bpf_map_freeze(bpf_map__fd(map)); /* nobody else narrows it later */
		return 0;
	}
	error->status = 2;
	snprintf(error->text, sizeof(error->text),
		 "%s is not a cgroup v2 directory (%s); mount -t cgroup2 tells where they are",
		 attach->options.cgroup, strerror(errno));
	return -EINVAL;
}

static void *map_memory(int fd, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

int attach_map_memory(struct attach *attach)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	attach->ledger = map_memory(attach->map_fds[MAP_LEDGER],
				    attach->cpus * KINDS_MAX * sizeof(struct ledger_cell));
	attach->sequences = map_memory(attach->map_fds[MAP_SEQUENCES],
				       attach->cpus * sizeof(struct sequence_cell));
	attach->control = map_memory(attach->map_fds[MAP_CONTROL], sizeof(struct control));
	attach->wake_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!attach->ledger || !attach->sequences || !attach->control || attach->wake_fd < 0)
		return -errno;
	if (epoll_ctl(attach->wake_fd, EPOLL_CTL_ADD, attach->map_fds[MAP_RING_KEEP], &event) ||
	    epoll_ctl(attach->wake_fd, EPOLL_CTL_ADD, attach->map_fds[MAP_RING_BULK], &event))
		return -errno;
	return 0;
}

static int load_new(struct attach *attach, struct attach_error *error)
{
	int err = object_load(attach, error);

	if (err)
		return err;
	for (int i = 0; i < MAPS; i++)
		attach->map_fds[i] = bpf_object__find_map_fd_by_name(attach->object, map_names[i]);
	err = attach_map_memory(attach);
	if (err)
		return attach_fail(error, 1, err, "the rings and counters cannot be mapped");
	if (getrandom(attach->control->rings_id, 16, 0) != 16)
		return attach_fail(error, 1, -errno, "no random bytes");
	held_objects(attach);
	return scope_set(attach, error);
}

int attach_load(const struct attach_options *options, struct attach **ret,
		struct attach_error *error)
{
	CLEANUP(attach_free) struct attach *attach = calloc(1, sizeof(*attach));
	int err, cpus = libbpf_num_possible_cpus();

	if (!attach || cpus < 1)
		return attach_fail(error, 1, -ENOMEM, "start");
	attach->options = *options;
	attach->cpus = cpus;
	attach->tasks_link = attach->flows_link = attach->wake_fd = -1;
	attach->teller_fd = attach->keeper_fd = -1;
	object_listen();
	if (options->resume && store_take(attach) == 1) {
		attach->resumed = true;
	} else {
		err = probe_init(&attach->probe, error);
		err = err ?: load_new(attach, error);
		if (err && options->blind && error->status == 69)
			err = blind_load(attach, error);
		if (err)
			return err;
	}
	coverage_excuse(attach);
	err = coverage_sections(attach);
	if (err)
		return attach_fail(error, 1, err, "the embedded BPF object cannot be opened");
	attach->own[OWN_SENSOR].pid = getpid();
	*ret = TAKE(attach);
	return 0;
}

static void links_drop(struct attach *attach)
{
	while (attach->nlinks)
		close(attach->links[--attach->nlinks]);
}

void attach_free(struct attach *attach)
{
	if (!attach)
		return;
	flows_stop(attach);
	keeper_stop(attach);
	links_drop(attach);
	linked_close(attach);
	skipped_close(attach);
	if (attach->tasks_link >= 0)
		close(attach->tasks_link);
	if (attach->flows_link >= 0)
		close(attach->flows_link);
	if (attach->wake_fd >= 0)
		close(attach->wake_fd);
	if (attach->ledger)
		munmap(attach->ledger, attach->cpus * KINDS_MAX * sizeof(struct ledger_cell));
	if (attach->sequences)
		munmap(attach->sequences, attach->cpus * sizeof(struct sequence_cell));
	if (attach->control)
		munmap(attach->control, sizeof(struct control));
	if (attach->resumed)
		for (int i = 0; i < MAPS; i++)
			close(attach->map_fds[i]);
	bpf_object__close(attach->object);
	free(attach->logs);
	probe_done(&attach->probe);
	free(attach);
}

static bool link_present(const struct attach *attach, const char *name)
{
	for (unsigned i = 0; i < attach->nlinks; i++)
		if (!strcmp(attach->link_names[i], name))
			return true;
	return false;
}

/* Its descriptor, which can go to a successor; libbpf's object cannot. */
static int link_fd(struct bpf_link *link)
{
	int fd = fcntl(bpf_link__fd(link), F_DUPFD_CLOEXEC, 3);

	bpf_link__destroy(link);
	return fd;
}

/* map: whose entries, for a program that goes through those of a map */
static struct bpf_link *iterator_attach(const struct attach *attach, struct bpf_program *program,
					const char *map)
{
	union bpf_iter_link_info info = {};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts);

	if (strstr(bpf_program__section_name(program), "iter/" MAP_ELEMENTS)) {
		info.map.map_fd = bpf_object__find_map_fd_by_name(attach->object, map);
		opts.link_info = &info;
		opts.link_info_len = sizeof(info);
	}
	return bpf_program__attach_iter(program, &opts);
}

bool entry_has(const char *entry, const char *name)
{
	size_t size = strlen(name);

	for (; entry && *entry; entry += strcspn(entry, "|"), entry += *entry == '|')
		if (strcspn(entry, "|") == size && !memcmp(entry, name, size))
			return true;
	return false;
}

static int program_attach(struct attach *attach, const char *name, char *why, size_t why_size)
{
	struct bpf_program *program = bpf_object__find_program_by_name(attach->object, name);
	struct bpf_link *link;

	if (link_present(attach, name))
		return 0;
	if (attach->nlinks == LINKS_MAX)
		return -ENOSPC;
	if (entry_has(SUMMARIES_PROGRAMS, name))
		link = iterator_attach(attach, program, "summaries");
	else
		link = bpf_program__attach(program);
	if (!link) {
		int err = -errno;

		snprintf(why, why_size, "%s: attaching: %s", bpf_program__section_name(program),
			 strerror(-err));
		return err;
	}
	snprintf(attach->link_names[attach->nlinks], sizeof(attach->link_names[0]), "%s", name);
	attach->links[attach->nlinks] = link_fd(link);
	if (attach->links[attach->nlinks] < 0)
		return -errno;
	held_link(attach, attach->links[attach->nlinks++]);
	skipped_program(attach, name, bpf_program__fd(program));
	return 0;
}

static void class_attach(struct attach *attach, unsigned c)
{
	struct class_state *state = &attach->states[c];
	const struct tier *tier;
	char why[192];

	if (state->tier < 0)
		return;
	tier = &classes[c].tiers[state->tier];
	for (int i = 0; i < PROGRAMS_MAX && tier->programs[i]; i++) {
		const char *name = tier_program(attach, tier->programs[i], why, sizeof(why));

		if (!name || program_attach(attach, name, state->reason, sizeof(state->reason))) {
			state->tier = -1;
			state->hooks_wanted = (struct hook_set){};
			return;
		}
		hook_add(&state->hooks_wanted, hook_by_name(name));
		skipped_class(attach, name, classes[c].kind);
	}
	state->attached = true;
	for (int i = 0; i < EXTRAS_MAX && tier->extras[i]; i++) {
		const char *name = tier_program(attach, tier->extras[i], why, sizeof(why));

		if (!name || program_attach(attach, name, why, sizeof(why)))
			continue;
		hook_add(&state->hooks_extra, hook_by_name(name));
		skipped_class(attach, name, classes[c].kind);
	}
}

static int iterator_link(const struct attach *attach, const char *entry, const char *map)
{
	struct bpf_program *program = NULL;
	struct bpf_link *link;
	char why[192];
	const char *name = attach->object ? tier_program(attach, entry, why, sizeof(why)) : NULL;

	if (name)
		program = bpf_object__find_program_by_name(attach->object, name);
	if (!program || !bpf_program__autoload(program))
		return -1;
	link = iterator_attach(attach, program, map);
	return link ? link_fd(link) : -1;
}

void tiers_tell(const struct attach *attach)
{
	for (unsigned c = 0; c < nclasses; c++) {
		const struct class_state *state = &attach->states[c];

		attach->control->tiers[classes[c].kind] = state->attached ? state->tier + 1 : 0;
	}
}

int attach_start(struct attach *attach, struct attach_error *error)
{
	unsigned attached = 0;

	if (attach->blind)
		return 0;

	if (!attach->resumed) {
		attach->tasks_link = iterator_link(attach, "tasks", NULL);
		attach->flows_link = iterator_link(attach, FLOWS_PROGRAMS, "flows");
	}
	own_find(attach);
	if (!attach->options.observe_self)
		attach->control->own_tgid = attach->own[OWN_SENSOR].key.tgid;
	for (unsigned kind = 0; kind < KINDS_MAX; kind++)
		attach->control->off[kind] = kind_is_off(&attach->options, kind);
	for (unsigned c = 0; c < nclasses && !attach->resumed; c++)
		class_attach(attach, c);
	calls_fill(attach->control, rests_on_tap, attach);
	tiers_tell(attach);
	for (unsigned c = 0; c < nclasses; c++)
		attached += attach->states[c].attached;
	if (!attached) {
		error->status = 69;
		snprintf(error->text, sizeof(error->text),
			 "not one program could be attached; `hinomi doctor` says why for each "
			 "class");
		attach->blind = attach->options.blind;
		attach->why = *error;
		return attach->blind ? 0 : -EOPNOTSUPP;
	}
	if (!attach->resumed)
		sockets_tell(iterator_link(attach, "sockets", NULL));
	flows_start(attach); /* without it UDP flows show only their first message */
	return 0;
}

bool attach_rests_on(const struct attach *attach, unsigned kind, const char *program)
{
	for (unsigned c = 0; c < nclasses; c++) {
		const struct class_state *state = &attach->states[c];
		const struct tier *tier = &classes[c].tiers[state->tier < 0 ? 0 : state->tier];

		if (classes[c].kind != kind || !state->attached)
			continue;
		for (int i = 0; i < EXTRAS_MAX; i++)
			if (entry_has(tier->extras[i], program))
				return link_present(attach, program);
		for (int i = 0; i < PROGRAMS_MAX; i++)
			if (entry_has(tier->programs[i], program))
				return link_present(attach, program);
	}
	return false;
}

static bool program_used(const struct attach *attach, const char *name)
{
	bool used = false;

	for (unsigned kind = 0; kind < KINDS_MAX && !used; kind++)
		used = attach_rests_on(attach, kind, name);
	return used;
}

static void links_prune(struct attach *attach)
{
	for (unsigned i = attach->nlinks; i-- > 0;) {
		if (program_used(attach, attach->link_names[i]))
			continue;
		close(attach->links[i]);
		attach->nlinks--;
		memmove(&attach->links[i], &attach->links[i + 1],
			(attach->nlinks - i) * sizeof(attach->links[0]));
		memmove(&attach->link_names[i], &attach->link_names[i + 1],
			(attach->nlinks - i) * sizeof(attach->link_names[0]));
	}
}

void attach_forget(struct attach *attach)
{
	probe_done(&attach->probe);
	object_unread();
	malloc_trim(0); /* loading took much besides */
}

void helper_forget(struct attach *attach)
{
	bpf_object__close(attach->object);
	attach->object = NULL;
	attach_forget(attach);
}

/* A hook that is attached and does not fire is worth nothing: the next tier, if there is one. */
bool attach_fall_back(struct attach *attach)
{
	bool fell = false;

	for (unsigned c = 0; c < nclasses && attach->object; c++) {
		struct class_state *state = &attach->states[c];
		char why[sizeof(state->reason)];
		int next = state->tier + 1;

		if (state->verdict != VERDICT_MISSED || is_excused(state) || next >= TIERS_MAX ||
		    !tier_possible(attach, &classes[c].tiers[next], why, sizeof(why)))
			continue;
		coverage_reason(attach, c, state->reason, sizeof(state->reason));
		state->tier = next;
		state->hooks_wanted = state->hooks_extra = (struct hook_set){};
		state->attached = false;
		state->verdict = VERDICT_NONE;
		state->missed = 0;
		class_attach(attach, c);
		fell = true;
	}
	if (fell) {
		calls_fill(attach->control, rests_on_tap, attach);
		tiers_tell(attach);
		links_prune(attach);
	}
	return fell;
}

bool attach_detached(const struct attach *attach)
{
	bool kept = attach->options.resume && getenv("NOTIFY_SOCKET");

	return !attach->nlinks && !attach->resumed && !kept;
}

int attach_stop(struct attach *attach)
{
	linked_close(attach);
	links_drop(attach);
	return 0;
}

int attach_ring_fd(const struct attach *attach, enum lane lane)
{
	return attach->map_fds[lane == LANE_KEEP ? MAP_RING_KEEP : MAP_RING_BULK];
}

struct ledger_cell *attach_ledger(const struct attach *attach)
{
	return attach->ledger;
}

struct sequence_cell *attach_sequences(const struct attach *attach)
{
	return attach->sequences;
}

unsigned attach_cpus(const struct attach *attach)
{
	return attach->cpus;
}

const uint8_t *attach_rings_id(const struct attach *attach)
{
	return attach->control->rings_id;
}

bool attach_resumed(const struct attach *attach)
{
	return attach->resumed;
}

void attach_will_sleep(struct attach *attach)
{
	__atomic_store_n(&attach->control->sleeping, 1, __ATOMIC_SEQ_CST);
}

int attach_wake_fd(const struct attach *attach)
{
	return attach->wake_fd;
}

void attach_wake_clear(struct attach *attach)
{
	struct epoll_event events[MAPS];

	(void)!epoll_wait(attach->wake_fd, events, MAPS, 0);
}
