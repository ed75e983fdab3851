/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the classes about files. */
#include "render/body.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "render/words.h"

#define FUSE_MAGIC 0x65735546
#define LOOP_MAJOR 7
#define ID_KEPT	   UINT32_MAX /* chown(2) with -1 */

void body_put_file(const struct body *body, const Hinomi__File *file)
{
	if (!file) {
		fputs("unknown file", body->what);
		return;
	}
	if (file->path_truncated)
		fputs("…/", body->what);
	if (file->path.len)
		body_bytes(body->what, &file->path);
	else
		fprintf(body->what, "inode %" PRIu64 " on %u:%u", file->inode, file->device_major,
			file->device_minor);
	if (S_ISDIR(file->mode) && file->path.len && file->path.data[file->path.len - 1] != '/')
		putc('/', body->what);
	if (file->filesystem == FUSE_MAGIC)
		body_note(body, STYLE_YELLOW, "on FUSE");
	else if (file->device_major == LOOP_MAJOR)
		body_note(body, STYLE_YELLOW, "on a loop device");
	if (file->path_as_asked)
		body_note(body, STYLE_DIM, "as asked");
	if (file->memory)
		body_note(body, STYLE_YELLOW, "in memory only");
	else if (file->deleted)
		body_note(body, STYLE_YELLOW, "deleted file");
}

static void put_open(const struct body *body, const Hinomi__FileOpen *open)
{
	body_put_file(body, open->file);
	fputs("  ", body->note);
	if (body->colour)
		fputs(STYLE_DIM, body->note);
	words_open_flags(body->note, open->flags);
	if (body->colour)
		fputs("\033[0m", body->note);
	if (open->file && open->file->mode & (S_ISUID | S_ISGID) && S_ISREG(open->file->mode))
		body_note(body, STYLE_YELLOW, "set-id file");
	if (open->by_handle)
		body_note(body, STYLE_YELLOW, "by handle");
	if (open->watched.len) {
		body_note(body, STYLE_YELLOW, "watched ");
		body_bytes(body->note, &open->watched);
	}
}

void say_file_read(const struct body *body, const Hinomi__Event *event)
{
	put_open(body, event->file_read);
}

void say_file_create(const struct body *body, const Hinomi__Event *event)
{
	put_open(body, event->file_create);
}

void say_file_open(const struct body *body, const Hinomi__Event *event)
{
	put_open(body, event->file_open);
}

void say_file_unlink(const struct body *body, const Hinomi__Event *event)
{
	body_put_file(body, event->file_unlink->file);
}

void say_file_rename(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__FileRename *rename = event->file_rename;

	body_bytes(body->what, &rename->old_path);
	fputs(" " BODY_ARROW " ", body->what);
	body_put_file(body, rename->file);
	if (rename->replaced)
		body_note(body, STYLE_YELLOW, "replacing");
	if (rename->flags) {
		putc(' ', body->note);
		words_rename_flags(body->note, rename->flags);
	}
}

void say_file_link(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__FileLink *link = event->file_link;

	body_put_file(body, link->file);
	fputs(" " BODY_ARROW " ", body->what);
	body_bytes(body->what, &link->target);
	body_note(body, STYLE_DIM, link->symbolic ? "symbolic link" : "hard link");
}

void say_file_mode(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__FileMode *mode = event->file_mode;
	uint32_t before = mode->old_known ? mode->old_mode & 07777 : 0;
	uint32_t after = mode->mode & 07777;

	body_put_file(body, mode->file);
	fputs("  ", body->note);
	if (mode->old_known)
		fprintf(body->note, "%04o", before);
	fprintf(body->note, BODY_ARROW "%04o", after);
	if (after & ~before & (S_ISUID | S_ISGID))
		body_note(body, STYLE_ALARM, "set-id");
}

static void put_owner(FILE *out, const char *name, bool known, uint32_t before, uint32_t after)
{
	if (after == ID_KEPT)
		return;
	fprintf(out, "  %s ", name);
	if (known)
		fprintf(out, "%u", before);
	fprintf(out, BODY_ARROW "%u", after);
}

void say_file_owner(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__FileOwner *owner = event->file_owner;

	body_put_file(body, owner->file);
	put_owner(body->note, "uid", owner->old_known, owner->old_uid, owner->uid);
	put_owner(body->note, "gid", owner->old_known, owner->old_gid, owner->gid);
}

void say_file_hash(const struct body *body, const Hinomi__Event *event)
{
	static const char *const why[] = {
		[HINOMI__HASH_STATE__HASH_STATE_PENDING] = "not yet hashed",
		[HINOMI__HASH_STATE__HASH_STATE_TOO_LARGE] = "too large to hash",
		[HINOMI__HASH_STATE__HASH_STATE_GONE] = "gone before it could be hashed",
		[HINOMI__HASH_STATE__HASH_STATE_NOT_READ] = "not read",
	};
	const Hinomi__FileHash *hash = event->file_hash;
	unsigned state = (unsigned)hash->hash_state;

	body_put_file(body, hash->file);
	fputs("  ", body->note);
	if (hash->sha256.len)
		fputs("sha256 ", body->note);
	else
		fputs(state < sizeof(why) / sizeof(*why) && why[state] ? why[state] : "no hash",
		      body->note);
	for (size_t i = 0; i < hash->sha256.len; i++)
		fprintf(body->note, "%02x", hash->sha256.data[i]);
}
