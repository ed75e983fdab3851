/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/*
 * The one list of event classes: name, number, lane.  Name and number are those
 * of the field in hinomi.Event.body (proto/event.proto).  Expanded into the enum,
 * the counters, the decode table and the coverage table.  A record's own lane is
 * decided when it is complete: bpf/lane.h.
 *
 * Numbers: 16 to 37 processes and files, 38 to 46 the kernel, 48 to 58 network, 59 to 62 sessions,
 * 64 to 79 the sensor, 80 to 87 files, 88 to 95 processes.
 */
#pragma once

enum lane {
	LANE_KEEP, /* what must arrive */
	LANE_BULK, /* what an unprivileged loop can produce without end */
	LANES,
	LANE_BY_RIGHTS =
		LANES, /* of a class: keep when a process with privileges did it, else bulk */
};

#define FOR_EACH_KERNEL_KIND(KIND)                     \
	KIND(exec, 16, LANE_KEEP)                      \
	KIND(fork, 17, LANE_BULK)                      \
	KIND(exit, 18, LANE_BULK)                      \
	KIND(cred_change, 19, LANE_KEEP)               \
	KIND(file_create, 20, LANE_BULK)               \
	KIND(file_open, 21, LANE_BULK)                 \
	KIND(file_unlink, 22, LANE_BULK)               \
	KIND(file_rename, 23, LANE_BULK)               \
	KIND(file_link, 24, LANE_BULK)                 \
	KIND(file_mode, 25, LANE_BULK)                 \
	KIND(file_owner, 26, LANE_BULK)                \
	KIND(connect, 27, LANE_BULK)                   \
	KIND(accept, 28, LANE_BULK)                    \
	KIND(listen, 29, LANE_BULK)                    \
	KIND(bind, 30, LANE_BULK)                      \
	KIND(tcp_close, 48, LANE_BULK)                 \
	KIND(udp_flow, 49, LANE_BULK)                  \
	KIND(socket_special, 50, LANE_BULK)            \
	KIND(socket_filter, 51, LANE_BY_RIGHTS)        \
	/* processes and mounts: 32 to 37, 88 to 95 */ \
	KIND(exec_failed, 32, LANE_BULK)               \
	KIND(process_access, 33, LANE_KEEP)            \
	KIND(signal, 34, LANE_BY_RIGHTS)               \
	KIND(mount, 35, LANE_KEEP)                     \
	KIND(chroot, 36, LANE_KEEP)                    \
	KIND(namespace, 37, LANE_KEEP)                 \
	KIND(sandbox, 89, LANE_BY_RIGHTS)              \
	KIND(process_name, 90, LANE_BULK)              \
	KIND(image_load, 91, LANE_BULK)                \
	KIND(memory_exec, 92, LANE_BY_RIGHTS)          \
	KIND(userfaultfd, 93, LANE_BY_RIGHTS)          \
	KIND(file_received, 94, LANE_BULK)             \
	KIND(prctl, 95, LANE_BULK)                     \
	KIND(dns, 52, LANE_BULK)                       \
	/* files: 80 to 87 */                          \
	KIND(file_read, 80, LANE_BULK)                 \
	KIND(file_xattr, 81, LANE_BULK)                \
	KIND(file_flags, 82, LANE_BY_RIGHTS)           \
	KIND(file_truncate, 83, LANE_BULK)             \
	KIND(file_times, 84, LANE_BULK)                \
	KIND(file_map, 86, LANE_BULK)                  \
	KIND(file_make, 85, LANE_BULK)                 \
	KIND(file_close, 87, LANE_BULK)                \
	/* sessions: 59 to 62 */                       \
	KIND(login, 59, LANE_KEEP)                     \
	KIND(tls_hello, 53, LANE_BULK)                 \
	KIND(metadata_request, 54, LANE_BULK)          \
	KIND(net_change, 55, LANE_BY_RIGHTS)           \
	KIND(audit_change, 56, LANE_BY_RIGHTS)         \
	/* the kernel itself: 38 to 46 */              \
	KIND(module_load, 38, LANE_KEEP)               \
	KIND(module_unload, 39, LANE_KEEP)             \
	KIND(bpf, 40, LANE_KEEP)                       \
	KIND(probe, 41, LANE_KEEP)                     \
	KIND(io_uring, 42, LANE_BULK)                  \
	KIND(cgroup_make, 88, LANE_BY_RIGHTS)          \
	KIND(keyring, 43, LANE_BULK)                   \
	KIND(sysctl, 44, LANE_KEEP)                    \
	KIND(system, 45, LANE_KEEP)                    \
	KIND(kernel_attempt, 46, LANE_BULK)            \
	/* counted in the kernel */                    \
	KIND(summary, 57, LANE_BULK)

/* made by the sensor, not by the kernel */
#define FOR_EACH_SENSOR_KIND(KIND)         \
	KIND(file_hash, 31, LANE_KEEP)     \
	KIND(sensor_start, 64, LANE_KEEP)  \
	KIND(sensor_stop, 65, LANE_KEEP)   \
	KIND(heartbeat, 66, LANE_KEEP)     \
	KIND(gap, 67, LANE_KEEP)           \
	KIND(coverage, 68, LANE_KEEP)      \
	KIND(sensor_tamper, 69, LANE_KEEP) \
	KIND(config_change, 70, LANE_KEEP)

#define FOR_EACH_KIND(KIND)        \
	FOR_EACH_KERNEL_KIND(KIND) \
	FOR_EACH_SENSOR_KIND(KIND)

/* not observed unless `classes_on` names them: hinomi.conf(5) says what they cost */
#define FOR_EACH_KIND_OFF(KIND) KIND(file_close)

enum kind {
#define KIND(name, number, lane) KIND_##name = number,
	FOR_EACH_KIND(KIND)
#undef KIND
		KIND_task =
			63, /* a running process found by the iterator at start; never an event */
	KINDS_MAX = 96,	    /* above every number */
};
