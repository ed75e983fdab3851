/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/finding.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "collect/query.h"

#define NAME	   "findings.jsonl"
#define OLD_NAME   "findings.1.jsonl"
#define FILE_BYTES (64 << 20)
#define LINE_BYTES 1024
#define REMEMBERED 256

/* What was said of late, so that a sensor that insists is not a flood. */
struct said {
	uint8_t sensor_id[16];
	int64_t lane; /* as wide as leaves no padding: compared as bytes */
	char kind[16];
	uint64_t first, last;
};

struct findings {
	int dir, fd;
	off_t size;
	struct said said[REMEMBERED];
	size_t next;
};

static int open_file(struct findings *findings)
{
	struct stat st;

	findings->fd = openat(findings->dir, NAME,
			      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (findings->fd < 0 || fstat(findings->fd, &st) || fsync(findings->dir))
		return -errno;
	findings->size = st.st_size;
	return 0;
}

int findings_open(int dir, struct findings **ret)
{
	CLEANUP(findings_free) struct findings *findings = calloc(1, sizeof(*findings));
	int err;

	if (!findings)
		return -ENOMEM;
	findings->dir = dir;
	err = open_file(findings);
	if (err)
		return err;
	*ret = TAKE(findings);
	return 0;
}

void findings_free(struct findings *findings)
{
	if (!findings)
		return;
	if (findings->fd >= 0)
		close(findings->fd);
	free(findings);
}

static bool was_said(struct findings *findings, const struct said *what)
{
	for (size_t i = 0; i < REMEMBERED; i++) {
		const struct said *said = &findings->said[i];

		if (said->lane == what->lane && said->first == what->first &&
		    said->last == what->last && !strcmp(said->kind, what->kind) &&
		    !memcmp(said->sensor_id, what->sensor_id, sizeof(said->sensor_id)))
			return true;
	}
	return false;
}

static int write_line(struct findings *findings, const char *line, size_t size)
{
	ssize_t written;

	if (findings->size + (off_t)size > FILE_BYTES) {
		close(TAKE_FD(findings->fd));
		if (renameat(findings->dir, NAME, findings->dir, OLD_NAME))
			return -errno;
	}
	if (findings->fd < 0) {
		int err = open_file(findings);

		if (err)
			return err;
	}
	written = write(findings->fd, line, size);
	if (written != (ssize_t)size) {
		int err = written < 0 ? -errno : -ENOSPC;

		if (written > 0 && ftruncate(findings->fd, findings->size))
			close(TAKE_FD(findings->fd)); /* opened again, with what stands there */
		return err;
	}
	findings->size += (off_t)size;
	return fdatasync(findings->fd) ? -errno : 0;
}

static size_t make_line(char line[LINE_BYTES], const struct said *what, const char *text)
{
	uint64_t now_ns = clock_real_ns();
	time_t seconds = (time_t)(now_ns / NS_PER_SEC);
	char date[32], id[33];
	struct tm tm;
	int size;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	query_id_text(what->sensor_id, id);
	size = snprintf(line, LINE_BYTES,
			"{\"time\":\"%s.%09" PRIu64 "Z\",\"finding\":\"%s\",\"sensor_id\":\"%s\"",
			date, (uint64_t)(now_ns % NS_PER_SEC), what->kind, id);
	if (what->lane >= 0)
		size += snprintf(line + size, LINE_BYTES - (size_t)size,
				 ",\"lane\":\"%s\",\"first_frame\":%" PRIu64
				 ",\"last_frame\":%" PRIu64,
				 query_lane_text((enum lane)what->lane), what->first, what->last);
	size += snprintf(line + size, LINE_BYTES - (size_t)size, ",\"text\":\"%.400s\"}\n", text);
	return (size_t)size;
}

int finding_add(struct findings *findings, const uint8_t sensor_id[16], int lane, const char *kind,
		uint64_t first, uint64_t last, const char *text)
{
	struct said what = {.lane = lane, .first = first, .last = last};
	char line[LINE_BYTES], id[33];
	int err;

	memcpy(what.sensor_id, sensor_id, sizeof(what.sensor_id));
	snprintf(what.kind, sizeof(what.kind), "%s", kind);
	if (was_said(findings, &what))
		return 0;
	query_id_text(sensor_id, id);
	log_warning("sensor %s%s%s: %s", id, lane < 0 ? "" : " ",
		    lane < 0 ? "" : query_lane_text((enum lane)lane), text);
	err = write_line(findings, line, make_line(line, &what, text));
	if (err)
		return err;
	findings->said[findings->next++ % REMEMBERED] = what;
	return 0;
}
