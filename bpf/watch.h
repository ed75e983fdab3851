/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watched files and directories: known by (device, inode), so that no other name
 * of theirs matters.  User space does not write these maps: it opens what is to
 * be watched with O_PATH after saying so in `control`, and the kernel's own
 * object is taken down here; so the keys are right on every file system, and no
 * right to BPF is needed later.  What is made, linked or moved below a watched
 * directory is taken down at that moment.
 */
#pragma once

#define WATCH_FILTER  32768 /* one byte each: does any watched inode number fall here? */
#define WATCH_LEVELS  12
#define WATCH_SPECIAL 0x80000000u /* instead of a file system: a device, whatever names it has */

struct watch_key {
	__u64 inode; /* or i_rdev */
	__u32 device;
	__u32 pad;
};

struct watch {
	__u32 line; /* of the watch list, from 1; of a directory it holds for what is in it. 0: none
		     */
	__u32 names; /* some names in this directory are watched */
	__u32 generation;
	__u32 pad;
};

struct watch_name {
	struct watch_key dir;
	char name[WATCH_NAME_MAX];
};

/* `watched` is user space's, `watched_below` what the kernel adds: nobody can push out the first.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct watch_key);
	__type(value, struct watch);
} watched SEC(".maps"), watched_below SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2048);
	__type(key, struct watch_name);
	__type(value, __u32);
} watch_names SEC(".maps");

MAP(watch_filter, BPF_MAP_TYPE_ARRAY, 0, __u32, __u8[WATCH_FILTER]);

static __always_inline __u8 *watch_hint(__u64 inode)
{
	__u32 zero = 0, at = (inode ^ inode >> 15) & (WATCH_FILTER - 1);
	__u8 *filter = bpf_map_lookup_elem(&watch_filter, &zero);

	return filter ? filter + at : NULL;
}

/*
 * Two fields that lie near each other, in one read: what every open pays.  The
 * second begins at most `room` bytes behind the first.
 */
#define IN_REACH(first, second, room) ((second) >= (first) && (second) - (first) < (room))

/* i_rdev is 0 but for devices. */
static __always_inline __u32 inode_number(struct inode *inode, __u64 *number)
{
	__u32 first = bpf_core_field_offset(inode->i_ino);
	__u32 second = bpf_core_field_offset(inode->i_rdev);
	__u32 words[4];

	if (IN_REACH(first, second, 13) && !((second - first) & 3) &&
	    !bpf_probe_read_kernel(words, sizeof(words), (void *)inode + first)) {
		*number = *(__u64 *)words;
		return *(__u32 *)((void *)words + (second - first));
	}
	*number = READ(inode, i_ino);
	return READ(inode, i_rdev);
}

static __always_inline struct dentry *dentry_parent(struct dentry *dentry, struct inode **inode)
{
	__u32 first = bpf_core_field_offset(dentry->d_parent);
	__u32 second = bpf_core_field_offset(dentry->d_inode);
	__u64 words[4];

	if (IN_REACH(first, second, 25) &&
	    !bpf_probe_read_kernel(words, sizeof(words), (void *)dentry + first)) {
		*inode = *(void **)((void *)words + (second - first));
		return (void *)words[0];
	}
	*inode = READ(dentry, d_inode);
	return READ(dentry, d_parent);
}

static __always_inline void watch_key_fill(struct watch_key *key, struct inode *inode)
{
	__u32 special = inode_number(inode, &key->inode);

	if (special) {
		key->inode = special;
		key->device = WATCH_SPECIAL | (READ(inode, i_mode) & S_IFMT);
	}
}

static __always_inline struct watch *watch_lookup(struct inode *inode, struct watch_key key)
{
	struct watch *watch;
	__u8 *hint = watch_hint(key.inode);

	if (!hint || !*hint)
		return NULL;
	if (!key.device)
		key.device = READ(inode, i_sb, s_dev);
	watch = bpf_map_lookup_elem(&watched, &key);
	if (!watch)
		watch = bpf_map_lookup_elem(&watched_below, &key);
	if (!watch ||
	    (!(key.device & WATCH_SPECIAL) && watch->generation != READ(inode, i_generation)))
		return NULL; /* the number is another file's now */
	return watch;
}

