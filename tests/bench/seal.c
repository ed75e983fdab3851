/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What seal costs: a million events of a busy build machine with a few services,
 * in frames of a thousand.  Prints ns and bytes per event.  Usage: seal [events [per-frame]]
 */
#include <hinomi/record.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "seal/seal.h"

#define PROCESSES 64
#define ARGS	  5
#define ANCESTORS 4

struct actor_state {
	Hinomi__Process process;
	Hinomi__ProcessKey key, parent, creator;
	char args[ARGS][24];
	ProtobufCBinaryData arg_refs[ARGS];
};

struct bodies {
	Hinomi__Event event;
	Hinomi__File file;
	Hinomi__Exec exec;
	Hinomi__Exit exit;
	Hinomi__FileOpen open;
	Hinomi__FileUnlink unlink;
	Hinomi__Socket connect;
	Hinomi__Address local, peer;
	char path[64];
};

static struct actor_state actors[PROCESSES];
static Hinomi__Credentials credentials = HINOMI__CREDENTIALS__INIT;
static Hinomi__Namespaces namespaces = HINOMI__NAMESPACES__INIT;
static ProtobufCBinaryData ancestors[ANCESTORS];
static struct bodies bodies;
static uint64_t seq;
static unsigned seed = 42;
static uint32_t last_pid = 10000;

static ProtobufCBinaryData ref(const char *text)
{
	return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)text};
}

static void make_shared(void)
{
	static const char *const names[ANCESTORS] = {"make", "bash", "sshd", "systemd"};

	credentials.uid = credentials.gid = credentials.euid = credentials.egid = 1000;
	credentials.suid = credentials.sgid = credentials.fsuid = credentials.fsgid = 1000;
	credentials.user = credentials.group = ref("builder");
	namespaces.mnt = 4026531841u;
	namespaces.pid = 4026531836u;
	namespaces.net = 4026531840u;
	namespaces.user = 4026531837u;
	namespaces.uts = 4026531838u;
	namespaces.ipc = 4026531839u;
	namespaces.cgroup = 4026531835u;
	for (int i = 0; i < ANCESTORS; i++)
		ancestors[i] = ref(names[i]);
}

static void make_actor(struct actor_state *actor)
{
	Hinomi__Process *process = &actor->process;

	hinomi__process__init(process);
	hinomi__process_key__init(&actor->key);
	hinomi__process_key__init(&actor->parent);
	actor->key.pid = ++last_pid;
	actor->key.start_ns = 3600000000000ull + seq * 50000;
	actor->key.exec_id = 1;
	actor->parent.pid = 4711;
	actor->parent.start_ns = 3500000000000ull;
	actor->parent.exec_id = 1;
	actor->creator = actor->parent;
	process->key = &actor->key;
	process->parent = &actor->parent;
	process->creator = &actor->creator;
	process->comm = ref("cc1");
	process->executable = ref("/usr/libexec/gcc/x86_64-linux-gnu/12/cc1");
	for (int i = 0; i < ARGS; i++) {
		snprintf(actor->args[i], sizeof(actor->args[i]),
			 i ? "src/file-%u.c" : "/usr/bin/cc", last_pid + (unsigned)i);
		actor->arg_refs[i] = ref(actor->args[i]);
	}
	process->n_args = ARGS;
	process->args = actor->arg_refs;
	process->credentials = &credentials;
	process->login_uid = 1000;
	process->login_user = ref("builder");
	process->session_id = 3;
	process->cgroup_id = 8123;
	process->cgroup_path = ref("/user.slice/user-1000.slice/session-3.scope");
	process->unit = ref("session-3.scope");
	process->namespaces = &namespaces;
	process->namespace_pid = actor->key.pid;
	process->n_ancestors = ANCESTORS;
	process->ancestors = ancestors;
}

static Hinomi__File *make_file(const char *format)
{
	Hinomi__File *file = &bodies.file;

	hinomi__file__init(file);
	snprintf(bodies.path, sizeof(bodies.path), format, (unsigned)rand_r(&seed) % 5000);
	file->path = ref(bodies.path);
	file->inode = 1000000 + (uint64_t)rand_r(&seed) % 500000;
	file->device_major = 8;
	file->device_minor = 1;
	file->generation = (uint32_t)rand_r(&seed);
	file->mode = 0100644;
	file->uid = file->gid = 1000;
	file->links = 1;
	file->size = (uint64_t)rand_r(&seed) % 100000;
	file->changed_ns = 1700000000000000000ull + seq;
	file->filesystem = 0xef53;
	return file;
}

static void make_exec(struct actor_state *actor, struct event *event)
{
	Hinomi__Exec *exec = &bodies.exec;

	make_actor(actor);
	hinomi__exec__init(exec);
	exec->file = make_file("/usr/libexec/gcc/x86_64-linux-gnu/12/cc1-%u");
	exec->filename = ref("/usr/bin/cc");
	exec->n_args = ARGS;
	exec->args = actor->arg_refs;
	exec->args_count = ARGS;
	exec->args_total_bytes = 80;
	exec->cwd = ref("/srv/project");
	exec->sha256 = (ProtobufCBinaryData){.len = 32, .data = (uint8_t *)bodies.path};
	exec->hash_state = HINOMI__HASH_STATE__HASH_STATE_KNOWN;
	event->kind = KIND_exec;
	event->body->exec = exec;
}

static void make_exit(struct event *event)
{
	hinomi__exit__init(&bodies.exit);
	bodies.exit.run_ns = 3000000 + (uint64_t)rand_r(&seed) % 100000000;
	event->kind = KIND_exit;
	event->body->exit = &bodies.exit;
}

