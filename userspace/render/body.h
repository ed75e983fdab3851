/* SPDX-License-Identifier: Apache-2.0 */
/* What an event did and to what, in words: the part of a text line that differs by class. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "event.pb-c.h"

#define STYLE_DIM     "\033[2m"
#define STYLE_BOLD    "\033[1m"
#define STYLE_RED     "\033[31m"
#define STYLE_ALARM   "\033[1;31m"
#define STYLE_GREEN   "\033[32m"
#define STYLE_YELLOW  "\033[33m"
#define STYLE_BLUE    "\033[34m"
#define STYLE_MAGENTA "\033[35m"
#define STYLE_CYAN    "\033[36m"

#define BODY_ARROW    "→"

struct body {
	FILE *what; /* may be cut to the width of the terminal */
	FILE *note; /* what qualifies it: results, warnings; kept whole as long as possible */
	bool colour;
	const Hinomi__Process *process; /* who did it; may be NULL */
};

void body_write(const struct body *body, const Hinomi__Event *event);
/* Colour of the class's name. */
const char *body_style(const Hinomi__Event *event);

/* Text in a style and back, plain where there is no colour. */
void body_styled(FILE *out, bool colour, const char *style, const char *text);
void body_note(const struct body *body, const char *style, const char *text);
void body_bytes(FILE *out, const ProtobufCBinaryData *bytes);
/* One argument as a shell would need it. */
void body_quote(FILE *out, const ProtobufCBinaryData *arg);

void body_put_file(const struct body *body, const Hinomi__File *file);
/* How a session began: "ssh from 203.0.113.7:51234", "cron". */
void body_session(FILE *out, const Hinomi__Session *session);

/* The message in Event.body; NULL when this build does not know the class. */
const ProtobufCMessage *body_message(const Hinomi__Event *event);
/* The file or the socket that an event is about, NULL when it is about none. */
const Hinomi__File *body_file(const Hinomi__Event *event);
const Hinomi__Socket *body_socket(const Hinomi__Event *event);

/* one per class: body_process.c, body_kernel.c, body_file.c, body_socket.c, body_net.c,
 * body_opening.c, body_net_change.c, body_sensor.c */
typedef void body_say(const struct body *body, const Hinomi__Event *event);
body_say say_exec, say_fork, say_exit, say_cred_change;
body_say say_file_create, say_file_open, say_file_unlink, say_file_rename, say_file_link;
body_say say_file_read, say_file_xattr, say_file_flags, say_file_truncate, say_file_times,
	say_file_make, say_file_map, say_file_close;
body_say say_file_mode, say_file_owner, say_file_hash;
body_say say_connect, say_accept, say_listen, say_bind;
body_say say_tcp_close, say_udp_flow, say_socket_special, say_socket_filter, say_dns;
body_say say_tls_hello, say_metadata_request, say_net_change, say_audit_change;
body_say say_exec_failed, say_process_access, say_signal, say_mount, say_chroot, say_namespace;
body_say say_login;
body_say say_module_load, say_module_unload, say_bpf, say_probe, say_io_uring, say_keyring,
	say_cgroup_make;
body_say say_sysctl, say_system, say_kernel_attempt, say_summary;
body_say say_image_load, say_memory_exec, say_userfaultfd, say_file_received;
body_say say_sandbox, say_process_name, say_prctl;
body_say say_sensor_start, say_sensor_stop, say_heartbeat, say_gap, say_coverage;
body_say say_sensor_tamper, say_config_change;
