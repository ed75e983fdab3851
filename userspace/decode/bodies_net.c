/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of network classes beyond connect, accept, listen and bind. */
#include <arpa/inet.h>
#include <hinomi/metadata_service.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "decode/bodies.h"
#include "decode/change.h"
#include "decode/dns.h"
#include "decode/metadata.h"
#include "decode/source.h"
#include "decode/tls.h"

static bool is_metadata(const Hinomi__Address *peer)
{
	static const uint32_t v4[] = {
#define V4(word) word,
		FOR_EACH_METADATA_V4(V4)
#undef V4
	};
	static const uint32_t v6[][2] = {
#define V6(high, low) {high, low},
		FOR_EACH_METADATA_V6(V6)
#undef V6
	};
	uint32_t words[4];

	if (!peer || !peer->ip.len || peer->ip.len > sizeof(words))
		return false;
	memcpy(words, peer->ip.data, peer->ip.len);
	for (size_t i = 0; peer->ip.len == 4 && i < ARRAY_SIZE(v4); i++)
		if (words[0] == htonl(v4[i]))
			return true;
	for (size_t i = 0; peer->ip.len == 16 && i < ARRAY_SIZE(v6); i++)
		if (words[0] == htonl(v6[i][0]) && !words[1] && !words[2] &&
		    words[3] == htonl(v6[i][1]))
			return true;
	return false;
}

void decode_socket(struct source *source, const struct socket_record *rec, Hinomi__Socket *body)
{
	body->family = rec->family;
	body->type = rec->type;
	body->protocol = rec->protocol;
	body->local = source_address(source, &rec->local);
	body->peer = source_address(source, &rec->peer);
	body->cookie = rec->cookie;
	if (rec->begun_ns && rec->begun_ns < rec->record.time_ns)
		body->handshake_ns = rec->record.time_ns - rec->begun_ns;
	body->net_namespace = rec->net_ns;
	body->backlog = rec->backlog;
	body->peer_pid = rec->peer_tgid;
	body->preexisting = !!(rec->record.flags & RECORD_PREEXISTING);
	body->cloud_metadata = is_metadata(body->peer);
}

static Hinomi__Socket *socket_of(struct source *source, const struct socket_record *rec)
{
	Hinomi__Socket *body = source_alloc(source, sizeof(*body));

	if (!body)
		return NULL;
	hinomi__socket__init(body);
	decode_socket(source, rec, body);
	return body;
}

void decode_tcp_close(struct source *source, Hinomi__Event *event)
{
	BODY(tcp_close_record, Hinomi__TcpClose, hinomi__tcp_close__init, tcp_close, TCP_CLOSE);
	body->socket = socket_of(source, &rec->socket);
	body->reason = (Hinomi__TcpClose__Reason)rec->reason;
	body->role = (Hinomi__TcpClose__Role)rec->role;
	body->state = rec->state;
	if (rec->start_ns && rec->start_ns < event->time_ns)
		body->duration_ns = event->time_ns - rec->start_ns;
	body->bytes_sent = rec->bytes_sent;
	body->bytes_acked = rec->bytes_acked;
	body->bytes_received = rec->bytes_received;
	body->segments_sent = rec->segments_sent;
	body->segments_received = rec->segments_received;
	body->segments_retransmitted = rec->segments_retransmitted;
}

void decode_udp_flow(struct source *source, Hinomi__Event *event)
{
	BODY(udp_flow_record, Hinomi__UdpFlow, hinomi__udp_flow__init, udp_flow, UDP_FLOW);
	body->socket = socket_of(source, &rec->socket);
	body->first = !rec->from_ns;
	if (rec->from_ns && rec->from_ns < event->time_ns)
		body->span_ns = event->time_ns - rec->from_ns;
	body->sent = rec->sent;
	body->received = rec->received;
	body->failed = rec->failed;
	body->bytes_sent = rec->bytes_sent;
	body->bytes_received = rec->bytes_received;
}

void decode_socket_special(struct source *source, Hinomi__Event *event)
{
	BODY(socket_record, Hinomi__Socket, hinomi__socket__init, socket_special, SOCKET_SPECIAL);
	decode_socket(source, rec, body);
}

void decode_socket_filter(struct source *source, Hinomi__Event *event)
{
	BODY(socket_filter_record, Hinomi__SocketFilter, hinomi__socket_filter__init, socket_filter,
	     SOCKET_FILTER);
	body->socket = socket_of(source, &rec->socket);
	body->action = (Hinomi__SocketFilter__Action)rec->action;
	body->instructions = rec->instructions;
	body->reuseport = !!rec->reuseport;
	body->program = source_bytes(source, &rec->program);
	body->sha256 = source_sha256(source, &body->program);
	body->program_id = rec->program_id;
	if (rec->program_id)
		body->tag =
			(ProtobufCBinaryData){.data = (uint8_t *)rec->tag, .len = sizeof(rec->tag)};
}

void decode_dns(struct source *source, Hinomi__Event *event)
{
	BODY(dns_record, Hinomi__Dns, hinomi__dns__init, dns, DNS);
	ProtobufCBinaryData message = source_bytes(source, &rec->message);

	body->socket = socket_of(source, &rec->socket);
	body->sent = !!(rec->flags & DNS_SENT);
	body->size = rec->message.total;
	body->incomplete = rec->flags & DNS_PART || rec->message.total > message.len;
	dns_parse(source, message.data, message.len, body->incomplete, body);
}

void decode_tls_hello(struct source *source, Hinomi__Event *event)
{
	BODY(opening_record, Hinomi__TlsHello, hinomi__tls_hello__init, tls_hello, TLS_HELLO);
	ProtobufCBinaryData bytes = source_bytes(source, &rec->bytes);

	body->socket = socket_of(source, &rec->socket);
	tls_parse(source, bytes.data, bytes.len, body);
}

void decode_metadata_request(struct source *source, Hinomi__Event *event)
{
	BODY(opening_record, Hinomi__MetadataRequest, hinomi__metadata_request__init,
	     metadata_request, METADATA_REQUEST);
	ProtobufCBinaryData bytes = source_bytes(source, &rec->bytes);

	body->socket = socket_of(source, &rec->socket);
	body->size = rec->bytes.total;
	metadata_parse(bytes.data, bytes.len, body);
}

static void change_fill(struct source *source, const struct net_change_record *rec,
			Hinomi__NetChange *to)
{
	ProtobufCBinaryData bytes = source_bytes(source, &rec->bytes);
	bool compat = rec->socket.record.flags & RECORD_COMPAT;

	to->how = (Hinomi__NetChange__How)rec->how;
	if (rec->socket.family)
		to->socket = socket_of(source, &rec->socket);
	switch (rec->how) {
	case CHANGE_NETLINK:
		netlink_parse(source, rec->socket.protocol, bytes.data, bytes.len,
			      rec->bytes.total > bytes.len, to);
		break;
	case CHANGE_OPTION:
		option_parse(source, rec->level, rec->command, bytes.data, bytes.len, to);
		break;
	case CHANGE_IOCTL:
		ioctl_parse(source, rec->command, bytes.data, bytes.len, compat, to);
		break;
	}
}

void decode_net_change(struct source *source, Hinomi__Event *event)
{
	BODY(net_change_record, Hinomi__NetChange, hinomi__net_change__init, net_change,
	     NET_CHANGE);
	change_fill(source, rec, body);
}

void decode_audit_change(struct source *source, Hinomi__Event *event)
{
	BODY(net_change_record, Hinomi__NetChange, hinomi__net_change__init, audit_change,
	     AUDIT_CHANGE);
	change_fill(source, rec, body);
}