static void make_open(struct event *event)
{
	hinomi__file_open__init(&bodies.open);
	bodies.open.file = make_file("/srv/project/build/obj/src/file-%u.o");
	bodies.open.flags = 01101;
	event->kind = KIND_file_open;
	event->body->file_open = &bodies.open;
}

static void make_connect(struct event *event)
{
	static uint8_t local[4] = {10, 0, 0, 5}, peer[4] = {10, 0, 3, 0};
	Hinomi__Socket *connect = &bodies.connect;

	hinomi__socket__init(connect);
	hinomi__address__init(&bodies.local);
	hinomi__address__init(&bodies.peer);
	peer[3] = (uint8_t)rand_r(&seed);
	bodies.local.family = bodies.peer.family = connect->family = 2;
	bodies.local.ip = (ProtobufCBinaryData){.len = 4, .data = local};
	bodies.local.port = 32768 + (uint32_t)rand_r(&seed) % 28000;
	bodies.peer.ip = (ProtobufCBinaryData){.len = 4, .data = peer};
	bodies.peer.port = 443;
	connect->type = 1;
	connect->protocol = 6;
	connect->local = &bodies.local;
	connect->peer = &bodies.peer;
	connect->cookie = 90000 + seq;
	connect->net_namespace = 4026531840u;
	event->kind = KIND_connect;
	event->body->connect = connect;
}

static void make_unlink(struct event *event)
{
	hinomi__file_unlink__init(&bodies.unlink);
	bodies.unlink.file = make_file("/tmp/cc-%u.s");
	event->kind = KIND_file_unlink;
	event->body->file_unlink = &bodies.unlink;
}

/* The mix: 20 % exec, 20 % exit, 35 % open, 17 % connect, 8 % others. */
static void make_event(struct event *event)
{
	unsigned dice = (unsigned)rand_r(&seed) % 100;
	struct actor_state *actor = &actors[(unsigned)rand_r(&seed) % PROCESSES];

	hinomi__event__init(&bodies.event);
	event->body = &bodies.event;
	event->process = &actor->process;
	event->lane = LANE_BULK; /* one chain, to measure one */
	seq++;
	if (dice < 20)
		make_exec(actor, event);
	else if (dice < 40)
		make_exit(event);
	else if (dice < 75)
		make_open(event);
	else if (dice < 92)
		make_connect(event);
	else
		make_unlink(event);
	event->body->body_case = (Hinomi__Event__BodyCase)event->kind;
	event->body->time_ns = 3600000000000ull + seq * 50000;
	event->body->seq = 1 + seq / 2;
	event->body->cpu = seq & 1;
	event->body->lane = HINOMI__LANE__LANE_BULK;
	event->body->tid = actor->key.pid;
	event->body->tier = 1;
}

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

struct totals {
	uint64_t make_ns, add_ns, finish_ns, raw_bytes, bytes, frames;
};

static void finish(struct sealer *sealer, struct totals *totals)
{
	uint64_t start = cpu_ns();
	const uint8_t *bytes;
	Hinomi__Frame *frame;
	Hinomi__FrameHeader *header;
	size_t size;

	if (sealer_finish(sealer, NULL, 0, false, &bytes, &size))
		abort();
	totals->finish_ns += cpu_ns() - start;
	totals->frames++;
	totals->bytes += size;
	frame = hinomi__frame__unpack(NULL, size, bytes);
	header = frame ? hinomi__frame_header__unpack(NULL, frame->header.len, frame->header.data)
		       : NULL;
	if (!header)
		abort();
	totals->raw_bytes += header->payload_size;
	hinomi__frame_header__free_unpacked(header, NULL);
	hinomi__frame__free_unpacked(frame, NULL);
}

/* One pass makes the events only: its time is taken off. */
static void run(struct sealer *sealer, unsigned long events, unsigned long per_frame,
		struct totals *totals)
{
	uint64_t start = cpu_ns(), pause = 0;

	for (unsigned long i = 1; i <= events; i++) {
		struct event event = {0};

		make_event(&event);
		if (!sealer)
			continue;
		if (sealer_add(sealer, &event))
			abort();
		if (i % per_frame == 0 || i == events) {
			uint64_t before = cpu_ns();

			finish(sealer, totals);
			pause += cpu_ns() - before;
		}
	}
	*(sealer ? &totals->add_ns : &totals->make_ns) = cpu_ns() - start - pause;
}

int main(int argc, char **argv)
{
	unsigned long events = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	unsigned long per_frame = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
	struct seal_identity identity = {0};
	struct seal_state state = {0};
	struct totals totals = {0};
	CLEANUP(sealer_free) struct sealer *sealer = NULL;
	double n = (double)events;

	if (!events || !per_frame || per_frame > SEAL_EVENTS_MAX ||
	    sealer_new(LANE_BULK, &identity, &state, &sealer))
		return 1;
	make_shared();
	for (int i = 0; i < PROCESSES; i++)
		make_actor(&actors[i]);
	run(NULL, events, per_frame, &totals);
	run(sealer, events, per_frame, &totals);
	printf("%lu events in %lu frames\n", events, (unsigned long)totals.frames);
	printf("add    %6.0f ns/event\n", (double)(totals.add_ns - totals.make_ns) / n);
	printf("finish %6.0f ns/event (compress, hash, header)\n", (double)totals.finish_ns / n);
	printf("raw    %6.1f bytes/event\n", (double)totals.raw_bytes / n);
	printf("frame  %6.1f bytes/event\n", (double)totals.bytes / n);
	return 0;
}
