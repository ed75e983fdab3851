// SPDX-License-Identifier: Apache-2.0
/* The table of classes and hooks; attach.c walks it. */
#include "attach/classes.h"

#include <string.h>

#include "base/cleanup.h"

#define CLASS(label, ...)                                                      \
	{                                                                      \
		.name = #label, .kind = KIND_##label, .tiers = { __VA_ARGS__ } \
	}
#define CLASS_PROVEN(how, label, ...)                                                        \
	{                                                                                    \
		.name = #label, .kind = KIND_##label, .proof = how, .tiers = { __VA_ARGS__ } \
	}
/* what the tap alone does not see of writes to sockets */
#define TAP_AND_WRITES                                            \
	{                                                         \
		.programs = {"tap"}, .extras = { "socket_write" } \
	}
/* tcp_sendpage is gone since 6.5 (1d7e4538a546), and what it did goes through the other */
#define OPENING_TIER                                      \
	{                                                 \
		.programs = {"opening_exit"}, .extras = { \
			"sendpage_exit|opening_exit",     \
			"mptcp_send_exit"                 \
		}                                         \
	}
#define TIER(...)                   \
	{                           \
		{                   \
			__VA_ARGS__ \
		}                   \
	}

/* the second is for files that are opened by their handle, not by a name */
#define OPEN_TIER                                                                      \
	{                                                                              \
		.programs = {"open_exit|open_exit_v7"}, .extras = { "open_root_exit" } \
	}

/* what is over when an exec is told: files of the chain, capabilities of the file */
#define EXEC_TIER(program)                                                           \
	{                                                                            \
		.programs = {program}, .extras = { "level_enter", "file_caps_exit" } \
	}

/* process_madvise has no function that 5.10 calls by its name */
#define ACCESS_TIER(...)                               \
	{                                              \
		.programs = {__VA_ARGS__}, .extras = { \
			"madvise_exit",                \
			"madvise_ia32",                \
			"may_access_exit"              \
		}                                      \
	}

