/* SPDX-License-Identifier: Apache-2.0 */
#include "render/body.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "render/render.h"
#include "render/words.h"

/* A class that is not here is shown as its message in JSON. */
static const struct {
	body_say *say;
	const char *style;
} classes[] = {
	[HINOMI__EVENT__BODY_EXEC] = {say_exec, STYLE_GREEN},
	[HINOMI__EVENT__BODY_FORK] = {say_fork, STYLE_DIM},
	[HINOMI__EVENT__BODY_EXIT] = {say_exit, STYLE_DIM},
	[HINOMI__EVENT__BODY_CRED_CHANGE] = {say_cred_change, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_FILE_CREATE] = {say_file_create, STYLE_BLUE},
	[HINOMI__EVENT__BODY_FILE_OPEN] = {say_file_open, STYLE_BLUE},
	[HINOMI__EVENT__BODY_FILE_UNLINK] = {say_file_unlink, STYLE_YELLOW},
	[HINOMI__EVENT__BODY_FILE_RENAME] = {say_file_rename, STYLE_YELLOW},
	[HINOMI__EVENT__BODY_FILE_LINK] = {say_file_link, STYLE_YELLOW},
	[HINOMI__EVENT__BODY_FILE_MODE] = {say_file_mode, STYLE_YELLOW},
	[HINOMI__EVENT__BODY_FILE_OWNER] = {say_file_owner, STYLE_YELLOW},
	[HINOMI__EVENT__BODY_FILE_READ] = {say_file_read, STYLE_BLUE},
	[HINOMI__EVENT__BODY_FILE_XATTR] = {say_file_xattr, STYLE_YELLOW},
	[HINOMI__EVENT__BODY_FILE_FLAGS] = {say_file_flags, STYLE_YELLOW},
	[HINOMI__EVENT__BODY_FILE_TRUNCATE] = {say_file_truncate, STYLE_YELLOW},
	[HINOMI__EVENT__BODY_FILE_TIMES] = {say_file_times, STYLE_YELLOW},
	[HINOMI__EVENT__BODY_FILE_MAP] = {say_file_map, STYLE_BLUE},
	[HINOMI__EVENT__BODY_FILE_CLOSE] = {say_file_close, STYLE_BLUE},
	[HINOMI__EVENT__BODY_FILE_MAKE] = {say_file_make, STYLE_BLUE},
	[HINOMI__EVENT__BODY_CONNECT] = {say_connect, STYLE_CYAN},
	[HINOMI__EVENT__BODY_ACCEPT] = {say_accept, STYLE_CYAN},
	[HINOMI__EVENT__BODY_LISTEN] = {say_listen, STYLE_CYAN},
	[HINOMI__EVENT__BODY_BIND] = {say_bind, STYLE_CYAN},
	[HINOMI__EVENT__BODY_TCP_CLOSE] = {say_tcp_close, STYLE_CYAN},
	[HINOMI__EVENT__BODY_UDP_FLOW] = {say_udp_flow, STYLE_CYAN},
	[HINOMI__EVENT__BODY_SOCKET_SPECIAL] = {say_socket_special, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_SOCKET_FILTER] = {say_socket_filter, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_DNS] = {say_dns, STYLE_CYAN},
	[HINOMI__EVENT__BODY_TLS_HELLO] = {say_tls_hello, STYLE_CYAN},
	[HINOMI__EVENT__BODY_METADATA_REQUEST] = {say_metadata_request, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_NET_CHANGE] = {say_net_change, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_AUDIT_CHANGE] = {say_audit_change, STYLE_ALARM},
	[HINOMI__EVENT__BODY_FILE_HASH] = {say_file_hash, STYLE_DIM},
	[HINOMI__EVENT__BODY_EXEC_FAILED] = {say_exec_failed, STYLE_DIM},
	[HINOMI__EVENT__BODY_PROCESS_ACCESS] = {say_process_access, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_SIGNAL] = {say_signal, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_MOUNT] = {say_mount, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_CHROOT] = {say_chroot, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_NAMESPACE] = {say_namespace, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_LOGIN] = {say_login, STYLE_BOLD},
	[HINOMI__EVENT__BODY_MODULE_LOAD] = {say_module_load, STYLE_ALARM},
	[HINOMI__EVENT__BODY_MODULE_UNLOAD] = {say_module_unload, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_BPF] = {say_bpf, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_PROBE] = {say_probe, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_IO_URING] = {say_io_uring, STYLE_DIM},
	[HINOMI__EVENT__BODY_CGROUP_MAKE] = {say_cgroup_make, STYLE_DIM},
	[HINOMI__EVENT__BODY_KEYRING] = {say_keyring, STYLE_DIM},
	[HINOMI__EVENT__BODY_SYSCTL] = {say_sysctl, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_SYSTEM] = {say_system, STYLE_ALARM},
	[HINOMI__EVENT__BODY_KERNEL_ATTEMPT] = {say_kernel_attempt, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_SUMMARY] = {say_summary, STYLE_YELLOW},
	[HINOMI__EVENT__BODY_SANDBOX] = {say_sandbox, STYLE_DIM},
	[HINOMI__EVENT__BODY_PROCESS_NAME] = {say_process_name, STYLE_DIM},
	[HINOMI__EVENT__BODY_IMAGE_LOAD] = {say_image_load, STYLE_DIM},
	[HINOMI__EVENT__BODY_MEMORY_EXEC] = {say_memory_exec, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_USERFAULTFD] = {say_userfaultfd, STYLE_MAGENTA},
	[HINOMI__EVENT__BODY_FILE_RECEIVED] = {say_file_received, STYLE_BLUE},
	[HINOMI__EVENT__BODY_PRCTL] = {say_prctl, STYLE_DIM},
	[HINOMI__EVENT__BODY_SENSOR_START] = {say_sensor_start, STYLE_BOLD},
	[HINOMI__EVENT__BODY_SENSOR_STOP] = {say_sensor_stop, STYLE_BOLD},
	[HINOMI__EVENT__BODY_HEARTBEAT] = {say_heartbeat, STYLE_DIM},
	[HINOMI__EVENT__BODY_COVERAGE] = {say_coverage, STYLE_YELLOW},
	[HINOMI__EVENT__BODY_SENSOR_TAMPER] = {say_sensor_tamper, STYLE_ALARM},
	[HINOMI__EVENT__BODY_CONFIG_CHANGE] = {say_config_change, STYLE_YELLOW},
	[HINOMI__EVENT__BODY_GAP] = {say_gap, STYLE_ALARM},
};

