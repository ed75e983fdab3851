// SPDX-License-Identifier: Apache-2.0
/* System call numbers that the exit tap looks at, native and 32-bit. */
#include "attach/calls.h"

#include <string.h>
#include <sys/syscall.h>

#include "base/cleanup.h"

struct call {
	unsigned nr, tap;
};

static const struct call native[] = {
	{SYS_openat, TAP_OPENAT},
	{SYS_open_by_handle_at, TAP_OPENHANDLE},
	{SYS_unlinkat, TAP_UNLINKAT},
#ifdef SYS_renameat
	{SYS_renameat, TAP_RENAMEAT},
#endif
	{SYS_renameat2, TAP_RENAMEAT2},
	{SYS_linkat, TAP_LINKAT},
	{SYS_symlinkat, TAP_SYMLINKAT},
	{SYS_fchmod, TAP_FCHMOD},
	{SYS_fchmodat, TAP_FCHMODAT},
	{SYS_fchown, TAP_FCHOWN},
	{SYS_fchownat, TAP_FCHOWNAT},
	{SYS_connect, TAP_CONNECT},
	{SYS_accept, TAP_ACCEPT},
	{SYS_accept4, TAP_ACCEPT},
	{SYS_listen, TAP_LISTEN},
	{SYS_bind, TAP_BIND},
	{SYS_setuid, TAP_CREDS},
	{SYS_setgid, TAP_CREDS},
	{SYS_setreuid, TAP_CREDS},
	{SYS_setregid, TAP_CREDS},
	{SYS_setresuid, TAP_CREDS},
	{SYS_setresgid, TAP_CREDS},
	{SYS_setfsuid, TAP_CREDS},
	{SYS_setfsgid, TAP_CREDS},
	{SYS_capset, TAP_GROUPS},
	{SYS_setgroups, TAP_GROUPS},
	{SYS_socket, TAP_SOCKET},
	{SYS_setsockopt, TAP_SETSOCKOPT},
	{SYS_sendto, TAP_SENDTO},
	{SYS_sendmsg, TAP_SENDMSG},
	{SYS_sendmmsg, TAP_SENDMMSG},
	{SYS_recvfrom, TAP_RECVFROM},
	{SYS_recvmsg, TAP_RECVMSG},
	{SYS_recvmmsg, TAP_RECVMMSG},
	{SYS_execve, TAP_EXECVE},
	{SYS_execveat, TAP_EXECVEAT},
	{SYS_ptrace, TAP_PTRACE},
	{SYS_process_vm_readv, TAP_VM_ACCESS},
	{SYS_process_vm_writev, TAP_VM_ACCESS},
	{SYS_mount, TAP_MOUNT},
	{SYS_umount2, TAP_UMOUNT},
	{SYS_pivot_root, TAP_PIVOT_ROOT},
	{SYS_chroot, TAP_CHROOT},
	{SYS_unshare, TAP_UNSHARE},
	{SYS_setns, TAP_SETNS},
	{SYS_setxattr, TAP_SETXATTR},
	{SYS_lsetxattr, TAP_SETXATTR},
	{SYS_fsetxattr, TAP_FSETXATTR},
	{SYS_removexattr, TAP_REMOVEXATTR},
	{SYS_lremovexattr, TAP_REMOVEXATTR},
	{SYS_fremovexattr, TAP_FREMOVEXATTR},
	{SYS_ioctl, TAP_IOCTL},
	{SYS_mmap, TAP_MMAP},
	{SYS_truncate, TAP_TRUNCATE},
	{SYS_ftruncate, TAP_FTRUNCATE},
	{SYS_utimensat, TAP_UTIMENSAT},
	{SYS_mkdirat, TAP_MKDIRAT},
	{SYS_mknodat, TAP_MKNODAT},
	{SYS_write, TAP_WRITE},
	{SYS_bpf, TAP_BPF},
	{SYS_perf_event_open, TAP_PERF_EVENT},
	{SYS_init_module, TAP_INIT_MODULE},
	{SYS_finit_module, TAP_FINIT_MODULE},
	{SYS_delete_module, TAP_DELETE_MODULE},
	{SYS_add_key, TAP_ADD_KEY},
	{SYS_request_key, TAP_REQUEST_KEY},
	{SYS_keyctl, TAP_KEYCTL},
	{SYS_kexec_load, TAP_KEXEC_LOAD},
	{SYS_kexec_file_load, TAP_KEXEC_FILE},
	{SYS_sethostname, TAP_SETHOSTNAME},
	{SYS_setdomainname, TAP_SETDOMAINNAME},
	{SYS_swapon, TAP_SWAPON},
	{SYS_swapoff, TAP_SWAPOFF},
	{SYS_reboot, TAP_REBOOT},
	{SYS_syslog, TAP_SYSLOG},
	{SYS_acct, TAP_ACCT},
#ifdef SYS_iopl
	{SYS_iopl, TAP_IOPL},
	{SYS_ioperm, TAP_IOPERM},
#endif
	{SYS_fanotify_init, TAP_FANOTIFY},
	{SYS_pwrite64, TAP_WRITE},
	{SYS_settimeofday, TAP_SETTIMEOFDAY},
	{SYS_clock_settime, TAP_CLOCK_SETTIME},
	{SYS_adjtimex, TAP_ADJTIMEX},
	{SYS_clock_adjtime, TAP_CLOCK_ADJTIME},
#ifdef SYS_open
	{SYS_utime, TAP_UTIME},
	{SYS_utimes, TAP_UTIMES},
	{SYS_futimesat, TAP_FUTIMESAT},
	{SYS_mkdir, TAP_MKDIR},
	{SYS_mknod, TAP_MKNOD},
	{SYS_open, TAP_OPEN},
	{SYS_creat, TAP_CREAT},
	{SYS_unlink, TAP_UNLINK},
	{SYS_rmdir, TAP_UNLINK},
	{SYS_rename, TAP_RENAME},
	{SYS_link, TAP_LINK},
	{SYS_symlink, TAP_SYMLINK},
	{SYS_chmod, TAP_CHMOD},
	{SYS_chown, TAP_CHOWN},
	{SYS_lchown, TAP_CHOWN},
#endif
};

