/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of network classes beyond connect, accept, listen and bind. */
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "decode/bodies.h"
#include "decode/dns.h"
#include "decode/source.h"

/* Where clouds answer an instance's questions about itself, credentials among them. */
static const struct {
	uint8_t len;
	uint8_t ip[16];
} metadata[] = {
	{4,
	 {169, 254, 169,
	  254}}, /* EC2, GCE (metadata.google.internal), Azure, OCI, OpenStack, ... */
	{4, {169, 254, 170, 2}},			       /* ECS tasks */
	{4, {169, 254, 170, 23}},			       /* EKS pods */
	{4, {100, 100, 100, 200}},			       /* Alibaba */
	{16, {0xfd, 0, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54}}, /* EC2, fd00:ec2::254 */
	{16, {0xfd, 0, 0x0e, 0xc2, [15] = 0x23}},	       /* EKS pods, fd00:ec2::23 */
	{16, {0xfd, 0x20, 0, 0xce, [14] = 0x02, [15] = 0x54}}, /* GCE, fd20:ce::254 */
};

static bool is_metadata(const Hinomi__Address *peer)
{
	for (size_t i = 0; peer && i < ARRAY_SIZE(metadata); i++)
		if (peer->ip.len == metadata[i].len &&
		    !memcmp(peer->ip.data, metadata[i].ip, metadata[i].len))
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
	body->net_namespace = rec->net_ns;
	body->backlog = rec->backlog;
	body->peer_pid = rec->peer_tgid;
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

static ProtobufCBinaryData sha256_of(struct source *source, const ProtobufCBinaryData *data)
{
	unsigned size = 32;
	uint8_t *hash = data->len ? source_alloc(source, size) : NULL;

	if (!hash || !EVP_Digest(data->data, data->len, hash, &size, EVP_sha256(), NULL))
		return (ProtobufCBinaryData){0};
	return (ProtobufCBinaryData){.data = hash, .len = size};
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
	body->sha256 = sha256_of(source, &body->program);
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
	body->sent = !!rec->sent;
	body->size = rec->message.total;
	dns_parse(source, message.data, message.len, rec->message.total > message.len, body);
}
