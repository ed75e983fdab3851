/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "collect/query.h"
#include "frame/frame.h"
#include "frame/public_key.h"
#include "spool/spool.h"

#define SEGMENT_BYTES (4u << 20) /* a look-up reads one */
#define IDENTITY      "identity.pub"
#define RECEIPTS      1024 /* in a file of a lane */

struct store {
	char *path;
	int dir;
	struct sensor *sensors; /* STORE_SENSORS_MAX */
	size_t nsensors, nopen;
	uint64_t uses;
};

static struct sensor *find_sensor(struct store *store, const uint8_t id[ID_BYTES])
{
	for (size_t i = 0; i < store->nsensors; i++)
		if (!memcmp(store->sensors[i].id, id, ID_BYTES))
			return &store->sensors[i];
	return NULL;
}

static struct sensor *add_sensor(struct store *store, const uint8_t id[ID_BYTES])
{
	struct sensor *sensor;

	if (store->nsensors == STORE_SENSORS_MAX)
		return NULL;
	sensor = &store->sensors[store->nsensors++];
	*sensor = (struct sensor){.heard_ns = clock_boot_ns()};
	memcpy(sensor->id, id, ID_BYTES);
	return sensor;
}

/* Those that were heard before: their silence counts from now. */
static int list_sensors(struct store *store)
{
	CLEANUP(closedir) DIR *dir = opendir(store->path);
	struct dirent *entry;
	uint8_t id[ID_BYTES];

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (!query_id(entry->d_name, id) && !add_sensor(store, id))
			return -EMFILE;
	return 0;
}

int store_open(const char *path, struct store **ret)
{
	CLEANUP(store_free) struct store *store = calloc(1, sizeof(*store));
	int err;

	if (!store)
		return -ENOMEM;
	store->dir = -1;
	store->path = strdup(path);
	store->sensors = calloc(STORE_SENSORS_MAX, sizeof(*store->sensors));
	if (!store->path || !store->sensors)
		return -ENOMEM;
	if (mkdir(path, 0750) && errno != EEXIST)
		return -errno;
	store->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->dir < 0)
		return -errno;
	if (flock(store->dir, LOCK_EX | LOCK_NB))
		return -EBUSY;
	err = list_sensors(store);
	if (err)
		return err;
	*ret = TAKE(store);
	return 0;
}

static void close_sensor(struct store *store, struct sensor *sensor)
{
	if (!sensor->writer)
		return;
	spool_writer_free(sensor->writer);
	for (int lane = 0; lane < LANES; lane++)
		sealed_file_close(&sensor->receipts[lane]);
	sensor->writer = NULL;
	store->nopen--;
}

void store_free(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < store->nsensors; i++)
		close_sensor(store, &store->sensors[i]);
	if (store->dir >= 0)
		close(store->dir);
	free(store->sensors);
	free(store->path);
	free(store);
}

int store_dir(const struct store *store)
{
	return store->dir;
}

struct sensor *store_each(struct store *store, size_t index)
{
	return index < store->nsensors ? &store->sensors[index] : NULL;
}

static int sensor_path(const struct store *store, const struct sensor *sensor, char **ret)
{
	char id[2 * ID_BYTES + 1];

	query_id_text(sensor->id, id);
	return asprintf(ret, "%s/%s", store->path, id) < 0 ? -ENOMEM : 0;
}

static int take_end(const void *bytes, size_t size, struct chain *end)
{
	CLEANUP(frame_free) struct frame *frame = NULL;
	int err = frame_read(bytes, size, &frame);

	if (err)
		return err;
	end->number = frame->header->number;
	memcpy(end->hash, frame->hash, sizeof(end->hash));
	keychain_follow(&end->keys, frame);
	return 0;
}