const struct class classes[] = {
	CLASS(exec, EXEC_TIER("exec_tp"), EXEC_TIER("exec_raw")),
	CLASS(fork, TIER("fork_tp"), TIER("fork_raw")),
	CLASS(exit, TIER("exit_tp"), TIER("exit_raw")),
	CLASS(cred_change,
	      {.programs = {"creds_enter"},
	       .extras =
		       {"creds_refused",	  "creds_refused_ia32",	    "setresgid_refused",
			"setresgid_refused_ia32", "setreuid_refused",	    "setreuid_refused_ia32",
			"setregid_refused",	  "setregid_refused_ia32",  "setuid_refused",
			"setuid_refused_ia32",	  "setgid_refused",	    "setgid_refused_ia32",
			"setgroups_refused",	  "setgroups_refused_ia32", "capset_refused",
			"capset_refused_ia32",	  "setresuid16_refused",    "setresgid16_refused",
			"setreuid16_refused",	  "setregid16_refused",	    "setuid16_refused",
			"setgid16_refused",	  "setgroups16_refused"}},
	      TIER("tap")),
	CLASS(file_create, OPEN_TIER, TIER("tap")),
	CLASS(file_open, OPEN_TIER, TIER("tap")),
	CLASS(file_read, OPEN_TIER, TIER("tap")),
	CLASS(file_unlink, TIER("unlink_enter", "rmdir_enter", "unlink_exit", "rmdir_exit"),
	      TIER("tap")),
	CLASS(file_rename, TIER("rename_enter", "rename_exit"), TIER("tap")),
	CLASS(file_link, TIER("link_enter", "symlink_enter", "link_exit", "symlink_exit"),
	      TIER("tap")),
	CLASS(file_mode, TIER("chmod_enter", "chmod_exit"), TIER("tap")),
	CLASS(file_owner, TIER("chown_enter", "chown_exit"), TIER("tap")),
	CLASS(file_xattr,
	      TIER("setxattr_enter", "setxattr_exit", "removexattr_enter", "removexattr_exit",
		   "set_acl_enter|setxattr_enter", "set_acl_exit|setxattr_exit",
		   "remove_acl_enter|setxattr_enter", "remove_acl_exit|setxattr_exit"),
	      TIER("tap")),
	CLASS(file_flags, TIER("fileattr_enter", "fileattr_exit"), TIER("tap")),
	CLASS(file_truncate,
	      TIER("truncate_enter", "truncate_exit", "ftruncate_enter", "ftruncate_exit"),
	      TIER("tap")),
	CLASS(file_times, TIER("utimes_enter", "utimes_exit"), TIER("tap")),
	CLASS(file_map, TIER("mmap_exit"), TIER("tap")),
	CLASS(file_close,
	      {.programs = {"close_enter", "read_count", "write_count"},
	       .extras = {"readv_count", "writev_count", "copy_count", "splice_count"}}),
	CLASS(file_make,
	      TIER("mkdir_enter", "mknod_enter", "mkdir_exit", "mknod_exit", "vfs_create_exit"),
	      TIER("tap")),
	CLASS(connect,
	      TIER("inet_stream_connect_exit", "inet_dgram_connect_exit",
		   "unix_stream_connect_exit", "unix_dgram_connect_exit", "unix_send_exit",
		   "other_connect", "fastopen_exit"),
	      TIER("tap")),
	CLASS(accept,
	      {.programs = {"inet_accept_exit", "unix_accept_exit"},
	       .extras = {"other_accept|other_accept_fd", "mptcp_stream_accept_exit"}},
	      TIER("tap")),
	CLASS(listen,
	      {.programs = {"inet_listen_exit", "unix_listen_exit", "other_listen"},
	       .extras = {"mptcp_listen_exit"}},
	      TIER("tap")),
	CLASS(bind,
	      {.programs = {"inet_bind_exit", "inet6_bind_exit", "unix_bind_exit", "other_bind"},
	       .extras = {"mptcp_bind_exit"}},
	      TIER("tap")),
	CLASS(tcp_close, TIER("tcp_state_tp"), TIER("tcp_state_raw")),
	CLASS(udp_flow, TIER("udp_send_exit", "udp6_send_enter", "udp_receive"), TIER("tap")),
	CLASS(socket_special, TIER("special_exit", "special_failed"), TIER("tap")),
	CLASS(socket_filter, TIER("filter_exit", "filter_bpf_exit", "filter_option"), TIER("tap")),
	/* from 6.8 on the file is opened before bprm_execve (978ffcbf00d8) */
	CLASS(exec_failed, TIER("bprm_exit", "alloc_bprm_exit|bprm_exit"), TIER("tap")),
	CLASS_PROVEN(PROOF_UNCONFINED, process_access,
		     ACCESS_TIER("ptrace_exit", "traceme_exit", "mem_write_exit"), TIER("tap")),
	CLASS(signal, {.programs = {"kill_exit", "refused_exit"}, .extras = {"sigio_exit"}},
	      TIER("tap", "signal_tp")),
	CLASS_PROVEN(PROOF_UNCONFINED, mount,
		     TIER("mount_exit", "umount_enter", "umount_exit", "move_mount_enter",
			  "move_mount_exit", "move_mount_ia32|move_mount_exit", "pivot_root_enter",
			  "pivot_root_exit", "pivot_root_ia32|pivot_root_exit", "open_tree_exit",
			  "open_tree_ia32|open_tree_exit", "fsmount_exit",
			  "fsmount_ia32|fsmount_exit", "fsconfig_exit",
			  "fsconfig_ia32|fsconfig_exit", "mount_setattr_exit|mount_exit",
			  "mount_setattr_ia32|mount_exit", "open_tree_attr_exit|mount_exit",
			  "open_tree_attr_ia32|mount_exit"),
		     TIER("tap")),
	CLASS_PROVEN(PROOF_UNCONFINED, chroot,
		     TIER("chroot_enter", "chroot_exit", "chroot_ia32|chroot_exit"), TIER("tap")),
	CLASS_PROVEN(PROOF_UNCONFINED, namespace,
		     TIER("unshare_enter", "unshare_exit", "setns_enter", "setns_exit",
			  "setns_enter_ia32|setns_enter", "setns_ia32|setns_exit"),
		     TIER("tap")),
	CLASS(login, TIER("loginuid_exit"), TIER("tap")),
	CLASS(sandbox,
	      TIER("seccomp_exit", "seccomp_ia32|seccomp_exit", "sandbox_prctl_exit",
		   "sandbox_prctl_ia32|sandbox_prctl_exit"),
	      TIER("tap")),
	CLASS(process_name, TIER("rename_tp"), TIER("rename_raw")),
	CLASS(prctl, TIER("prctl_exit", "prctl_ia32|prctl_exit"), TIER("tap")),
	CLASS_PROVEN(PROOF_UNCONFINED, image_load, TIER("exec_map", "exec_protect"), TIER("tap")),
	CLASS_PROVEN(PROOF_UNCONFINED, memory_exec, TIER("exec_map", "exec_protect"), TIER("tap")),
	CLASS_PROVEN(PROOF_UNCONFINED, userfaultfd,
		     TIER("userfaultfd_exit", "userfaultfd_ia32|userfaultfd_exit"), TIER("tap")),
	CLASS(file_received, TIER("receive_exit"), TIER("tap")),
	CLASS(dns,
	      {.programs = {"dns_send_exit", "dns6_send_enter", "dns_receive_exit",
			    "dns6_receive_exit"},
	       .extras = {"opening_exit", "dns_stream_exit", "sendpage_exit|opening_exit",
			  "mptcp_send_exit", "mptcp_receive_exit"}},
	      {.programs = {"tap"}, .extras = {"socket_write", "socket_read"}}),
	CLASS(tls_hello, OPENING_TIER, TAP_AND_WRITES),
	CLASS(metadata_request, OPENING_TIER, TAP_AND_WRITES),
	CLASS(net_change,
	      TIER("netlink_enter", "netlink_answer", "netlink_exit", "option_enter", "ioctl_exit",
		   "ioctl_compat|ioctl_exit"),
	      TAP_AND_WRITES),
	CLASS(audit_change, TIER("netlink_enter", "netlink_answer", "netlink_exit"),
	      TAP_AND_WRITES),
	CLASS_PROVEN(PROOF_NONE, module_load,
		     TIER("module_load_tp", "init_module_exit", "init_module_ia32|init_module_exit",
			  "finit_module_exit", "finit_module_ia32|finit_module_exit"),
		     TIER("tap", "module_load_raw")),
	CLASS_PROVEN(PROOF_NONE, module_unload,
		     TIER("module_free_tp", "delete_module_exit",
			  "delete_module_ia32|delete_module_exit"),
		     TIER("tap", "module_free_raw")),
	CLASS(bpf,
	      {.programs = {"bpf_exit", "bpf_ia32|bpf_exit"},
	       .extras = {"bpf_check_enter", "bpf_link_end", "ioctl_exit",
			  "ioctl_compat|ioctl_exit"}},
	      TIER("tap")),
	/* Debian lets only CAP_SYS_ADMIN make the kprobe that would prove the other program */
	CLASS(probe,
	      {.programs = {"perf_event_open_exit", "perf_event_open_ia32|perf_event_open_exit"},
	       .extras = {"kprobe_exit"}},
	      {.programs = {"tap"}, .extras = {"kprobe_exit"}}),
	CLASS_PROVEN(PROOF_UNCONFINED, io_uring, TIER("io_uring_tp"), TIER("io_uring_raw")),
	CLASS_PROVEN(PROOF_NONE, cgroup_make, TIER("cgroup_tp"), TIER("cgroup_raw")),
	CLASS(keyring,
	      TIER("add_key_exit", "add_key_ia32|add_key_exit", "request_key_exit",
		   "request_key_ia32|request_key_exit", "keyctl_exit", "keyctl_ia32|keyctl_exit"),
	      TIER("tap")),
	CLASS_PROVEN(PROOF_UNCONFINED, sysctl, TIER("sysctl_enter", "sysctl_exit"), TIER("tap")),
	CLASS_PROVEN(PROOF_UNCONFINED, system,
		     {.programs = {"kexec_load_exit",
				   "kexec_load_ia32|kexec_load_exit",
				   "kexec_file_load_exit",
				   "sethostname_exit",
				   "sethostname_ia32|sethostname_exit",
				   "setdomainname_exit",
				   "setdomainname_ia32|setdomainname_exit",
				   "swapon_exit",
				   "swapon_ia32|swapon_exit",
				   "swapoff_exit",
				   "swapoff_ia32|swapoff_exit",
				   "reboot_enter",
				   "reboot_enter_ia32|reboot_enter",
				   "settime_exit",
				   "adjtimex_exit",
				   "syslog_exit",
				   "syslog_ia32|syslog_exit",
				   "acct_exit|syslog_exit",
				   "acct_ia32|acct_exit|syslog_exit",
				   "fanotify_init_exit|syslog_exit",
				   "fanotify_init_ia32|fanotify_init_exit|syslog_exit",
				   "iopl_exit|syslog_exit",
				   "iopl_ia32|iopl_exit|syslog_exit",
				   "ioperm_exit|syslog_exit",
				   "ioperm_ia32|ioperm_exit|syslog_exit"},
		      .extras = {"memory_exit", "kcore_exit", "terminal_exit"}},
		     {.programs = {"tap"}, .extras = {"kcore_exit", "terminal_exit"}}),
	CLASS(kernel_attempt, TIER("bpf_exit", "bpf_ia32|bpf_exit"), TIER("tap")),
	CLASS_PROVEN(PROOF_NONE, summary, TIER(SUMMARIES_PROGRAMS), TIER(SUMMARIES_PROGRAMS)),
};
const unsigned nclasses = ARRAY_SIZE(classes);

/* a class in kinds.h without a line above does not build */
#define KIND(name, number, lane) +1
_Static_assert(ARRAY_SIZE(classes) == FOR_EACH_KERNEL_KIND(KIND), "a class has no hooks");
#undef KIND

static const char *const hook_names[HOOKS] = {
#define HOOK(name) [HOOK_##name] = #name,
	FOR_EACH_HOOK(HOOK)
#undef HOOK
};

const char *hook_name(unsigned hook)
{
	return hook_names[hook];
}

int hook_by_name(const char *program)
{
	for (int i = 1; i < HOOKS; i++)
		if (!strcmp(program, hook_names[i]))
			return i;
	return HOOK_NONE;
}
