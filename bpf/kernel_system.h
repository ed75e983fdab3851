/* SPDX-License-Identifier: GPL-2.0 */
/* More of the kernel's types, as in kernel.h: those that only the classes about the kernel itself
 * read. */
#pragma once

#include "kernel.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct module {
	char name[56];
	unsigned long taints;
	const char *srcversion;
	unsigned char build_id[20]; /* 5.14 (7656cd8e8a74), CONFIG_STACKTRACE_BUILD_ID */
};

struct pmu {
	const char *name;
};

struct perf_event_attr {
	__u32 type;
};

struct perf_event {
	struct pmu *pmu;
	struct perf_event_attr attr;
};

struct kprobe {
	void *addr;
	const char *symbol_name;
	unsigned int offset;
	__u32 flags;
};

struct __kernel_timex_timeval {
	__s64 tv_sec, tv_usec;
};

struct __kernel_timex {
	__u32 modes;
	struct __kernel_timex_timeval time;
};

struct ctl_table {
	void *data;
	int maxlen;
};

struct proc_inode {
	struct ctl_table *sysctl_entry;
	struct inode vfs_inode;
};

struct kiocb {
	struct file *ki_filp;
};

struct bpf_map {
	__u32 id;
	char name[16];
};

struct bpf_link {
	atomic64_t refcnt;
	__u32 id;
	enum bpf_link_type type;
	struct bpf_prog *prog;
};

#pragma clang attribute pop