/* Where the chain ends: the last frame of the last segment. */
static int load_chain(const char *path, enum lane lane, struct chain *ret)
{
	CLEANUP(spool_reader_free) struct spool_reader *reader = NULL;
	struct spool_position at = {0};
	struct chain end = {0};
	const void *bytes;
	size_t size;
	int n = spool_last_segment(path, lane, &at);

	if (!n)
		n = spool_reader_open(path, lane, at, &reader);
	if (n)
		return n == -ENOENT ? 0 : n;
	spool_reader_all(reader);
	while ((n = spool_read(reader, &bytes, &size)) == 1 || n == -EBADMSG) {
		int err = n == 1 ? take_end(bytes, size, &end) : 0;

		if (err && err != -EBADMSG)
			return err;
	}
	*ret = end;
	return n;
}

static void close_oldest(struct store *store)
{
	struct sensor *oldest = NULL;

	for (size_t i = 0; i < store->nsensors; i++) {
		struct sensor *sensor = &store->sensors[i];

		if (sensor->writer && !sensor->dirty && (!oldest || sensor->used < oldest->used))
			oldest = sensor;
	}
	if (oldest)
		close_sensor(store, oldest);
}

static int open_evidence(const char *path, struct sensor *sensor)
{
	CLEANUP(close_fd) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (dir < 0)
		return -errno;
	err = public_key_read(dir, IDENTITY, sensor->identity.key);
	sensor->identity.known = sensor->identity.enrolled = !err;
	err = err == -ENOENT ? 0 : err;
	for (int lane = 0; !err && lane < LANES; lane++) {
		char name[32];

		snprintf(name, sizeof(name), "%s.receipts", query_lane_text((enum lane)lane));
		err = sealed_file_open(dir, name, RECEIPTS, &sensor->receipts[lane]);
		if (!err && sensor->receipts[lane].highest > sensor->lanes[lane].number)
			sensor->lost[lane] = sensor->receipts[lane].highest;
	}
	return err;
}

static int open_sensor(struct store *store, struct sensor *sensor)
{
	/* what was acknowledged is the only one there is: a full disk refuses what is new */
	static const struct spool_options options = {
		.segment_bytes = SEGMENT_BYTES, .reader_gid = -1, .never_evict = true};
	CLEANUP(free) char *path = NULL;
	struct spool_eviction gone;
	int err = sensor_path(store, sensor, &path);

	if (store->nopen >= STORE_OPEN_MAX)
		close_oldest(store);
	if (!err)
		err = spool_writer_open(path, &options, &sensor->writer);
	if (err)
		return err;
	store->nopen++;
	sensor->dirty = sensor->is_short = false;
	memset(sensor->lost, 0, sizeof(sensor->lost));
	for (int lane = 0; lane < LANES; lane++)
		sensor->receipts[lane].fd = sensor->receipts[lane].dir = -1;
	while (spool_take_eviction(sensor->writer, &gone) == 1)
		; /* of an earlier life: the chain is read from what is there */
	for (int lane = 0; !err && lane < LANES; lane++)
		err = load_chain(path, (enum lane)lane, &sensor->lanes[lane]);
	if (!err)
		err = open_evidence(path, sensor);
	if (!err && fsync(store->dir))
		err = -errno;
	if (err)
		close_sensor(store, sensor);
	return err;
}

int store_sensor(struct store *store, const uint8_t id[ID_BYTES], bool make, struct sensor **ret)
{
	struct sensor *sensor = find_sensor(store, id);
	bool is_new = !sensor;
	int err = 0;

	if (!sensor && !make)
		return -ENOENT;
	if (!sensor)
		sensor = add_sensor(store, id);
	if (!sensor)
		return -EMFILE;
	sensor->used = ++store->uses;
	if (sensor->is_short)
		close_sensor(store, sensor);
	if (!sensor->writer)
		err = open_sensor(store, sensor);
	if (err) {
		store->nsensors -= is_new; /* it is the last */
		return err;
	}
	*ret = sensor;
	return 0;
}