/* the same number in every table, as all since 5.1 */
static const struct call everywhere[] = {
	{424, TAP_PIDFD_SIGNAL},   {428, TAP_OPEN_TREE},    {429, TAP_MOVE_MOUNT},
	{431, TAP_FSCONFIG},	   {432, TAP_FSMOUNT},	    {437, TAP_OPENAT2},
	{438, TAP_PIDFD_GETFD},	   {440, TAP_MADVISE},	    {442, TAP_MOUNT_SETATTR},
	{452, TAP_FCHMODAT},	   {463, TAP_SETXATTRAT},   {466, TAP_REMOVEXATTRAT},
	{467, TAP_OPEN_TREE_ATTR}, {469, TAP_FILE_SETATTR},
};

#if defined(__x86_64__)
/* x32 shares the native numbers, but for calls whose structures differ */
static const struct call x32[] = {
	{514, TAP_IOCTL},    {528, TAP_KEXEC_LOAD}, {517, TAP_RECVFROM},  {518, TAP_SENDMSG},
	{519, TAP_RECVMSG},  {520, TAP_EXECVE},	    {521, TAP_PTRACE},	  {537, TAP_RECVMMSG},
	{538, TAP_SENDMMSG}, {539, TAP_VM_ACCESS},  {540, TAP_VM_ACCESS}, {541, TAP_SETSOCKOPT},
	{545, TAP_EXECVEAT},
};
#endif

