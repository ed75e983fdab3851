/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a spool whose events carry markers, for the tests of delivery: the judge
 * counts markers at the far end.  Event N has "/marker/N/" in its path; even ones go
 * to the must-keep lane, odd ones to bulk.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "frame/frame.h"
#include "seal/seal.h"
#include "seal/signer.h"
#include "spool/spool.h"

static const char usage[] =
	"usage: mkspool --spool DIR --events N [--first N] [--per-frame N] [--pause-ms N]\n"
	"               [--sensor TEXT] [--padding BYTES] [--limit BYTES] [--lane keep|bulk]\n"
	"               [--hostile]\n"
	"Goes on with a spool that is there. Prints the number of frames made.\n"
	"With --hostile each command line has every byte there is.\n";

struct options {
	const char *dir, *sensor;
	uint64_t events, first, per_frame, pause_ms, padding, limit;
	int lane; /* -1: both */
	bool hostile;
};

struct maker {
	const struct options *options;
	struct spool_writer *spool;
	struct sealer *sealers[LANES];
	struct seal_identity identity;
	struct arena arena;
	uint64_t frames;
	uint64_t seq[LANES];
};

static void die(const char *what, int err)
{
	fprintf(stderr, "mkspool: %s: %s\n", what, strerror(-err));
	exit(1);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (*end || end == text) {
		fputs(usage, stderr);
		exit(2);
	}
	return value;
}

static struct options parse(int argc, char **argv)
{
	static const struct option longs[] = {{"spool", required_argument, NULL, 's'},
					      {"events", required_argument, NULL, 'e'},
					      {"first", required_argument, NULL, 'f'},
					      {"per-frame", required_argument, NULL, 'p'},
					      {"pause-ms", required_argument, NULL, 'w'},
					      {"sensor", required_argument, NULL, 'i'},
					      {"padding", required_argument, NULL, 'd'},
					      {"limit", required_argument, NULL, 'l'},
					      {"lane", required_argument, NULL, 'k'},
					      {"hostile", no_argument, NULL, 'x'},
					      {0}};
	struct options options = {.first = 1, .per_frame = 50, .lane = -1};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			options.dir = optarg;
			break;
		case 'e':
			options.events = number(optarg);
			break;
		case 'f':
			options.first = number(optarg);
			break;
		case 'p':
			options.per_frame = number(optarg);
			break;
		case 'w':
			options.pause_ms = number(optarg);
			break;
		case 'i':
			options.sensor = optarg;
			break;
		case 'd':
			options.padding = number(optarg);
			break;
		case 'l':
			options.limit = number(optarg);
			break;
		case 'k':
			options.lane = strcmp(optarg, "keep") ? LANE_BULK : LANE_KEEP;
			break;
		case 'x':
			options.hostile = true;
			break;
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (!options.dir || !options.per_frame) {
		fputs(usage, stderr);
		exit(2);
	}
	return options;
}

/* Where the chain of a lane stands, and whose it is. */
static struct seal_state load(struct maker *maker, enum lane lane)
{
	struct seal_state state = {0};
	struct spool_reader *reader = NULL;
	const void *bytes;
	size_t size;

	if (spool_reader_open(maker->options->dir, lane, (struct spool_position){0}, &reader))
		return state;
	spool_reader_all(reader);
	while (spool_read(reader, &bytes, &size) == 1) {
		struct frame *frame;

		if (frame_read(bytes, size, &frame))
			continue;
		state.number = frame->header->number;
		memcpy(state.previous, frame->hash, sizeof(state.previous));
		memcpy(maker->identity.sensor_id, frame->header->sensor_id.data, 16);
		memcpy(maker->identity.boot_id, frame->header->boot_id.data, 16);
		memcpy(maker->identity.rings_id, frame->header->rings_id.data, 16);
		for (size_t i = 0; i < frame->header->n_sequences; i++)
			maker->seq[lane] = frame->header->sequences[i]->last;
		frame_free(frame);
	}
	spool_reader_free(reader);
	return state;
}

static void set_identity(struct maker *maker)
{
	const char *sensor = maker->options->sensor;

	if (getrandom(&maker->identity, sizeof(maker->identity), 0) < 0)
		die("getrandom", -errno);
	if (sensor) {
		memset(maker->identity.sensor_id, 0, 16);
		memcpy(maker->identity.sensor_id, sensor, strnlen(sensor, 16));
	}
}

static ProtobufCBinaryData bytes_of(struct arena *arena, const char *text, size_t padding)
{
	size_t length = strlen(text);
	uint8_t *data = arena_alloc(arena, length + padding);

	memcpy(data, text, length);
	for (size_t i = 0; i < padding; i++)
		data[length + i] = (uint8_t) "0123456789abcdef"[(i * 2654435761u) >> 8 & 15];
	return (ProtobufCBinaryData){.data = data, .len = length + padding};
}

static ProtobufCBinaryData every_byte(struct arena *arena)
{
	uint8_t *data = arena_alloc(arena, 256);

	for (int i = 0; i < 256; i++)
		data[i] = (uint8_t)i;
	return (ProtobufCBinaryData){.data = data, .len = 256};
}

static Hinomi__Process *make_process(struct arena *arena)
{
	static Hinomi__ProcessKey key = HINOMI__PROCESS_KEY__INIT,
				  parent = HINOMI__PROCESS_KEY__INIT;
	static Hinomi__Credentials credentials = HINOMI__CREDENTIALS__INIT;
	Hinomi__Process *process = arena_alloc(arena, sizeof(*process));

	hinomi__process__init(process);
	key.pid = 4711;
	key.start_ns = 1000000;
	parent.pid = 1;
	process->key = &key;
	process->parent = &parent;
	process->credentials = &credentials;
	process->comm = bytes_of(arena, "marker", 0);
	process->executable = bytes_of(arena, "/usr/bin/marker", 0);
	return process;
}