int store_append(struct sensor *sensor, enum lane lane, const struct chain *end, const void *frame,
		 size_t size)
{
	int err = spool_append(sensor->writer, lane, end->number, frame, size);

	if (err)
		return err;
	sensor->dirty = true;
	sensor->lanes[lane] = *end;
	return 0;
}

int store_enrol(struct store *store, struct sensor *sensor, const uint8_t identity[KEY_BYTES])
{
	CLEANUP(close_fd) int dir = -1;
	char id[2 * ID_BYTES + 1];
	int err;

	query_id_text(sensor->id, id);
	dir = openat(store->dir, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	err = public_key_write(dir, IDENTITY, identity);
	if (err)
		return err;
	memcpy(sensor->identity.key, identity, KEY_BYTES);
	sensor->identity.known = sensor->identity.enrolled = true;
	return 0;
}

int store_receipt(struct store *store, const Hinomi__Receipt *receipt,
		  const Hinomi__SealedReceipt *sealed)
{
	struct sensor *sensor;
	int err = store_sensor(store, receipt->sensor_id.data, false, &sensor);

	if (err || !receipt->number)
		return err;
	return sealed_file_add(&sensor->receipts[receipt->lane], receipt, sealed);
}

int store_sync(struct sensor *sensor)
{
	struct spool_eviction gone;
	int err = sensor->dirty ? spool_sync(sensor->writer) : 0;

	/* a failed sync takes what memory has no second copy of; the next one may well succeed */
	sensor->is_short |= spool_take_eviction(sensor->writer, &gone) == 1;
	if (!err && sensor->is_short)
		err = -EIO;
	sensor->dirty = err;
	return err;
}

/* Number of the first frame at or behind the start of a segment; 0: there is none. */
static int first_number(const char *path, enum lane lane, uint64_t segment, uint64_t *ret)
{
	CLEANUP(spool_reader_free) struct spool_reader *reader = NULL;
	struct spool_position at = {.segment = segment};
	const void *bytes;
	size_t size;
	int n = spool_reader_open(path, lane, at, &reader);

	if (n)
		return n;
	spool_reader_all(reader);
	do
		n = spool_read(reader, &bytes, &size);
	while (n == -EBADMSG);
	if (n < 0)
		return n;
	*ret = n ? spool_reader_number(reader) : UINT64_MAX;
	return 0;
}

/* The last segment that begins with a frame up to this number. */
static int bisect(const char *path, enum lane lane, uint64_t number, uint64_t *ret)
{
	struct spool_position last = {0};
	uint64_t low = 1, high, first;
	int err = spool_last_segment(path, lane, &last);

	for (high = last.segment; !err && low < high;) {
		uint64_t middle = low + (high - low + 1) / 2;

		err = first_number(path, lane, middle, &first);
		if (!err && first <= number)
			low = middle;
		else
			high = middle - 1;
	}
	*ret = low;
	return err;
}

int store_find(struct store *store, struct sensor *sensor, enum lane lane, uint64_t number,
	       uint8_t ret[32])
{
	CLEANUP(spool_reader_free) struct spool_reader *reader = NULL;
	CLEANUP(free) char *path = NULL;
	struct spool_position at = {0};
	const void *bytes;
	size_t size;
	int n = sensor_path(store, sensor, &path);

	if (!n)
		n = bisect(path, lane, number, &at.segment);
	if (!n)
		n = spool_reader_open(path, lane, at, &reader);
	if (n)
		return n;
	spool_reader_all(reader);
	while ((n = spool_read(reader, &bytes, &size)) == 1 || n == -EBADMSG) {
		struct chain end = {0};

		if (n == -EBADMSG || spool_reader_number(reader) < number)
			continue;
		if (spool_reader_number(reader) > number)
			return 0;
		n = take_end(bytes, size, &end);
		if (!n)
			memcpy(ret, end.hash, sizeof(end.hash));
		return n ? n : 1;
	}
	return n;
}
