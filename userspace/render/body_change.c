/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the classes about what changes in a file besides its name, mode and owner. */
#include "render/body.h"

#include <inttypes.h>
#include <linux/fs.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

static const char *type_name(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "directory";
	case S_IFCHR:
		return "character device";
	case S_IFBLK:
		return "block device";
	case S_IFIFO:
		return "named pipe";
	case S_IFSOCK:
		return "socket";
	default:
		return "file";
	}
}

void say_file_make(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__FileMake *make = event->file_make;

	body_put_file(body, make->file);
	body_note(body, STYLE_DIM, type_name(make->mode));
	if (S_ISCHR(make->mode) || S_ISBLK(make->mode))
		fprintf(body->note, " %u:%u", make->special_major, make->special_minor);
	fprintf(body->note, "  %04o", make->mode & 07777);
}

void say_file_map(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__FileMap *map = event->file_map;

	body_put_file(body, map->file);
	fprintf(body->note, "  %" PRIu64 " bytes", map->length);
	body_note(body, STYLE_DIM,
		  map->protection & PROT_WRITE ? "shared, writable"
					       : "shared, may become writable");
}

void say_file_close(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__FileClose *closed = event->file_close;

	body_put_file(body, closed->file);
	fprintf(body->note, "  read %" PRIu64 ", wrote %" PRIu64 " bytes", closed->bytes_read,
		closed->bytes_written);
}

void say_file_xattr(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__FileXattr *xattr = event->file_xattr;

	body_put_file(body, xattr->file);
	fputs("  ", body->note);
	body_bytes(body->note, &xattr->name);
	if (xattr->removed)
		body_note(body, STYLE_YELLOW, "removed");
	else
		fprintf(body->note, "  %" PRIu64 " bytes", xattr->size);
}

static void put_flags(FILE *out, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{FS_IMMUTABLE_FL, "immutable"}, {FS_APPEND_FL, "append"},
		{FS_NODUMP_FL, "nodump"},	{FS_NOATIME_FL, "noatime"},
		{FS_SYNC_FL, "sync"},		{FS_DIRSYNC_FL, "dirsync"},
	};
	const char *between = "";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(flags & names[i].flag))
			continue;
		fprintf(out, "%s%s", between, names[i].name);
		flags &= ~names[i].flag;
		between = ",";
	}
	if (flags)
		fprintf(out, "%s%#x", between, flags);
	else if (!*between)
		fputs("none", out);
}

void say_file_flags(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__FileFlags *flags = event->file_flags;
	bool only_extended = !flags->flags && flags->extended;

	body_put_file(body, flags->file);
	fputs("  ", body->note);
	if (flags->old_known)
		put_flags(body->note, flags->old_flags);
	fputs(BODY_ARROW, body->note);
	if (only_extended)
		fprintf(body->note, "xflags %#x", flags->extended);
	else
		put_flags(body->note, flags->flags);
}

void say_file_truncate(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__FileTruncate *truncate = event->file_truncate;

	body_put_file(body, truncate->file);
	fputs("  ", body->note);
	if (truncate->old_known)
		fprintf(body->note, "%" PRIu64, truncate->old_length);
	fprintf(body->note, BODY_ARROW "%" PRIu64 " bytes", truncate->length);
}

static void put_time(FILE *out, uint64_t ns)
{
	time_t seconds = (int64_t)ns / (int64_t)NS_PER_SEC;
	char text[32] = "?";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	fputs(text, out);
}

static void put_change(FILE *out, const char *name, const Hinomi__FileTimes *times, uint64_t before,
		       uint64_t after, bool now)
{
	fprintf(out, "  %s ", name);
	if (times->old_known)
		put_time(out, before);
	fputs(BODY_ARROW, out);
	if (now)
		fputs("now", out);
	else
		put_time(out, after);
}

void say_file_times(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__FileTimes *times = event->file_times;

	body_put_file(body, times->file);
	if (!times->modified_kept)
		put_change(body->note, "mtime", times, times->old_modified_ns, times->modified_ns,
			   times->modified_now);
	if (!times->accessed_kept && !times->accessed_now)
		put_change(body->note, "atime", times, times->old_accessed_ns, times->accessed_ns,
			   false);
	if (!times->modified_kept && !times->modified_now && times->old_known &&
	    (int64_t)times->modified_ns < (int64_t)times->old_modified_ns)
		body_note(body, STYLE_YELLOW, "set back");
}
