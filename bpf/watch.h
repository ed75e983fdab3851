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

#define WATCH_FILTER                                                                 \
	32768 /* one byte each: does anything of the sort that is watched fall here? \
	       */
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

/* Bytes, that programs on other CPUs may set at the same time. */
struct watch_filter {
	__u8 object[WATCH_FILTER]; /* by inode number; of a directory for what is in it */
	__u8 names[WATCH_FILTER];  /* by inode number: a directory with names */
	__u8 name[WATCH_FILTER];   /* by inode number of the directory, and the name */
};

MAP(watch_filter, BPF_MAP_TYPE_ARRAY, 0, __u32, struct watch_filter);

static __always_inline struct watch_filter *filter_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&watch_filter, &zero);
}

static __always_inline __u32 filter_at(__u64 inode)
{
	return (inode ^ inode >> 15) & (WATCH_FILTER - 1);
}

/* word: the first eight bytes of the name, zeros behind a shorter one. */
static __always_inline __u32 filter_name_at(__u64 dir, __u64 word)
{
	return ((dir ^ word) * 0x9e3779b97f4a7c15) >> 49;
}

/* i_rdev is 0 but for devices. */
static __always_inline __u32 inode_number(struct inode *inode, __u64 *number, enum pointer how)
{
	__u32 first = bpf_core_field_offset(inode->i_ino);
	__u32 second = bpf_core_field_offset(inode->i_rdev);
	__u32 words[4];

	if (how == ADDRESS && !CAN_CAST && IN_REACH(first, second, 13) && !((second - first) & 3) &&
	    !bpf_probe_read_kernel(words, sizeof(words), (void *)inode + first)) {
		*number = *(__u64 *)words;
		return *(__u32 *)((void *)words + (second - first));
	}
	*number = GET(how, inode, i_ino);
	return GET(how, inode, i_rdev);
}

static __always_inline struct dentry *dentry_parent(struct dentry *dentry, struct inode **inode,
						    enum pointer how)
{
	__u32 first = bpf_core_field_offset(dentry->d_parent);
	__u32 second = bpf_core_field_offset(dentry->d_inode);
	__u64 words[4];

	if (how == ADDRESS && !CAN_CAST && IN_REACH(first, second, 25) &&
	    !bpf_probe_read_kernel(words, sizeof(words), (void *)dentry + first)) {
		*inode = *(void **)((void *)words + (second - first));
		return (void *)words[0];
	}
	*inode = GET(how, dentry, d_inode);
	return GET(how, dentry, d_parent);
}

static __always_inline void watch_key_fill(struct watch_key *key, struct inode *inode)
{
	__u32 special = inode_number(inode, &key->inode, ADDRESS);

	if (special) {
		key->inode = special;
		key->device = WATCH_SPECIAL | (READ(inode, i_mode) & S_IFMT);
	}
}

static __always_inline struct watch *watch_lookup(struct inode *inode, struct watch_key key)
{
	struct watch *watch;
	struct watch_filter *filter = filter_get();
	__u32 at = filter_at(key.inode);

	if (!filter || (!filter->object[at] && !filter->names[at]))
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
	struct watch_filter *filter = filter_get();
	__u32 at;

	watch_key_fill(&key, inode);
	at = filter_at(key.inode);
	if (!filter)
		return;
	if (!key.device) {
		key.device = READ(inode, i_sb, s_dev);
		watch.generation = READ(inode, i_generation);
	}
	bpf_map_update_elem(map, &key, &watch, BPF_ANY);
	if (line)
		filter->object[at] = 1;
	if (names)
		filter->names[at] = 1;
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

static __always_inline bool watch_may_name(const struct watch_filter *filter, __u64 dir,
					   struct dentry *dentry, enum pointer how)
{
	__u32 len = GET(how, dentry, d_name.len);
	__u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), GET(how, dentry, d_name.name));
	if (len < 8)
		word &= (1ULL << len * 8) - 1;
	return filter->name[filter_name_at(dir, word)];
}

/* False where neither the file, its directory nor its name there is watched: nearly all opens. */
static __always_inline bool watch_may(struct dentry *dentry, enum pointer how)
{
	struct watch_filter *filter = filter_get();
	struct inode *inode;
	struct dentry *dir = dentry_parent(dentry, &inode, how);
	__u64 number, in;
	__u32 special = inode_number(inode, &number, how);

	if (!filter || filter->object[filter_at(special ?: number)])
		return true;
	in = GET(how, dir, d_inode, i_ino);
	return filter->object[filter_at(in)] ||
	       (filter->names[filter_at(in)] && watch_may_name(filter, in, dentry, how));
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
	dir = dentry_parent(dentry, &inode, ADDRESS);
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
	struct watch_filter *filter = filter_get();
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
		if (filter)
			filter->name[filter_name_at(name.dir.inode, *(__u64 *)name.name)] = 1;
		bpf_map_update_elem(&watch_names, &name, &line, BPF_ANY);
		watch_add(&watched, inode, old ? old->line : 0, 1);
	}
	c->watch.active = 1;
	c->watch.done++;
}
