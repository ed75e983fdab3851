/* SPDX-License-Identifier: Apache-2.0 */
#include "mix.h"

#include <dirent.h>
#include <fcntl.h>
#include <hinomi/record_file.h>
#include <hinomi/record_network.h>
#include <hinomi/record_process.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/clock.h"

#define LIVE_MAX      100000
#define PROGRAMS      60
#define ENVIRONMENT   24 /* variables, of which a session's own are told */
#define SESSION_FIRST 40

struct program {
	struct stat st;
	char path[128];
};

struct live {
	struct actor actor;
	unsigned program;
	bool over; /* it ended, and its place waits for another one */
};

static struct live *lives;
static unsigned nlive, nlong; /* those that last: shells, services; the parents of all */
static unsigned nprograms, newest, over[LIVE_MAX], nover;
static struct program programs[PROGRAMS];
static uint64_t seqs[MIX_CPUS][LANES], now_ns, random_state = 88172645463325252ULL;
static uint32_t next_pid = 20000;
static struct {
	_Alignas(8) char bytes[RECORD_BYTES_MAX];
	size_t used;
} out;

static uint32_t roll(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 11) % below);
}

/* Every program that is a file of its own, in the order of their names. */
static void find_programs(void)
{
	struct dirent **list;
	int n = scandir("/usr/bin", &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		struct program *program = &programs[nprograms];

		snprintf(program->path, sizeof(program->path), "/usr/bin/%.100s", list[i]->d_name);
		if (nprograms < PROGRAMS && !lstat(program->path, &program->st) &&
		    S_ISREG(program->st.st_mode) && program->st.st_size < 1 << 20)
			nprograms++;
		free(list[i]);
	}
	if (!nprograms)
		abort();
	free(list);
}

static void *begin(size_t size, enum kind kind, enum lane lane, const struct actor *actor)
{
	struct record *record = (struct record *)out.bytes;
	uint32_t cpu = roll(MIX_CPUS);

	memset(out.bytes, 0, size);
	out.used = size;
	now_ns += 1000 + roll(8000);
	record->kind = (uint16_t)kind;
	record->lane = (uint8_t)lane;
	record->tier = 1;
	record->cpu = cpu;
	record->seq = ++seqs[cpu][lane];
	record->time_ns = now_ns;
	record->actor = *actor;
	return record;
}

static struct bytes_ref put(const void *data, size_t size)
{
	struct bytes_ref ref = {(uint32_t)out.used, (uint32_t)size, (uint32_t)size};

	memcpy(out.bytes + out.used, data, size);
	out.used += size;
	return ref;
}

static struct bytes_ref put_text(const char *text)
{
	return put(text, strlen(text));
}

static const struct record *end(void)
{
	struct record *record = (struct record *)out.bytes;

	record->size = (uint32_t)out.used;
	return record;
}

static void actor_new(struct live *live)
{
	struct actor *actor = &live->actor;
	const struct actor *parent = &lives[roll(nlong)].actor;
	bool session = roll(2);
	uint32_t uid = session ? 1000 : 0;

	live->over = false;
	live->program = roll(nprograms);
	*actor = (struct actor){.login_uid = session ? 1000 : UINT32_MAX,
				.session_id = session ? SESSION_FIRST + roll(4) : UINT32_MAX,
				.cgroup_id = 1 + roll(12)};
	actor->key = (struct process_key){.start_ns = now_ns - roll(1000000), .exec_id = 2};
	actor->key.tgid = actor->tid = actor->ns_tgid = next_pid++;
	actor->parent = parent->key.tgid ? parent->key : (struct process_key){.tgid = 1};
	actor->cred = (struct cred_ids){uid, uid, uid, uid, uid, uid, uid, uid};
	if (!session)
		actor->cred.cap_effective = actor->cred.cap_permitted = 0x1ffffffffffULL;
	for (unsigned i = 0; i < sizeof(actor->ns) / 4; i++)
		((uint32_t *)&actor->ns)[i] = 4026531835u + i;
	snprintf(actor->comm, sizeof(actor->comm), "%s",
		 programs[live->program].path + sizeof("/usr/bin"));
}

void mix_init(unsigned live)
{
	find_programs();
	nlive = live < LIVE_MAX ? live : LIVE_MAX;
	nlong = nlive / 8 + 1;
	newest = nlong;
	lives = calloc(nlive, sizeof(*lives));
	if (!lives || nlive < 2)
		abort();
	now_ns = clock_boot_ns();
	for (unsigned i = 0; i < nlive; i++)
		actor_new(&lives[i]);
}