/* i386 and 32-bit arm agree on all of these but for the numbers from 280 on */
static const struct call compat[] = {
	{5, TAP_OPEN},	       {8, TAP_CREAT},	      {9, TAP_LINK},	   {10, TAP_UNLINK},
	{15, TAP_CHMOD},       {16, TAP_CHOWN},	      {38, TAP_RENAME},	   {40, TAP_UNLINK},
	{83, TAP_SYMLINK},     {94, TAP_FCHMOD},      {95, TAP_FCHOWN},	   {182, TAP_CHOWN},
	{23, TAP_CREDS},       {46, TAP_CREDS},	      {70, TAP_CREDS},	   {71, TAP_CREDS},
	{138, TAP_CREDS},      {139, TAP_CREDS},      {164, TAP_CREDS},	   {170, TAP_CREDS},
	{185, TAP_GROUPS},     {198, TAP_CHOWN},      {203, TAP_CREDS},	   {204, TAP_CREDS},
	{207, TAP_FCHOWN},     {208, TAP_CREDS},      {210, TAP_CREDS},	   {212, TAP_CHOWN},
	{213, TAP_CREDS},      {214, TAP_CREDS},      {215, TAP_CREDS},	   {216, TAP_CREDS},
#if defined(__x86_64__)
	{102, TAP_SOCKETCALL}, {342, TAP_OPENHANDLE}, {295, TAP_OPENAT},   {298, TAP_FCHOWNAT},
	{301, TAP_UNLINKAT},   {302, TAP_RENAMEAT},   {303, TAP_LINKAT},   {304, TAP_SYMLINKAT},
	{306, TAP_FCHMODAT},   {353, TAP_RENAMEAT2},  {361, TAP_BIND},	   {362, TAP_CONNECT},
	{363, TAP_LISTEN},     {364, TAP_ACCEPT},     {359, TAP_SOCKET},   {366, TAP_SETSOCKOPT},
	{369, TAP_SENDTO},     {370, TAP_SENDMSG},    {345, TAP_SENDMMSG}, {371, TAP_RECVFROM},
	{372, TAP_RECVMSG},    {337, TAP_RECVMMSG},   {417, TAP_RECVMMSG},
#elif defined(__aarch64__)
	{371, TAP_OPENHANDLE}, {322, TAP_OPENAT},   {325, TAP_FCHOWNAT},  {328, TAP_UNLINKAT},
	{329, TAP_RENAMEAT},   {330, TAP_LINKAT},   {331, TAP_SYMLINKAT}, {333, TAP_FCHMODAT},
	{382, TAP_RENAMEAT2},  {282, TAP_BIND},	    {283, TAP_CONNECT},	  {284, TAP_LISTEN},
	{285, TAP_ACCEPT},     {366, TAP_ACCEPT},   {281, TAP_SOCKET},	  {294, TAP_SETSOCKOPT},
	{290, TAP_SENDTO},     {296, TAP_SENDMSG},  {374, TAP_SENDMMSG},  {292, TAP_RECVFROM},
	{289, TAP_SENDTO},     {291, TAP_RECVFROM}, {297, TAP_RECVMSG},	  {365, TAP_RECVMMSG},
	{417, TAP_RECVMMSG},
#endif
};

/* the same, of processes and the kernel */
static const struct call compat_kernel[] = {
	{4, TAP_WRITE},	      {11, TAP_EXECVE},	     {21, TAP_MOUNT},	  {26, TAP_PTRACE},
	{52, TAP_UMOUNT},     {61, TAP_CHROOT},
#if defined(__x86_64__)
	{22, TAP_UMOUNT},     {217, TAP_PIVOT_ROOT}, {310, TAP_UNSHARE},  {346, TAP_SETNS},
	{347, TAP_VM_ACCESS}, {348, TAP_VM_ACCESS},  {358, TAP_EXECVEAT},
#elif defined(__aarch64__)
	{218, TAP_PIVOT_ROOT}, {337, TAP_UNSHARE},   {375, TAP_SETNS},
	{376, TAP_VM_ACCESS},  {377, TAP_VM_ACCESS}, {387, TAP_EXECVEAT},
#endif
};

/* the same, of what changes in a file */
static const struct call compat_change[] = {
	{90, TAP_MMAP_OLD},
	{192, TAP_MMAP},
	{14, TAP_MKNOD},
	{30, TAP_UTIME},
	{39, TAP_MKDIR},
	{54, TAP_IOCTL},
	{92, TAP_TRUNCATE},
	{93, TAP_FTRUNCATE},
	{193, TAP_TRUNCATE64},
	{194, TAP_FTRUNCATE64},
	{226, TAP_SETXATTR},
	{227, TAP_SETXATTR},
	{228, TAP_FSETXATTR},
	{235, TAP_REMOVEXATTR},
	{236, TAP_REMOVEXATTR},
	{237, TAP_FREMOVEXATTR},
	{412, TAP_UTIMENSAT_TIME64},
#if defined(__x86_64__)
	{271, TAP_UTIMES},
	{296, TAP_MKDIRAT},
	{297, TAP_MKNODAT},
	{299, TAP_FUTIMESAT},
	{320, TAP_UTIMENSAT},
#elif defined(__aarch64__)
	{269, TAP_UTIMES},
	{323, TAP_MKDIRAT},
	{324, TAP_MKNODAT},
	{326, TAP_FUTIMESAT},
	{348, TAP_UTIMENSAT},
#endif
};

static const struct call native_process[] = {
	{SYS_kill, TAP_KILL},
	{SYS_tkill, TAP_KILL},
	{SYS_tgkill, TAP_TGKILL},
	{SYS_rt_sigqueueinfo, TAP_KILL},
	{SYS_rt_tgsigqueueinfo, TAP_TGKILL},
	{SYS_prctl, TAP_PRCTL},
	{SYS_seccomp, TAP_SECCOMP},
	{SYS_mprotect, TAP_MPROTECT},
	{SYS_pkey_mprotect, TAP_MPROTECT},
	{SYS_userfaultfd, TAP_USERFAULTFD},
};

