// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel side, one object for every kernel from 5.10 on.  Programs are all
 * optional ("?"): userspace/attach/ loads those that the running kernel can have.
 */
#include "kernel.h"
#include "kernel_system.h"
#include "kernel_process.h"
#include "kernel_mount.h"
#include "kernel_network.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <hinomi/maps.h>
#include <hinomi/metadata_service.h>
#include <hinomi/net_change.h>
#include <hinomi/record.h>
#include <hinomi/record_file.h>
#include <hinomi/record_kernel.h>
#include <hinomi/record_network.h>
#include <hinomi/record_process.h>
#include <hinomi/hooks.h>
#include <hinomi/rewrite.h>

char LICENSE[] SEC("license") = "GPL";

#include "whole.h"
#include "read.h"
#include "facts.h"
#include "regs.h"
#include "record.h"
#include "bulk.h"
#include "path.h"
#include "process.h"
#include "watch.h"
#include "pending.h"
#include "file.h"
#include "socket.h"
#include "exec.h"
#include "creds.h"
#include "call.h"
#include "activity.h"
#include "creds_refused.h"
#include "open.h"
#include "share.h"
#include "flow.h"
#include "login.h"
#include "tasks.h"
#include "message.h"
#include "udp.h"
#include "unix.h"
#include "stream.h"
#include "dns.h"
#include "dns_stream.h"
#include "opening.h"
#include "special.h"
#include "net_change.h"
#include "standing.h"
#include "exec_failed.h"
#include "inject.h"
#include "mount.h"
#include "mount_api.h"
#include "namespace.h"
#include "change.h"
#include "make.h"
#include "file_map.h"
#include "attempt.h"
#include "module.h"
#include "program.h"
#include "ioctl.h"
#include "probe.h"
#include "uring.h"
#include "cgroup.h"
#include "keyring.h"
#include "system.h"
#include "sysctl.h"
#include "sandbox.h"
#include "attributes.h"
#include "memory.h"
#include "remote.h"
#include "receive.h"
#include "tap.h"
#include "tap_write.h"