static struct bytes_ref put_args(const struct program *program)
{
	static const char *const options[] = {"-O2",	   "-g",   "-Wall",   "--verbose",
					      "-Iinclude", "-c",   "-o",      "--color=auto",
					      "-n",	   "-MMD", "--quiet", "-std=gnu11"};
	char text[512];
	size_t at = (size_t)snprintf(text, sizeof(text), "%s", strrchr(program->path, '/') + 1) + 1;

	for (unsigned i = 0; i < 3; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s", options[roll(12)]) + 1;
	at += (size_t)snprintf(text + at, sizeof(text) - at, "src/part%u/file-%u.c", roll(20),
			       roll(5000)) +
	      1;
	return put(text, at);
}

static struct bytes_ref put_environment(bool session)
{
	char text[4096];
	size_t at = 0;

	for (unsigned i = 0; i < ENVIRONMENT; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       "VARIABLE_%u=some value of usual length in /usr/lib/%u", i,
				       i * 7) +
		      1;
	if (session) {
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       "SSH_CONNECTION=203.0.113.9 50022 10.0.0.5 22") +
		      1;
		at += (size_t)snprintf(text + at, sizeof(text) - at, "SSH_TTY=/dev/pts/3") + 1;
	}
	return put(text, at);
}

static void program_file(struct file_ref *to, const struct program *program)
{
	const struct stat *st = &program->st;

	to->inode = st->st_ino;
	to->device = major(st->st_dev) << 20 | minor(st->st_dev);
	to->mode = st->st_mode;
	to->links = (uint32_t)st->st_nlink;
	to->size = (uint64_t)st->st_size;
	to->changed_ns = (uint64_t)st->st_ctim.tv_sec * NS_PER_SEC + (uint64_t)st->st_ctim.tv_nsec;
	to->magic = 0xef53;
	to->path = put_text(program->path);
}

static const struct record *make_exec(struct live *live)
{
	static const char *const cwds[] = {"/srv/project", "/srv/project/build", "/root", "/",
					   "/srv/work"};
	const struct program *program;
	struct exec_record *rec;

	actor_new(live);
	program = &programs[live->program];
	rec = begin(sizeof(*rec), KIND_exec, LANE_KEEP, &live->actor);
	program_file(&rec->file, program);
	rec->filename = put_text(program->path);
	rec->args = put_args(program);
	rec->argc = 5;
	rec->cwd = put_text(cwds[roll(5)]);
	rec->environment = put_environment(live->actor.session_id != UINT32_MAX);
	rec->directory_mode = 040755;
	rec->modified_ns = rec->file.changed_ns - 86400 * NS_PER_SEC;
	rec->stdio[0] = (struct stdio_ref){.inode = 5, .device = 1 << 20 | 3, .mode = 020666};
	for (unsigned i = 1; i < 3; i++)
		rec->stdio[i] = (struct stdio_ref){
			.inode = 700000 + rec->record.actor.key.tgid, .device = 14, .mode = 010600};
	return end();
}

static const struct record *make_exit(struct live *live)
{
	struct exit_record *rec = begin(sizeof(*rec), KIND_exit, LANE_BULK, &live->actor);

	live->over = true;
	over[nover++] = (unsigned)(live - lives);
	rec->run_ns = 1000000 + roll(90000000);
	rec->exit_code = roll(10) ? 0 : 256;
	return end();
}

static const struct record *make_open(const struct live *live)
{
	struct open_record *rec;
	char path[128];
	unsigned what = roll(10), n = roll(4000);
	bool known = what < 4; /* a log, a state file: again and again */

	if (known)
		snprintf(path, sizeof(path), "/var/lib/service-%u/state.json", n %= 12);
	else if (what < 8)
		snprintf(path, sizeof(path), "/srv/project/build/obj/src/part%u/file-%u.o", n % 20,
			 n);
	else
		snprintf(path, sizeof(path), "/tmp/cc%06x.s", roll(1 << 24));
	rec = begin(sizeof(*rec), known ? KIND_file_open : KIND_file_create, LANE_BULK,
		    &live->actor);
	rec->file = (struct file_ref){
		.inode = 1000000 + n + 4096 * what,
		.size = known ? 4096 + n : 0,
		.changed_ns = 1790000000 * NS_PER_SEC + now_ns,
		.device = 8 << 20 | 1,
		.generation = known ? 77 + n : roll(UINT32_MAX),
		.mode = 0100644,
		.uid = live->actor.cred.fsuid,
		.gid = live->actor.cred.fsgid,
		.links = 1,
		.magic = 0xef53,
	};
	rec->file.path = put_text(path);
	rec->flags = known ? O_WRONLY | O_CLOEXEC : O_WRONLY | O_CREAT | O_TRUNC;
	return end();
}

