// SPDX-License-Identifier: Apache-2.0
/*
 * What the sensor gives up: first every capability that it will not use, then,
 * once the programs are attached and proven, those for BPF, and the system calls
 * that only somebody else would make from here.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/telltale.h"
#include "pipeline.h"

#define CAP(name)	(1ULL << CAP_##name)
#define CAP_PERFMON_BIT (1ULL << 38)
#define CAP_BPF_BIT	(1ULL << 39)
/* reading what was executed, telling processes apart, giving segments to the readers' group */
#define CAPS_RUN   (CAP(DAC_READ_SEARCH) | CAP(SYS_PTRACE) | CAP(CHOWN))
#define CAPS_START (CAPS_RUN | CAP_BPF_BIT | CAP_PERFMON_BIT)

static int caps_keep(uint64_t keep)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -errno;
	for (int i = 0; i < 2; i++) {
		uint32_t part = keep >> 32 * i;

		data[i].permitted &= part;
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

/* A spool that belongs to somebody else can be written only with this. */
static uint64_t caps_for(const char *spool)
{
	struct stat st;

	return !stat(spool, &st) && st.st_uid != geteuid() ? CAP(DAC_OVERRIDE) : 0;
}

int confine_start(const char *spool)
{
	uint64_t keep = CAPS_START | caps_for(spool);

	for (int cap = 0; cap < 64; cap++)
		if (!(keep >> cap & 1))
			prctl(PR_CAPBSET_DROP,
			      cap); /* not allowed without CAP_SETPCAP: it has few then */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return caps_keep(keep);
}

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define REFUSE(call)                                           \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define REFUSE_TELLTALE(call) REFUSE(call),

static struct sock_filter code[] = {
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
#if defined(__x86_64__)
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), /* x32 */
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
#endif
	TELLTALE_CALLS(REFUSE_TELLTALE) REFUSE(keyctl),
	REFUSE(add_key),
	REFUSE(request_key),
	REFUSE(memfd_create),
	REFUSE(pkey_mprotect),
	REFUSE(bind),
	REFUSE(listen),
	REFUSE(accept),
	REFUSE(accept4),
	REFUSE(connect),
	REFUSE(io_uring_setup),
	REFUSE(io_uring_enter),
	REFUSE(io_uring_register),
	REFUSE(personality),
	/* sockets: only the service manager's */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
	LOAD(args[0]),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* All threads, for good. */
int confine_running(const char *spool)
{
	struct sock_fprog filter = {.len = ARRAY_SIZE(code), .filter = code};
	int err = caps_keep(CAPS_RUN | caps_for(spool));

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter))
		return -errno;
	return err;
}
