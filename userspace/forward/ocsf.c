/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/ocsf.h"

#include <errno.h>
#include <hinomi/kinds.h>

#include "base/cleanup.h"

#define OTHER 99

enum {
	FILE_SYSTEM = 1001,
	KERNEL_EXTENSION = 1002,
	KERNEL = 1003,
	PROCESS = 1007,
	EVENT_LOG = 1008,
	MEMORY = 1004,
	MODULE = 1005,
	AUTHENTICATION = 3002,
	NETWORK = 4001,
	HTTP_ACTIVITY = 4002,
	DNS_ACTIVITY = 4003,
	APPLICATION = 6002
};
enum { INFORMATIONAL = 1, LOW = 2, MEDIUM = 3 };

static const struct row {
	uint32_t class_uid, activity_id;
	const char *activity_name;
	uint32_t severity_id;
} rows[KINDS_MAX] = {
	[KIND_exec] = {PROCESS, 1, NULL, INFORMATIONAL},
	[KIND_fork] = {PROCESS, 1, NULL, INFORMATIONAL},
	[KIND_exit] = {PROCESS, 2, NULL, INFORMATIONAL},
	[KIND_cred_change] = {PROCESS, 5, NULL, LOW},
	[KIND_file_create] = {FILE_SYSTEM, 1, NULL, INFORMATIONAL},
	[KIND_file_open] = {FILE_SYSTEM, 14, NULL, INFORMATIONAL},
	[KIND_file_unlink] = {FILE_SYSTEM, 4, NULL, INFORMATIONAL},
	[KIND_file_rename] = {FILE_SYSTEM, 5, NULL, INFORMATIONAL},
	[KIND_file_link] = {FILE_SYSTEM, 1, NULL, INFORMATIONAL},
	[KIND_file_mode] = {FILE_SYSTEM, 7, NULL, INFORMATIONAL},
	[KIND_file_owner] = {FILE_SYSTEM, 7, NULL, INFORMATIONAL},
	[KIND_file_read] = {FILE_SYSTEM, 2, NULL, LOW},
	[KIND_file_xattr] = {FILE_SYSTEM, 6, NULL, INFORMATIONAL},
	[KIND_file_flags] = {FILE_SYSTEM, 6, NULL, LOW},
	[KIND_file_truncate] = {FILE_SYSTEM, 3, NULL, INFORMATIONAL},
	[KIND_file_times] = {FILE_SYSTEM, 6, NULL, INFORMATIONAL},
	[KIND_file_map] = {FILE_SYSTEM, 3, NULL, INFORMATIONAL},
	[KIND_file_close] = {FILE_SYSTEM, OTHER, "Close", INFORMATIONAL},
	[KIND_file_make] = {FILE_SYSTEM, 1, NULL, INFORMATIONAL},
	[KIND_connect] = {NETWORK, 1, NULL, INFORMATIONAL},
	[KIND_accept] = {NETWORK, 1, NULL, INFORMATIONAL},
	[KIND_listen] = {NETWORK, 7, NULL, INFORMATIONAL},
	[KIND_bind] = {NETWORK, OTHER, "Bind", INFORMATIONAL},
	[KIND_tcp_close] = {NETWORK, 2, NULL, INFORMATIONAL},
	[KIND_udp_flow] = {NETWORK, 6, NULL, INFORMATIONAL},
	[KIND_socket_special] = {NETWORK, OTHER, "Special Socket", LOW},
	[KIND_socket_filter] = {NETWORK, OTHER, "Socket Filter", LOW},
	[KIND_exec_failed] = {PROCESS, OTHER, "Launch Failed", INFORMATIONAL},
	[KIND_process_access] = {PROCESS, 3, NULL, LOW},
	[KIND_signal] = {PROCESS, OTHER, "Signal", INFORMATIONAL},
	[KIND_mount] = {FILE_SYSTEM, 12, NULL, LOW},
	[KIND_chroot] = {PROCESS, OTHER, "Change Root", LOW},
	[KIND_namespace] = {PROCESS, OTHER, "Change Namespaces", LOW},
	[KIND_login] = {AUTHENTICATION, 1, NULL, INFORMATIONAL},
	[KIND_sandbox] = {PROCESS, OTHER, "Restrict", INFORMATIONAL},
	[KIND_process_name] = {PROCESS, OTHER, "Rename", INFORMATIONAL},
	[KIND_image_load] = {MODULE, 1, NULL, INFORMATIONAL},
	[KIND_memory_exec] = {MEMORY, OTHER, "Make Executable", LOW},
	[KIND_userfaultfd] = {MEMORY, OTHER, "Handle Page Faults", LOW},
	[KIND_file_received] = {FILE_SYSTEM, OTHER, "Receive", INFORMATIONAL},
	[KIND_prctl] = {PROCESS, OTHER, "Set Attribute", INFORMATIONAL},
	[KIND_dns] = {DNS_ACTIVITY, 1, NULL, INFORMATIONAL},
	[KIND_tls_hello] = {NETWORK, OTHER, "TLS Hello", INFORMATIONAL},
	[KIND_net_change] = {NETWORK, OTHER, "Network Change", LOW},
	[KIND_audit_change] = {EVENT_LOG, OTHER, "Audit Change", MEDIUM},
	[KIND_metadata_request] = {HTTP_ACTIVITY, OTHER, "Cloud Metadata", LOW},
	[KIND_module_load] = {KERNEL_EXTENSION, 1, NULL, MEDIUM},
	[KIND_module_unload] = {KERNEL_EXTENSION, 2, NULL, LOW},
	[KIND_bpf] = {KERNEL, OTHER, "BPF", LOW},
	[KIND_probe] = {KERNEL, OTHER, "Probe", LOW},
	[KIND_cgroup_make] = {KERNEL, 1, NULL, INFORMATIONAL},
	[KIND_io_uring] = {KERNEL, OTHER, "Ring", INFORMATIONAL},
	[KIND_keyring] = {KERNEL, OTHER, "Key", INFORMATIONAL},
	[KIND_sysctl] = {KERNEL, OTHER, "Setting", LOW},
	[KIND_system] = {KERNEL, OTHER, "System", MEDIUM},
	[KIND_kernel_attempt] = {KERNEL, OTHER, "Attempt", LOW},
	[KIND_summary] = {EVENT_LOG, OTHER, "Events Counted", LOW},
	[KIND_file_hash] = {FILE_SYSTEM, OTHER, "Hash", INFORMATIONAL},
	[KIND_sensor_start] = {APPLICATION, 3, NULL, INFORMATIONAL},
	[KIND_sensor_stop] = {APPLICATION, 4, NULL, LOW},
	[KIND_heartbeat] = {APPLICATION, OTHER, "Heartbeat", INFORMATIONAL},
	[KIND_coverage] = {APPLICATION, OTHER, "Coverage", LOW},
	[KIND_sensor_tamper] = {APPLICATION, OTHER, "Tampering", MEDIUM},
	[KIND_config_change] = {APPLICATION, OTHER, "Configuration Change", LOW},
	[KIND_gap] = {EVENT_LOG, OTHER, "Events Lost", MEDIUM},
};

