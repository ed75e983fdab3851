/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An id is asked of the kernel with open_by_handle_at(2), since the handle of a
 * kernfs file is its id (fs/kernfs/mount.c).  Where that is not allowed, the
 * hierarchy is walked, once a second at most.
 */
#include "enrich/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "enrich/mountinfo.h"

#define CGROUP2_MAGIC	0x63677270
#define FILEID_KERNFS	0xfe
#define SCAN_MS		1000
#define SCAN_DEPTH_MAX	64
#define SCAN_DIRS_MAX	CGROUPS_MAX
#define BUCKETS		4096
#define FD_PATH_SIZE	32
#define ROOT_PATH_MAX	4096
#define TOP_INODE	1
#define KERNEL_PATH_MAX 1023 /* TRACE_CGROUP_PATH_LEN of the kernel, without its end */

struct node {
	struct cgroup cgroup;
	struct node *next;
};

struct cgroups {
	struct node *buckets[BUCKETS];
	size_t count;
	int root_fd;		  /* -1: there is no cgroup v2 */
	char root[ROOT_PATH_MAX]; /* as the kernel names root_fd */
	size_t root_len;
	bool by_handle;
	bool is_top;	     /* root_fd is of the first cgroup, not of a namespace's */
	uint64_t scanned_ms; /* 0: never */
};

DEFINE_CLEANUP(struct cgroups *, cgroups_free);

static struct node **bucket_of(struct cgroups *cgroups, uint64_t id)
{
	return &cgroups->buckets[(id * 0x9e3779b97f4a7c15ULL) >> 52];
}

static struct node *node_find(struct cgroups *cgroups, uint64_t id)
{
	struct node *node = *bucket_of(cgroups, id);

	while (node && node->cgroup.id != id)
		node = node->next;
	return node;
}

static void nodes_drop(struct cgroups *cgroups)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		while (cgroups->buckets[i]) {
			struct node *node = cgroups->buckets[i];

			cgroups->buckets[i] = node->next;
			free(node->cgroup.path);
			free(node);
		}
	}
	cgroups->count = 0;
}

/* path NULL: it is known to be gone. */
static struct node *node_add(struct cgroups *cgroups, uint64_t id, const char *path, size_t size)
{
	struct node *node, **bucket = bucket_of(cgroups, id);

	if (cgroups->count >= CGROUPS_MAX)
		nodes_drop(cgroups);
	node = calloc(1, sizeof(*node));
	if (!node)
		return NULL;
	node->cgroup.id = id;
	if (path) {
		node->cgroup.path = strndup(path, size);
		if (!node->cgroup.path) {
			free(node);
			return NULL;
		}
		node->cgroup.path_len = size;
		node->cgroup.container = cgroup_container(path, size, &node->cgroup.runtime);
		node->cgroup.pod_uid_len = cgroup_pod(path, size, node->cgroup.pod_uid);
		node->cgroup.unit = cgroup_unit(path, size);
	}
	node->next = *bucket;
	*bucket = node;
	cgroups->count++;
	return node;
}

struct scan {
	struct cgroups *cgroups;
	char path[ROOT_PATH_MAX];
	size_t dirs;
};

/* d_ino is the id.  Takes over dir_fd. */
static void scan_dir(struct scan *scan, int dir_fd, size_t len, int depth)
{
	CLEANUP(closedir) DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;

	if (!dir)
		close(dir_fd);
	while (dir && (entry = readdir(dir))) {
		size_t name_len = strlen(entry->d_name);
		int fd;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		if (len + 1 + name_len >= sizeof(scan->path) || ++scan->dirs > SCAN_DIRS_MAX)
			return;
		scan->path[len] = '/';
		memcpy(scan->path + len + 1, entry->d_name, name_len);
		if (!node_find(scan->cgroups, entry->d_ino))
			node_add(scan->cgroups, entry->d_ino, scan->path, len + 1 + name_len);
		fd = depth < SCAN_DEPTH_MAX
			     ? openat(dirfd(dir), entry->d_name,
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
			     : -1;
		if (fd >= 0)
			scan_dir(scan, fd, len + 1 + name_len, depth + 1);
	}
}

static void cgroups_scan(struct cgroups *cgroups)
{
	struct scan scan = {.cgroups = cgroups};
	int fd = openat(cgroups->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		scan_dir(&scan, fd, 0, 0);
}

static int fd_path(int fd, char *ret, size_t size)
{
	char link[FD_PATH_SIZE];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret, size - 1);
	if (n < 0)
		return -errno;
	ret[n] = 0;
	return (int)n;
}

/* The kernel puts " (deleted)" behind a path that is gone, which may also be part of a name. */
static bool is_gone(const char *path, size_t len, uint64_t id)
{
	static const char mark[] = " (deleted)";
	struct stat st;

	if (len < sizeof(mark) || strcmp(path + len - (sizeof(mark) - 1), mark) != 0)
		return false;
	return lstat(path, &st) < 0 || st.st_ino != id;
}

/* 1 and the whole path; 0: there is no such cgroup any more; -errno. */
static int handle_path(struct cgroups *cgroups, uint64_t id, char ret[ROOT_PATH_MAX])
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + sizeof(id)];
	} h = {.handle = {.handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS}};
	CLEANUP(close_fd) int fd = -1;
	int n;

	memcpy(h.bytes + offsetof(struct file_handle, f_handle), &id, sizeof(id));
	fd = open_by_handle_at(cgroups->root_fd, &h.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ESTALE || errno == ENOENT ? 0 : -errno;
	n = fd_path(fd, ret, ROOT_PATH_MAX);
	if (n < 0)
		return n;
	return is_gone(ret, (size_t)n, id) ? 0 : 1;
}