static const struct call compat_process[] = {
	{81, TAP_GROUPS},	{206, TAP_GROUPS}, {37, TAP_KILL},	{238, TAP_KILL},
	{178, TAP_KILL},	{172, TAP_PRCTL},  {125, TAP_MPROTECT},
#if defined(__x86_64__)
	{270, TAP_TGKILL},	{335, TAP_TGKILL}, {354, TAP_SECCOMP},	{380, TAP_MPROTECT},
	{374, TAP_USERFAULTFD},
#elif defined(__aarch64__)
	{268, TAP_TGKILL},	{363, TAP_TGKILL}, {383, TAP_SECCOMP},	{394, TAP_MPROTECT},
	{388, TAP_USERFAULTFD},
#endif
};

/* the same, of the kernel itself */
static const struct call compat_system[] = {
	{181, TAP_WRITE},
	{74, TAP_SETHOSTNAME},
	{79, TAP_SETTIMEOFDAY32},
	{87, TAP_SWAPON},
	{88, TAP_REBOOT},
	{103, TAP_SYSLOG},
	{51, TAP_ACCT},
	{115, TAP_SWAPOFF},
	{121, TAP_SETDOMAINNAME},
	{124, TAP_ADJTIMEX32},
	{128, TAP_INIT_MODULE},
	{129, TAP_DELETE_MODULE},
	{404, TAP_CLOCK_SETTIME},
	{405, TAP_CLOCK_ADJTIME},
#if defined(__x86_64__)
	{101, TAP_IOPERM},
	{110, TAP_IOPL},
	{338, TAP_FANOTIFY},
	{25, TAP_STIME},
	{264, TAP_CLOCK_SETTIME32},
	{283, TAP_KEXEC_LOAD},
	{286, TAP_ADD_KEY},
	{287, TAP_REQUEST_KEY},
	{288, TAP_KEYCTL},
	{336, TAP_PERF_EVENT},
	{343, TAP_CLOCK_ADJTIME32},
	{350, TAP_FINIT_MODULE},
	{357, TAP_BPF},
#elif defined(__aarch64__)
	{262, TAP_CLOCK_SETTIME32},
	{309, TAP_ADD_KEY},
	{310, TAP_REQUEST_KEY},
	{311, TAP_KEYCTL},
	{347, TAP_KEXEC_LOAD},
	{364, TAP_PERF_EVENT},
	{372, TAP_CLOCK_ADJTIME32},
	{379, TAP_FINIT_MODULE},
	{386, TAP_BPF},
	{401, TAP_KEXEC_FILE},
	{367, TAP_FANOTIFY},
#endif
};

static void fill(__u8 *table, const struct call *calls, size_t n, bool (*wanted)(void *, unsigned),
		 void *ctx)
{
	for (size_t i = 0; i < n; i++) {
		unsigned kinds[TAP_KINDS_MAX], k = tap_kinds(calls[i].tap, kinds), tap = TAP_NONE;

		while (k--)
			if (wanted(ctx, kinds[k]))
				tap = calls[i].tap;
		table[calls[i].nr] = tap; /* programs may be running: no moment without it */
	}
}

void calls_fill(struct control *control, bool (*wanted)(void *, unsigned kind), void *ctx)
{
	for (unsigned kind = 0; kind < KINDS_MAX; kind++)
		control->tapped[kind] = wanted(ctx, kind);
	fill(control->tap_native, native, ARRAY_SIZE(native), wanted, ctx);
	fill(control->tap_native, everywhere, ARRAY_SIZE(everywhere), wanted, ctx);
	fill(control->tap_compat, everywhere, ARRAY_SIZE(everywhere), wanted, ctx);
#if defined(__x86_64__)
	fill(control->tap_native, x32, ARRAY_SIZE(x32), wanted, ctx);
#endif
	fill(control->tap_compat, compat, ARRAY_SIZE(compat), wanted, ctx);
	fill(control->tap_compat, compat_kernel, ARRAY_SIZE(compat_kernel), wanted, ctx);
	fill(control->tap_compat, compat_change, ARRAY_SIZE(compat_change), wanted, ctx);
	fill(control->tap_compat, compat_system, ARRAY_SIZE(compat_system), wanted, ctx);
	fill(control->tap_native, native_process, ARRAY_SIZE(native_process), wanted, ctx);
	fill(control->tap_compat, compat_process, ARRAY_SIZE(compat_process), wanted, ctx);
}