static void socket_fill(struct socket_record *rec, uint16_t type, uint16_t peer_port)
{
	rec->family = AF_INET;
	rec->type = type;
	rec->protocol = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	rec->local =
		(struct address){AF_INET, (uint16_t)(32768 + roll(28000)), 4, 0, 0, {10, 0, 0, 5}};
	rec->peer = (struct address){AF_INET, peer_port, 4, 0, 0, {10, 0, 3, (uint8_t)roll(30)}};
	rec->cookie = now_ns / 100000;
	rec->net_ns = 4026531840u;
}

static const struct record *make_connect(const struct live *live)
{
	static const char journal[] = "/run/systemd/journal/socket";
	static const uint16_t ports[] = {443, 443, 443, 5432, 6379, 80};
	struct socket_record *rec = begin(sizeof(*rec), KIND_connect, LANE_BULK, &live->actor);

	socket_fill(rec, SOCK_STREAM, ports[roll(6)]);
	if (!roll(6)) {
		rec->family = AF_UNIX;
		rec->type = SOCK_DGRAM;
		rec->protocol = 0;
		rec->local = (struct address){.family = AF_UNIX};
		rec->peer = (struct address){.family = AF_UNIX, .len = sizeof(journal) - 1};
		memcpy(rec->peer.data, journal, sizeof(journal) - 1);
		rec->peer_tgid = 1;
	}
	return end();
}

static size_t put_name(uint8_t *to, const char *const labels[3])
{
	size_t at = 0;

	for (unsigned i = 0; i < 3; i++) {
		to[at] = (uint8_t)strlen(labels[i]);
		memcpy(to + at + 1, labels[i], to[at]);
		at += 1u + to[at];
	}
	to[at] = 0;
	return at + 1;
}

static const struct record *make_dns(const struct live *live)
{
	static const uint8_t answer[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 3};
	static bool answered = true;
	static uint8_t message[512];
	static size_t size;
	struct dns_record *rec = begin(sizeof(*rec), KIND_dns, LANE_BULK, &live->actor);
	char host[16];

	answered = !answered;
	if (!answered) { /* a new question */
		memset(message, 0, 12);
		message[0] = (uint8_t)roll(256);
		message[1] = (uint8_t)roll(256);
		message[2] = 1; /* recursion desired */
		message[5] = 1;
		snprintf(host, sizeof(host), "host-%u", roll(100));
		size = 12 + put_name(message + 12, (const char *const[]){host, "example", "com"});
		memcpy(message + size, (const uint8_t[]){0, 1, 0, 1}, 4);
		size += 4;
	} else {
		message[2] |= 0x80;
		message[7] = 1;
		memcpy(message + size, answer, sizeof(answer));
		size += sizeof(answer);
		message[size++] = (uint8_t)roll(30);
	}
	socket_fill(&rec->socket, SOCK_DGRAM, 53);
	rec->flags = answered ? 0 : DNS_SENT;
	rec->message = put(message, size);
	return end();
}

/* Not one of those that last. */
static unsigned any_short(void)
{
	return nlong + roll(nlive - nlong);
}

static unsigned any_live(unsigned from)
{
	while (lives[from].over)
		from = from + 1 < nlive ? from + 1 : nlong;
	return from;
}

/* A process does several things in a row, more often than not; half of those that end are young. */
const struct record *mix_next(void)
{
	static unsigned current;
	unsigned dice = roll(100);

	if (dice < 20 || nover > nlive / 2) {
		newest = current = nover ? over[--nover] : any_short();
		return make_exec(&lives[current]);
	}
	if (dice < 40)
		return make_exit(&lives[any_live(roll(2) ? newest : any_short())]);
	current = any_live(roll(3) ? current : roll(nlive));
	if (dice < 75)
		return make_open(&lives[current]);
	if (dice < 92)
		return make_connect(&lives[current]);
	return make_dns(&lives[current]);
}