static __always_inline struct watch *watch_find(struct inode *inode)
{
	struct watch_key key = {};

	watch_key_fill(&key, inode);
	return watch_lookup(inode, key);
}

static __always_inline void watch_add(void *map, struct inode *inode, __u32 line, __u32 names)
{
	struct watch_key key = {};
	struct watch watch = {.line = line, .names = names};
	__u8 *hint;

	watch_key_fill(&key, inode);
	hint = watch_hint(key.inode);
	if (!hint)
		return;
	if (!key.device) {
		key.device = READ(inode, i_sb, s_dev);
		watch.generation = READ(inode, i_generation);
	}
	bpf_map_update_elem(map, &key, &watch, BPF_ANY);
	*hint = 1;
}

/* Functions of their own from here on: in the tap, all frames together must fit into 512 bytes. */
static __noinline void watch_add_below(struct inode *inode, __u32 line)
{
	watch_add(&watched_below, inode, line, 0);
}

/* Is the name one that is watched in this directory? */
static __always_inline __u32 watch_named(struct inode *dir, struct dentry *dentry)
{
	struct watch_name name = {};
	__u32 len = READ(dentry, d_name.len), *line;

	if (len >= WATCH_NAME_MAX)
		return 0;
	barrier_var(len);
	if (len >= WATCH_NAME_MAX)
		return 0;
	name.dir.inode = READ(dir, i_ino);
	name.dir.device = READ(dir, i_sb, s_dev);
	if (bpf_probe_read_kernel(name.name, len, READ(dentry, d_name.name)))
		return 0;
	line = bpf_map_lookup_elem(&watch_names, &name);
	return line ? *line : 0;
}

static __noinline __u32 watch_in(struct inode *dir, struct dentry *dentry)
{
	struct watch_key key = {.inode = READ(dir, i_ino)}; /* no device */
	struct watch *watch = watch_lookup(dir, key);

	if (!watch)
		return 0;
	if (watch->line)
		return watch->line;
	return watch->names ? watch_named(dir, dentry) : 0;
}

/* A new file's directory may be as new: is one above it watched? */
static __noinline __u32 watch_above(struct dentry *dir)
{
	struct dentry *at = dir, *up;
	__u32 line = 0;

	for (int i = 0; i < WATCH_LEVELS && !line; i++) {
		up = READ(at, d_parent);
		if (up == at)
			break;
		line = watch_in(READ(up, d_inode), at);
		at = up;
	}
	if (line)
		watch_add_below(READ(dir, d_inode), line);
	return line;
}

/* The line that the file falls under, 0 for none.  is_new: it has just come to be where it is. */
static __noinline __u32 watch_line(struct dentry *dentry, bool is_new)
{
	struct control *c = control_get();
	struct watch_key key = {};
	struct inode *inode;
	struct watch *watch;
	struct dentry *dir;
	__u32 line;

	if (!c || !c->watch.active)
		return 0;
	dir = dentry_parent(dentry, &inode);
	watch_key_fill(&key, inode);
	watch = watch_lookup(inode, key);
	if (watch && watch->line)
		return watch->line;
	line = watch_in(READ(dir, d_inode), dentry);
	if (!line && is_new)
		line = watch_above(dir);
	if (line)
		watch_add_below(inode, line);
	return line;
}

/* The sensor has opened what it wants to be watched. */
static __noinline void watch_enrol(struct file *file)
{
	struct control *c = control_get();
	struct inode *inode = READ(file, f_inode);
	struct watch_name name = {};
	struct watch *old;
	__u32 line;

	if (!c || !c->watch.want || c->watch.tgid != bpf_get_current_pid_tgid() >> 32)
		return;
	line = c->watch.line;
	old = watch_find(inode);
	if (c->watch.want == WATCH_OBJECT) {
		watch_add(&watched, inode, line, old ? old->names : 0);
	} else {
		name.dir.inode = READ(inode, i_ino);
		name.dir.device = READ(inode, i_sb, s_dev);
		__builtin_memcpy(name.name, c->watch.name, sizeof(name.name));
		bpf_map_update_elem(&watch_names, &name, &line, BPF_ANY);
		watch_add(&watched, inode, old ? old->line : 0, 1);
	}
	c->watch.active = 1;
	c->watch.done++;
}
