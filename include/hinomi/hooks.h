/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * Every BPF program that makes records, by the name of its function in bpf/.
 * A record carries the number of its hook, so that a canary proves each one.
 * Which class rests on which hooks in which order: userspace/attach/classes.c.
 */
#pragma once

#define FOR_EACH_HOOK(HOOK)            \
	HOOK(exec_tp)                  \
	HOOK(exec_raw)                 \
	HOOK(fork_tp)                  \
	HOOK(fork_raw)                 \
	HOOK(exit_tp)                  \
	HOOK(exit_raw)                 \
	HOOK(creds_enter)              \
	HOOK(open_exit)                \
	HOOK(open_exit_v7)             \
	HOOK(open_root_exit)           \
	HOOK(unlink_exit)              \
	HOOK(rmdir_exit)               \
	HOOK(rename_exit)              \
	HOOK(link_exit)                \
	HOOK(symlink_exit)             \
	HOOK(chmod_exit)               \
	HOOK(chown_exit)               \
	HOOK(inet_stream_connect_exit) \
	HOOK(inet_dgram_connect_exit)  \
	HOOK(unix_stream_connect_exit) \
	HOOK(unix_dgram_connect_exit)  \
	HOOK(inet_accept_exit)         \
	HOOK(unix_accept_exit)         \
	HOOK(inet_listen_exit)         \
	HOOK(unix_listen_exit)         \
	HOOK(inet_bind_exit)           \
	HOOK(inet6_bind_exit)          \
	HOOK(unix_bind_exit)           \
	HOOK(tap)                      \
	HOOK(tasks)                    \
	HOOK(other_connect)            \
	HOOK(other_bind)               \
	HOOK(other_listen)             \
	HOOK(unix_send_exit)           \
	HOOK(tcp_state_tp)             \
	HOOK(tcp_state_raw)            \
	HOOK(udp_send_exit)            \
	HOOK(udp6_send_enter)          \
	HOOK(udp_receive)              \
	HOOK(special_exit)             \
	HOOK(special_failed)           \
	HOOK(filter_exit)              \
	HOOK(filter_bpf_exit)          \
	HOOK(filter_option)            \
	HOOK(flows)                    \
	HOOK(summaries_tell)           \
	HOOK(summaries_walk)           \
	HOOK(bprm_exit)                \
	HOOK(alloc_bprm_exit)          \
	HOOK(ptrace_exit)              \
	HOOK(traceme_exit)             \
	HOOK(kill_exit)                \
	HOOK(refused_exit)             \
	HOOK(sigio_exit)               \
	HOOK(may_access_exit)          \
	HOOK(creds_refused)            \
	HOOK(seccomp_exit)             \
	HOOK(sandbox_prctl_exit)       \
	HOOK(rename_tp)                \
	HOOK(rename_raw)               \
	HOOK(prctl_exit)               \
	HOOK(exec_map)                 \
	HOOK(exec_protect)             \
	HOOK(userfaultfd_exit)         \
	HOOK(mem_write_exit)           \
	HOOK(madvise_exit)             \
	HOOK(receive_exit)             \
	HOOK(signal_tp)                \
	HOOK(mount_exit)               \
	HOOK(umount_exit)              \
	HOOK(move_mount_exit)          \
	HOOK(mount_setattr_exit)       \
	HOOK(open_tree_exit)           \
	HOOK(open_tree_attr_exit)      \
	HOOK(fsmount_exit)             \
	HOOK(fsconfig_exit)            \
	HOOK(pivot_root_exit)          \
	HOOK(chroot_exit)              \
	HOOK(unshare_exit)             \
	HOOK(setns_exit)               \
	HOOK(dns_send_exit)            \
	HOOK(dns6_send_enter)          \
	HOOK(dns_receive_exit)         \
	HOOK(dns6_receive_exit)        \
	HOOK(dns_stream_exit)          \
	HOOK(socket_read)              \
	HOOK(setxattr_exit)            \
	HOOK(removexattr_exit)         \
	HOOK(set_acl_exit)             \
	HOOK(remove_acl_exit)          \
	HOOK(fileattr_exit)            \
	HOOK(truncate_exit)            \
	HOOK(ftruncate_exit)           \
	HOOK(utimes_exit)              \
	HOOK(mkdir_exit)               \
	HOOK(mknod_exit)               \
	HOOK(vfs_create_exit)          \
	HOOK(loginuid_exit)            \
	HOOK(opening_exit)             \
	HOOK(sendpage_exit)            \
	HOOK(mptcp_send_exit)          \
	HOOK(mptcp_receive_exit)       \
	HOOK(socket_write)             \
	HOOK(sockets)                  \
	HOOK(netlink_exit)             \
	HOOK(option_enter)             \
	HOOK(ioctl_exit)               \
	HOOK(bpf_link_end)             \
	HOOK(mmap_exit)                \
	HOOK(close_enter)              \
	HOOK(module_load_tp)           \
	HOOK(module_load_raw)          \
	HOOK(module_free_tp)           \
	HOOK(module_free_raw)          \
	HOOK(init_module_exit)         \
	HOOK(finit_module_exit)        \
	HOOK(delete_module_exit)       \
	HOOK(bpf_exit)                 \
	HOOK(perf_event_open_exit)     \
	HOOK(kprobe_exit)              \
	HOOK(io_uring_tp)              \
	HOOK(io_uring_raw)             \
	HOOK(cgroup_tp)                \
	HOOK(cgroup_raw)               \
	HOOK(add_key_exit)             \
	HOOK(request_key_exit)         \
	HOOK(keyctl_exit)              \
	HOOK(kexec_load_exit)          \
	HOOK(kexec_file_load_exit)     \
	HOOK(sethostname_exit)         \
	HOOK(setdomainname_exit)       \
	HOOK(swapon_exit)              \
	HOOK(swapoff_exit)             \
	HOOK(reboot_enter)             \
	HOOK(settime_exit)             \
	HOOK(adjtimex_exit)            \
	HOOK(syslog_exit)              \
	HOOK(memory_exit)              \
	HOOK(kcore_exit)               \
	HOOK(acct_exit)                \
	HOOK(fanotify_init_exit)       \
	HOOK(iopl_exit)                \
	HOOK(ioperm_exit)              \
	HOOK(terminal_exit)            \
	HOOK(sysctl_exit)

enum hook_id {
	HOOK_NONE,
#define HOOK(name) HOOK_##name,
	FOR_EACH_HOOK(HOOK)
#undef HOOK
		HOOKS,
};
