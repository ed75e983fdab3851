/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "decode/decode.h"
#include "hinomi/record.h"
#include <hinomi/record_network.h>

static union {
	struct record record;
	struct socket_record socket;
	struct tcp_close_record tcp_close;
	struct udp_flow_record udp_flow;
	struct socket_filter_record filter;
	struct dns_record dns;
	uint64_t align;
	uint8_t bytes[4096];
} buf;

static struct arena arena;
static struct event event;

static void begin(unsigned kind, size_t size)
{
	memset(&buf, 0, sizeof(buf));
	arena_reset(&arena);
	buf.record.kind = (uint16_t)kind;
	buf.record.size = (uint32_t)size;
	buf.record.time_ns = 5000;
}

/* From memory of exactly the record's size, so that a read behind it is seen. */
static int decode(void)
{
	static void *copy;

	free(copy);
	copy = malloc(buf.record.size);
	memcpy(copy, &buf, buf.record.size);
	return decode_record(copy, buf.record.size, &arena, &event);
}

static void end_of_a_connection(void **state)
{
	const Hinomi__TcpClose *end;

	(void)state;
	begin(KIND_tcp_close, sizeof(buf.tcp_close));
	buf.record.result = -ECONNRESET;
	buf.socket.peer =
		(struct address){.family = AF_INET, .port = 443, .len = 4, .data = {10, 0, 0, 1}};
	buf.tcp_close.start_ns = 2000;
	buf.tcp_close.bytes_sent = 1;
	buf.tcp_close.bytes_acked = 2;
	buf.tcp_close.bytes_received = 3;
	buf.tcp_close.segments_sent = 4;
	buf.tcp_close.segments_received = 5;
	buf.tcp_close.segments_retransmitted = 6;
	buf.tcp_close.reason = TCP_END_RESET;
	buf.tcp_close.role = TCP_ROLE_SERVER;
	buf.tcp_close.state = 1;
	assert_int_equal(decode(), 0);
	assert_non_null(event.process);
	end = event.body->tcp_close;
	assert_int_equal(event.body->result, -ECONNRESET);
	assert_int_equal(end->socket->peer->port, 443);
	assert_int_equal(end->duration_ns, 3000);
	assert_int_equal(end->bytes_sent, 1);
	assert_int_equal(end->bytes_acked, 2);
	assert_int_equal(end->bytes_received, 3);
	assert_int_equal(end->segments_sent, 4);
	assert_int_equal(end->segments_received, 5);
	assert_int_equal(end->segments_retransmitted, 6);
	assert_int_equal(end->reason, HINOMI__TCP_CLOSE__REASON__REASON_RESET);
	assert_int_equal(end->role, HINOMI__TCP_CLOSE__ROLE__ROLE_SERVER);
	assert_int_equal(end->state, 1);
}

