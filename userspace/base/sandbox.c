/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/telltale.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH

#define LINES_MAX    1024
#define WHOLE	     0xffffffff
#define SET_VMA	     0x53564d41 /* PR_SET_VMA; malloc of glibc 2.39 names its mappings */
#define GET_TERMIOS2 0x802c542a /* TCGETS2; isatty(3) of glibc 2.42 */

static const int listed[] = {
	/* the oftenest first: before 5.11 the kernel walks the list for each call */
	SYS_read,
	SYS_write,
	SYS_futex,
	SYS_clock_gettime,
	SYS_epoll_pwait,
	SYS_ppoll,
	SYS_recvfrom,
	SYS_sendto,
	SYS_recvmsg,
	SYS_sendmsg,
	SYS_pread64,
	SYS_pwrite64,
	SYS_readv,
	SYS_writev,
	SYS_preadv,
	SYS_pwritev,
	SYS_openat,
	SYS_close,
	SYS_fstat,
	SYS_newfstatat,
	SYS_lseek,
	SYS_fcntl,
	/* files */
	SYS_fsync,
	SYS_fdatasync,
	SYS_sync_file_range,
	SYS_ftruncate,
	SYS_fallocate,
	SYS_fadvise64,
	SYS_flock,
	SYS_dup,
	SYS_dup3,
	SYS_pipe2,
	SYS_eventfd2,
	SYS_statx,
	SYS_statfs,
	SYS_fstatfs,
	SYS_faccessat,
	SYS_faccessat2,
	SYS_readlinkat,
	SYS_getdents64,
	SYS_getcwd,
	SYS_openat2,
	SYS_mkdirat,
	SYS_unlinkat,
	SYS_linkat,
	SYS_renameat,
	SYS_renameat2,
	SYS_fchmod,
	SYS_fchown,
	SYS_umask,
	SYS_inotify_init1,
	SYS_inotify_add_watch,
	SYS_inotify_rm_watch,
	SYS_close_range,
	/* memory */
	SYS_brk,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_mlock,
	SYS_mlock2,
	SYS_munlock,
	SYS_mincore,
	SYS_membarrier,
	/* threads and signals */
	SYS_exit,
	SYS_exit_group,
	SYS_restart_syscall,
	SYS_set_robust_list,
	SYS_rseq,
	SYS_sched_yield,
	SYS_sched_getaffinity,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_rt_sigtimedwait,
	SYS_sigaltstack,
	SYS_signalfd4,
	/* time */
	SYS_clock_getres,
	SYS_clock_nanosleep,
	SYS_nanosleep,
	SYS_gettimeofday,
	SYS_timerfd_create,
	SYS_timerfd_settime,
	SYS_timerfd_gettime,
	/* waiting */
	SYS_pselect6,
	SYS_epoll_create1,
	SYS_epoll_ctl,
	SYS_epoll_pwait2,
	/* sockets */
	SYS_sendmmsg,
	SYS_recvmmsg,
	SYS_getsockopt,
	SYS_setsockopt,
	SYS_getsockname,
	SYS_getpeername,
	SYS_shutdown,
	/* who we are, and where */
	SYS_getpid,
	SYS_getppid,
	SYS_gettid,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_getgroups,
	SYS_getrandom,
	SYS_getrusage,
	SYS_getcpu,
	SYS_uname,
	SYS_sysinfo,
	SYS_times,
#if defined(__x86_64__) /* what arm64 never had */
	SYS_open,
	SYS_stat,
	SYS_lstat,
	SYS_access,
	SYS_readlink,
	SYS_mkdir,
	SYS_rmdir,
	SYS_unlink,
	SYS_rename,
	SYS_dup2,
	SYS_pipe,
	SYS_eventfd,
	SYS_poll,
	SYS_select,
	SYS_epoll_wait,
	SYS_epoll_create,
	SYS_time,
	SYS_getrlimit,
#endif
};

static const int telltale[] = {
#define CALL(name) SYS_##name,
	TELLTALE_CALLS(CALL)
#undef CALL
		SYS_open_by_handle_at,
};

/* Allowed when each (argument & mask) is the value; arguments in words of 32 bits. */
struct rule {
	int nr;
	struct {
		unsigned word;
		uint32_t mask, value;
	} need[2];
};

#define WORD(argument) (2 * (argument))
#define SPACES                                                                         \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET)