void body_styled(FILE *out, bool colour, const char *style, const char *text)
{
	if (colour)
		fprintf(out, "%s%s\033[0m", style, text);
	else
		fputs(text, out);
}

void body_note(const struct body *body, const char *style, const char *text)
{
	fputs("  ", body->note);
	body_styled(body->note, body->colour, style, text);
}

void body_bytes(FILE *out, const ProtobufCBinaryData *bytes)
{
	escape_text(out, bytes->data, bytes->len);
}

const char *body_style(const Hinomi__Event *event)
{
	unsigned kind = event->body_case;

	return kind < ARRAY_SIZE(classes) && classes[kind].style ? classes[kind].style : STYLE_BOLD;
}

static void put_result(const struct body *body, const Hinomi__Event *event)
{
	bool under_way = event->result == -EINPROGRESS;

	if (event->result) {
		fputs("  ", body->note);
		if (body->colour)
			fputs(under_way ? STYLE_DIM : STYLE_RED, body->note);
		words_error(body->note, event->result);
		if (body->colour)
			fputs("\033[0m", body->note);
	}
	if (event->result_unknown)
		body_note(body, STYLE_DIM, "outcome not known");
	if (event->compat)
		body_note(body, STYLE_DIM, "32-bit call");
}

void body_write(const struct body *body, const Hinomi__Event *event)
{
	const ProtobufCMessage *message = body_message(event);
	const Hinomi__Socket *socket = body_socket(event);
	unsigned kind = event->body_case;

	if (!message)
		fputs("a class that this build does not know", body->what);
	else if (kind < ARRAY_SIZE(classes) && classes[kind].say)
		classes[kind].say(body, event);
	else
		render_message(body->what, message);
	if (socket && socket->preexisting)
		body_note(body, STYLE_DIM, "was there before");
	put_result(body, event);
}