/* Cut, with more to come, of which nothing could be read; then whole. */
static void incomplete_messages(void **state)
{
	static const uint8_t header[12] = {0x12, 0x34, 0x80};
	static const struct {
		uint32_t len, total, flags;
		bool incomplete, malformed;
	} cases[] = {{12, 13, 0, true, false},
		     {12, 12, DNS_SENT | DNS_PART, true, false},
		     {0, 40, DNS_SENT, true, false},
		     {11, 11, 0, false, true},
		     {12, 12, DNS_SENT, false, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(KIND_dns, sizeof(buf.dns) + cases[i].len);
		buf.dns.flags = cases[i].flags;
		buf.dns.message = (struct bytes_ref){sizeof(buf.dns), cases[i].len, cases[i].total};
		memcpy(buf.bytes + sizeof(buf.dns), header, cases[i].len);
		assert_int_equal(decode(), 0);
		assert_int_equal(event.body->dns->incomplete, cases[i].incomplete);
		assert_int_equal(event.body->dns->malformed, cases[i].malformed);
		assert_int_equal(event.body->dns->size, cases[i].total);
		assert_int_equal(event.body->dns->sent, !!(cases[i].flags & DNS_SENT));
		assert_int_equal(event.body->dns->id, cases[i].len ? 0x1234 : 0);
	}
}

static void nobody_is_known(void **state)
{
	(void)state;
	begin(KIND_tcp_close, sizeof(buf.tcp_close));
	buf.record.flags = RECORD_NO_ACTOR;
	assert_int_equal(decode(), 0);
	assert_null(event.process);
	assert_int_equal(event.body->tcp_close->duration_ns, 0);
	buf.tcp_close.start_ns = 6000; /* later than its end: not to be believed */
	assert_int_equal(decode(), 0);
	assert_int_equal(event.body->tcp_close->duration_ns, 0);
}

static void numbers_are_those_of_proto(void **state)
{
	(void)state;
	assert_int_equal(TCP_END_NORMAL, HINOMI__TCP_CLOSE__REASON__REASON_NORMAL);
	assert_int_equal(TCP_END_RESET, HINOMI__TCP_CLOSE__REASON__REASON_RESET);
	assert_int_equal(TCP_END_TIMEOUT, HINOMI__TCP_CLOSE__REASON__REASON_TIMEOUT);
	assert_int_equal(TCP_END_REFUSED, HINOMI__TCP_CLOSE__REASON__REASON_REFUSED);
	assert_int_equal(TCP_END_ABORTED, HINOMI__TCP_CLOSE__REASON__REASON_ABORTED);
	assert_int_equal(TCP_END_ERROR, HINOMI__TCP_CLOSE__REASON__REASON_ERROR);
	assert_int_equal(TCP_ROLE_CLIENT, HINOMI__TCP_CLOSE__ROLE__ROLE_CLIENT);
	assert_int_equal(TCP_ROLE_SERVER, HINOMI__TCP_CLOSE__ROLE__ROLE_SERVER);
	assert_int_equal(FILTER_ATTACH, HINOMI__SOCKET_FILTER__ACTION__ACTION_ATTACH);
	assert_int_equal(FILTER_ATTACH_BPF, HINOMI__SOCKET_FILTER__ACTION__ACTION_ATTACH_BPF);
	assert_int_equal(FILTER_DETACH, HINOMI__SOCKET_FILTER__ACTION__ACTION_DETACH);
	assert_int_equal(FILTER_LOCK, HINOMI__SOCKET_FILTER__ACTION__ACTION_LOCK);
}

static void first_and_later_messages(void **state)
{
	const Hinomi__UdpFlow *flow;

	(void)state;
	begin(KIND_udp_flow, sizeof(buf.udp_flow));
	buf.udp_flow.sent = 1;
	assert_int_equal(decode(), 0);
	assert_true(event.body->udp_flow->first);
	assert_int_equal(event.body->udp_flow->span_ns, 0);
	buf.udp_flow = (struct udp_flow_record){.socket = buf.socket,
						.from_ns = 1000,
						.sent = 2,
						.received = 3,
						.failed = 4,
						.bytes_sent = 5,
						.bytes_received = 6};
	assert_int_equal(decode(), 0);
	flow = event.body->udp_flow;
	assert_false(flow->first);
	assert_int_equal(flow->span_ns, 4000);
	assert_int_equal(flow->sent, 2);
	assert_int_equal(flow->received, 3);
	assert_int_equal(flow->failed, 4);
	assert_int_equal(flow->bytes_sent, 5);
	assert_int_equal(flow->bytes_received, 6);
}

static void filters(void **state)
{
	static const struct sock_filter program[] = {{BPF_RET | BPF_K, 0, 0, 7}};
	const Hinomi__SocketFilter *filter;
	uint8_t hash[32];

	(void)state;
	EVP_Digest(program, sizeof(program), hash, NULL, EVP_sha256(), NULL);
	begin(KIND_socket_filter, sizeof(buf.filter) + sizeof(program));
	memcpy(buf.bytes + sizeof(buf.filter), program, sizeof(program));
	buf.filter.program =
		(struct bytes_ref){sizeof(buf.filter), sizeof(program), sizeof(program)};
	buf.filter.action = FILTER_ATTACH;
	buf.filter.instructions = 1;
	buf.filter.reuseport = 1;
	assert_int_equal(decode(), 0);
	filter = event.body->socket_filter;
	assert_int_equal(filter->instructions, 1);
	assert_true(filter->reuseport);
	assert_int_equal(filter->program.len, sizeof(program));
	assert_memory_equal(filter->program.data, program, sizeof(program));
	assert_int_equal(filter->sha256.len, 32);
	assert_memory_equal(filter->sha256.data, hash, 32);
	assert_int_equal(filter->tag.len, 0);
	buf.filter.program.len++; /* one byte behind the record */
	assert_int_equal(decode(), -EBADMSG);
	begin(KIND_socket_filter, sizeof(buf.filter));
	buf.filter.program_id = 12;
	memcpy(buf.filter.tag, "\1\2\3\4\5\6\7", 8);
	assert_int_equal(decode(), 0);
	filter = event.body->socket_filter;
	assert_int_equal(filter->program_id, 12);
	assert_memory_equal(filter->tag.data, "\1\2\3\4\5\6\7", 8);
	assert_int_equal(filter->sha256.len, 0);
}

static bool is_metadata(uint16_t family, const void *ip, uint16_t len)
{
	begin(KIND_connect, sizeof(buf.socket));
	buf.socket.peer = (struct address){.family = family, .len = len};
	memcpy(buf.socket.peer.data, ip, len);
	assert_int_equal(decode(), 0);
	return event.body->connect->cloud_metadata;
}

static void metadata_services(void **state)
{
	(void)state;
	assert_true(is_metadata(AF_INET, "\xa9\xfe\xa9\xfe", 4));
	assert_true(is_metadata(AF_INET6, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xa9\xfe\xa9\xfe",
				16)); /* mapped */
	assert_true(is_metadata(AF_INET6, "\xfd\0\x0e\xc2\0\0\0\0\0\0\0\0\0\0\x02\x54", 16));
	assert_true(is_metadata(AF_INET, "\xa9\xfe\xaa\x02", 4));
	assert_false(is_metadata(AF_INET, "\xa9\xfe\xa9\xfd", 4));
	assert_false(is_metadata(AF_INET6, "\xfd\0\x0e\xc2\0\0\0\0\0\0\0\0\0\0\x02\x55", 16));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(end_of_a_connection),
		cmocka_unit_test(incomplete_messages),
		cmocka_unit_test(nobody_is_known),
		cmocka_unit_test(numbers_are_those_of_proto),
		cmocka_unit_test(first_and_later_messages),
		cmocka_unit_test(filters),
		cmocka_unit_test(metadata_services),
	};

	arena_init(&arena, 1 << 20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