static const struct rule rules[] = {
	/* no writable code; a library that is loaded later is mapped as it is */
	{SYS_mmap, {{WORD(2), PROT_EXEC, 0}}},
	{SYS_mmap, {{WORD(2), PROT_WRITE, 0}}},
	{SYS_mprotect, {{WORD(2), PROT_EXEC, 0}}},
	/* threads, no processes; clone3 hides what it asks for, and libraries go on to clone */
	{SYS_clone, {{WORD(0), CLONE_THREAD | SPACES, CLONE_THREAD}}},
	{SYS_prlimit64, {{WORD(2), WHOLE, 0}, {WORD(2) + 1, WHOLE, 0}}}, /* asking alone */
	{SYS_prctl, {{WORD(0), WHOLE, PR_SET_NAME}}},
	{SYS_prctl, {{WORD(0), WHOLE, SET_VMA}}},
	{SYS_ioctl, {{WORD(1), WHOLE, FIONREAD}}},
	{SYS_ioctl, {{WORD(1), WHOLE, FIONBIO}}},
	{SYS_ioctl, {{WORD(1), WHOLE, TCGETS}}},
	{SYS_ioctl, {{WORD(1), WHOLE, GET_TERMIOS2}}},
	{SYS_socket, {{WORD(0), WHOLE, AF_UNIX}}},
	{SYS_socketpair, {{WORD(0), WHOLE, AF_UNIX}}},
};

static const struct rule connects[] = {
	{SYS_connect, {{0}}},
	/* nothing raw, which root may have; 0xf: without SOCK_CLOEXEC and the like */
	{SYS_socket, {{WORD(0), WHOLE, AF_INET}, {WORD(1), 0xf, SOCK_STREAM}}},
	{SYS_socket, {{WORD(0), WHOLE, AF_INET}, {WORD(1), 0xf, SOCK_DGRAM}}},
	{SYS_socket, {{WORD(0), WHOLE, AF_INET6}, {WORD(1), 0xf, SOCK_STREAM}}},
	{SYS_socket, {{WORD(0), WHOLE, AF_INET6}, {WORD(1), 0xf, SOCK_DGRAM}}},
};

static const struct rule accepts[] = {
	{SYS_accept, {{0}}},
	{SYS_accept4, {{0}}},
};

struct filter {
	struct sock_filter lines[LINES_MAX];
	unsigned n;
};

static void add(struct filter *filter, unsigned what, uint32_t k, unsigned jt, unsigned jf)
{
	if (filter->n < LINES_MAX)
		filter->lines[filter->n] =
			(struct sock_filter)BPF_JUMP((uint16_t)what, k, (uint8_t)jt, (uint8_t)jf);
	filter->n++;
}

static void load(struct filter *filter, size_t offset)
{
	add(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* What follows is passed over, by so many lines, when it is another value. */
static void expect(struct filter *filter, uint32_t value, unsigned lines)
{
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, value, 0, lines);
}

static void end(struct filter *filter, uint32_t action)
{
	add(filter, BPF_RET | BPF_K, action, 0, 0);
}

static void add_calls(struct filter *filter, const int *calls, size_t n, uint32_t action)
{
	load(filter, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < n; i++) {
		expect(filter, (uint32_t)calls[i], 1);
		end(filter, action);
	}
}

static void add_rules(struct filter *filter, const struct rule *rule, size_t n)
{
	for (; n--; rule++) {
		load(filter, offsetof(struct seccomp_data, nr));
		expect(filter, (uint32_t)rule->nr, 7);
		for (int i = 0; i < 2; i++) {
			load(filter, offsetof(struct seccomp_data, args) + 4 * rule->need[i].word);
			add(filter, BPF_ALU | BPF_AND | BPF_K, rule->need[i].mask, 0, 0);
			expect(filter, rule->need[i].value, i ? 1 : 4);
		}
		end(filter, SECCOMP_RET_ALLOW);
	}
}

static void build(struct filter *filter, enum sandbox kind)
{
	/* abort(3) */
	struct rule own = {SYS_tgkill, {{WORD(0), WHOLE, (uint32_t)getpid()}}};

	load(filter, offsetof(struct seccomp_data, arch));
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	end(filter, SECCOMP_RET_KILL_PROCESS);
	add_calls(filter, listed, ARRAY_SIZE(listed), SECCOMP_RET_ALLOW);
	add_rules(filter, rules, ARRAY_SIZE(rules));
	if (kind == SANDBOX_CONNECTS)
		add_rules(filter, connects, ARRAY_SIZE(connects));
	else
		add_rules(filter, accepts, ARRAY_SIZE(accepts));
	add_rules(filter, &own, 1);
	add_calls(filter, telltale, ARRAY_SIZE(telltale), SECCOMP_RET_KILL_PROCESS);
	end(filter, SECCOMP_RET_ERRNO | ENOSYS);
}

int sandbox_enter(enum sandbox kind)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	(void)build;
	(void)kind;
	return 0;
#else
	struct filter filter = {.n = 0};
	struct sock_fprog program = {.filter = filter.lines};

	build(&filter, kind);
	if (filter.n > LINES_MAX)
		return -E2BIG;
	program.len = (unsigned short)filter.n;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program)
		       ? -errno
		       : 0;
#endif
}

#else

/* 32 bits: tests alone are built so. */
int sandbox_enter(enum sandbox kind)
{
	(void)kind;
	return -ENOSYS;
}

#endif