static void add(struct maker *maker, enum lane lane, uint64_t marker)
{
	const struct options *options = maker->options;
	Hinomi__Event body = HINOMI__EVENT__INIT;
	Hinomi__Exec exec = HINOMI__EXEC__INIT;
	Hinomi__FileOpen open = HINOMI__FILE_OPEN__INIT;
	Hinomi__File file = HINOMI__FILE__INIT;
	struct event event = {.body = &body, .lane = lane};
	char path[64];
	int err;

	arena_reset(&maker->arena);
	snprintf(path, sizeof(path), "/marker/%" PRIu64 "/", marker);
	file.path = bytes_of(&maker->arena, path, 0);
	file.inode = marker;
	event.process = make_process(&maker->arena);
	body.time_ns = clock_boot_ns();
	body.seq = ++maker->seq[lane];
	body.lane = (Hinomi__Lane)lane;
	if (lane == LANE_KEEP) {
		event.kind = KIND_exec;
		body.body_case = HINOMI__EVENT__BODY_EXEC;
		body.exec = &exec;
		exec.file = &file;
		exec.filename = bytes_of(&maker->arena, "", options->padding);
		if (options->hostile) {
			exec.args = arena_alloc(&maker->arena, sizeof(*exec.args));
			*exec.args = every_byte(&maker->arena);
			exec.n_args = 1;
		}
	} else {
		event.kind = KIND_file_create;
		body.body_case = HINOMI__EVENT__BODY_FILE_CREATE;
		body.file_create = &open;
		open.file = &file;
	}
	err = sealer_add(maker->sealers[lane], &event);
	if (err)
		die("sealer_add", err);
}

static void finish(struct maker *maker, enum lane lane)
{
	struct spool_eviction eviction;
	struct seal_state state;
	const uint8_t *bytes;
	size_t size;
	int err;

	if (!sealer_events(maker->sealers[lane]))
		return;
	err = sealer_finish(maker->sealers[lane], NULL, 0, false, &bytes, &size);
	if (err)
		die("sealer_finish", err);
	sealer_state(maker->sealers[lane], &state);
	err = spool_append(maker->spool, lane, state.number, bytes, size);
	if (err)
		die("spool_append", err);
	/* only what is durable may be evicted */
	if (++maker->frames % 32 == 0 && spool_sync(maker->spool))
		die("spool_sync", -EIO);
	while (spool_take_eviction(maker->spool, &eviction) == 1)
		;
}

static void make(struct maker *maker)
{
	const struct options *options = maker->options;

	for (uint64_t i = 0; i < options->events; i++) {
		uint64_t marker = options->first + i;
		enum lane lane = options->lane >= 0 ? (enum lane)options->lane
				 : marker & 1	    ? LANE_BULK
						    : LANE_KEEP;

		add(maker, lane, marker);
		if (sealer_events(maker->sealers[lane]) < options->per_frame)
			continue;
		finish(maker, lane);
		if (options->pause_ms) {
			struct timespec pause = {.tv_sec = (time_t)(options->pause_ms / 1000),
						 .tv_nsec = (long)(options->pause_ms % 1000) *
							    1000000};

			spool_sync(maker->spool);
			nanosleep(&pause, NULL);
		}
	}
}

/* Signed as a sensor's are; who has the same sensor id has the same identity. */
static void sign(struct maker *maker, enum lane lane, uint64_t first)
{
	uint8_t secret[SHA256_DIGEST_LENGTH];
	struct signer *signer;
	EVP_PKEY *identity;
	int err;

	SHA256(maker->identity.sensor_id, sizeof(maker->identity.sensor_id), secret);
	identity = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof(secret));
	err = identity ? signer_new(identity, &maker->identity, lane, first, &signer) : -EIO;
	if (err)
		die("signer_new", err);
	sealer_sign_with(maker->sealers[lane], signer);
	EVP_PKEY_free(identity);
}

int main(int argc, char **argv)
{
	struct options options = parse(argc, argv);
	struct maker maker = {.options = &options};
	struct seal_state state[LANES];
	struct spool_options spool = {.limit_bytes = options.limit, .reader_gid = -1};
	int err = spool_writer_open(options.dir, &spool, &maker.spool);

	if (err)
		die(options.dir, err);
	arena_init(&maker.arena, 16 << 20);
	set_identity(&maker);
	for (int lane = 0; lane < LANES; lane++)
		state[lane] = load(&maker, (enum lane)lane);
	for (int lane = 0; lane < LANES; lane++) {
		err = sealer_new((enum lane)lane, &maker.identity, &state[lane],
				 &maker.sealers[lane]);
		if (err)
			die("sealer_new", err);
		sign(&maker, (enum lane)lane, state[lane].number + 1);
	}
	make(&maker);
	for (int lane = 0; lane < LANES; lane++)
		finish(&maker, (enum lane)lane);
	err = spool_sync(maker.spool);
	if (err)
		die("spool_sync", err);
	printf("%" PRIu64 "\n", maker.frames);
	for (int lane = 0; lane < LANES; lane++)
		sealer_free(maker.sealers[lane]);
	spool_writer_free(maker.spool);
	arena_done(&maker.arena);
	return 0;
}