static const struct {
	int32_t number;
	const char *text;
} otlp_severities[] = {
	[INFORMATIONAL] = {9, "INFO"}, [LOW] = {10, "INFO2"}, [MEDIUM] = {13, "WARN"}};

struct ocsf ocsf_of(const Hinomi__Event *event)
{
	struct row row = {0, OTHER, "Unknown", INFORMATIONAL};

	if ((unsigned)event->body_case < KINDS_MAX && rows[event->body_case].class_uid)
		row = rows[event->body_case];
	if ((event->body_case == HINOMI__EVENT__BODY_CONNECT ||
	     event->body_case == HINOMI__EVENT__BODY_TCP_CLOSE) &&
	    event->result)
		row.activity_id = event->result == -ECONNREFUSED ? 5 /* Refuse */ : 4 /* Fail */;
	if (event->body_case == HINOMI__EVENT__BODY_TCP_CLOSE &&
	    event->tcp_close->reason == HINOMI__TCP_CLOSE__REASON__REASON_RESET)
		row.activity_id = 3;
	if (event->body_case == HINOMI__EVENT__BODY_MOUNT &&
	    event->mount->action == HINOMI__MOUNT__ACTION__ACTION_UMOUNT)
		row.activity_id = 13;
	return (struct ocsf){.class_uid = row.class_uid,
			     .activity_id = row.activity_id,
			     .activity_name = row.activity_name,
			     .severity_id = row.severity_id,
			     .severity_number = otlp_severities[row.severity_id].number,
			     .severity_text = otlp_severities[row.severity_id].text};
}