/* Strips the root; NULL when it lies elsewhere (another cgroup namespace). */
static const char *below_root(const struct cgroups *cgroups, const char *path)
{
	if (strncmp(path, cgroups->root, cgroups->root_len) != 0)
		return NULL;
	path += cgroups->root_len;
	return !*path ? "/" : *path == '/' ? path : NULL;
}

static struct node *node_ask(struct cgroups *cgroups, uint64_t id)
{
	char path[ROOT_PATH_MAX];
	int r = handle_path(cgroups, id, path);
	const char *below = r > 0 ? below_root(cgroups, path) : NULL;

	if (r == -EPERM)
		cgroups->by_handle = false; /* the capability was given up */
	if (r < 0)
		return NULL;
	return node_add(cgroups, id, below, below ? strlen(below) : 0);
}

/* A process of this cgroup had an event before the walk began: what is not found then is gone. */
static struct node *node_walk(struct cgroups *cgroups, uint64_t id, uint64_t now_ms)
{
	struct node *node;

	if (cgroups->scanned_ms && now_ms - cgroups->scanned_ms < SCAN_MS)
		return NULL;
	cgroups->scanned_ms = now_ms ? now_ms : 1;
	cgroups_scan(cgroups);
	node = node_find(cgroups, id);
	return node ? node : node_add(cgroups, id, NULL, 0);
}

const struct cgroup *cgroups_find(struct cgroups *cgroups, uint64_t id, uint64_t now_ms)
{
	static const struct cgroup none;
	struct node *node;

	if (cgroups->root_fd < 0)
		return &none;
	node = node_find(cgroups, id);
	if (!node)
		node = cgroups->by_handle ? node_ask(cgroups, id) : node_walk(cgroups, id, now_ms);
	return node ? &node->cgroup : NULL;
}

void cgroups_learn(struct cgroups *cgroups, uint64_t id, const char *path, size_t size)
{
	const struct node *known = node_find(cgroups, id);

	/* the kernel names it from the root of all, and cuts off what is too long */
	if (cgroups->is_top && size && size < KERNEL_PATH_MAX && !(known && known->cgroup.path))
		node_add(cgroups, id, path, size);
}

static void root_open(struct cgroups *cgroups, const char *root)
{
	char path[ROOT_PATH_MAX];
	struct statfs fs;
	struct stat st;
	int n;

	cgroups->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroups->root_fd < 0 || fstat(cgroups->root_fd, &st) < 0)
		return;
	n = fd_path(cgroups->root_fd, cgroups->root, sizeof(cgroups->root));
	cgroups->root_len = n > 0 ? (size_t)n : 0;
	if (cgroups->root_len == 1)
		cgroups->root_len = 0; /* "/" */
	cgroups->root[cgroups->root_len] = 0;
	node_add(cgroups, st.st_ino, "/", 1);
	cgroups->is_top = st.st_ino == TOP_INODE;
	cgroups->by_handle = n > 0 && !fstatfs(cgroups->root_fd, &fs) &&
			     fs.f_type == CGROUP2_MAGIC &&
			     handle_path(cgroups, st.st_ino, path) == 1;
	cgroups_scan(cgroups);
}

int cgroups_new(const char *root, struct cgroups **ret)
{
	CLEANUP(cgroups_free) struct cgroups *cgroups = calloc(1, sizeof(*cgroups));
	char found[ROOT_PATH_MAX];

	if (!cgroups)
		return -ENOMEM;
	cgroups->root_fd = -1;
	if (!root && !mountinfo_find("cgroup2", found, sizeof(found)))
		root = found;
	if (root)
		root_open(cgroups, root);
	*ret = TAKE(cgroups);
	return 0;
}

void cgroups_free(struct cgroups *cgroups)
{
	if (!cgroups)
		return;
	nodes_drop(cgroups);
	if (cgroups->root_fd >= 0)
		close(cgroups->root_fd);
	free(cgroups);
}
