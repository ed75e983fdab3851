/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of tcp_close, udp_flow, socket_special, socket_filter and dns. */
#include "render/body.h"

#include <inttypes.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "render/words.h"

static void put_ends(const struct body *body, const Hinomi__Socket *socket, bool inbound)
{
	if (!socket)
		return;
	words_address(body->what, socket->peer);
	if (inbound) {
		fputs(" " BODY_ARROW " ", body->what);
		words_address(body->what, socket->local);
	}
	if (socket->cloud_metadata)
		body_note(body, STYLE_ALARM, "cloud metadata");
}

static const char *end_word(Hinomi__TcpClose__Reason reason)
{
	switch (reason) {
	case HINOMI__TCP_CLOSE__REASON__REASON_NORMAL:
		return "closed";
	case HINOMI__TCP_CLOSE__REASON__REASON_RESET:
		return "reset by the peer";
	case HINOMI__TCP_CLOSE__REASON__REASON_TIMEOUT:
		return "timed out";
	case HINOMI__TCP_CLOSE__REASON__REASON_REFUSED:
		return "refused";
	case HINOMI__TCP_CLOSE__REASON__REASON_ABORTED:
		return "aborted";
	case HINOMI__TCP_CLOSE__REASON__REASON_ERROR:
		return "failed";
	default:
		return "ended";
	}
}

void say_tcp_close(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__TcpClose *end = event->tcp_close;

	fputs("tcp ", body->what);
	put_ends(body, end->socket, end->role == HINOMI__TCP_CLOSE__ROLE__ROLE_SERVER);
	fprintf(body->what, " %s", end_word(end->reason));
	if (end->duration_ns) {
		fputs(" after ", body->what);
		words_duration(body->what, end->duration_ns);
	}
	fprintf(body->note, "  %" PRIu64 " bytes out, %" PRIu64 " in", end->bytes_sent,
		end->bytes_received);
	if (end->segments_retransmitted)
		fprintf(body->note, ", %u segments again", end->segments_retransmitted);
}

void say_udp_flow(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__UdpFlow *flow = event->udp_flow;

	fputs("udp ", body->what);
	put_ends(body, flow->socket, !flow->sent && !flow->failed);
	if (flow->first) {
		fprintf(body->note, "  first, %" PRIu64 " bytes %s",
			flow->received ? flow->bytes_received : flow->bytes_sent,
			flow->received ? "in" : "out");
		return;
	}
	fprintf(body->note,
		"  %" PRIu64 " messages (%" PRIu64 " bytes) out, %" PRIu64 " (%" PRIu64 ") in",
		flow->sent, flow->bytes_sent, flow->received, flow->bytes_received);
	if (flow->failed)
		fprintf(body->note, ", %" PRIu64 " failed", flow->failed);
	fputs(" in ", body->note);
	words_duration(body->note, flow->span_ns);
}

static const char *netlink_word(uint32_t protocol)
{
	switch (protocol) {
	case NETLINK_ROUTE:
		return "routes and links";
	case NETLINK_XFRM:
		return "IPsec";
	case NETLINK_AUDIT:
		return "audit";
	case NETLINK_CONNECTOR:
		return "connector";
	case NETLINK_NETFILTER:
		return "firewall";
	default:
		return NULL;
	}
}

void say_socket_special(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__Socket *socket = event->socket_special;
	const char *name = words_protocol(socket), *what = NULL;

	if (name)
		fprintf(body->what, "%s socket", name);
	else
		fprintf(body->what, "socket of family %u", socket->family);
	if (socket->family == AF_NETLINK)
		what = netlink_word(socket->protocol);
	if (what)
		fprintf(body->what, " to %s", what);
	else if (socket->protocol)
		fprintf(body->what, " protocol %u", socket->protocol);
	if (socket->family != AF_NETLINK && socket->type == SOCK_RAW)
		body_note(body, STYLE_YELLOW, "raw");
}

void say_socket_filter(const struct body *body, const Hinomi__Event *event)
{
	static const char *const words[] = {"changed", "attached", "attached", "taken away",
					    "locked"};
	const Hinomi__SocketFilter *filter = event->socket_filter;
	unsigned action = (unsigned)filter->action;
	const char *name = filter->socket ? words_protocol(filter->socket) : NULL;

	fprintf(body->what, "filter %s on %s", words[action < ARRAY_SIZE(words) ? action : 0],
		name ? name : "socket");
	if (filter->reuseport)
		fputs(" group", body->what);
	if (filter->instructions)
		fprintf(body->note, "  %u instructions", filter->instructions);
	if (filter->program_id)
		fprintf(body->note, ", eBPF program %u", filter->program_id);
	if (filter->sha256.len) {
		fputs(", sha256 ", body->note);
		for (size_t i = 0; i < filter->sha256.len; i++)
			fprintf(body->note, "%02x", filter->sha256.data[i]);
	}
}

static void put_type(FILE *out, uint32_t type)
{
	static const struct {
		uint32_t type;
		const char *word;
	} words[] = {{1, "A"},	  {2, "NS"},	 {5, "CNAME"}, {6, "SOA"},
		     {12, "PTR"}, {15, "MX"},	 {16, "TXT"},  {28, "AAAA"},
		     {33, "SRV"}, {65, "HTTPS"}, {255, "ANY"}};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].type == type) {
			fputs(words[i].word, out);
			return;
		}
	fprintf(out, "type %u", type);
}

static void put_answer(const struct body *body, const Hinomi__DnsAnswer *answer)
{
	char text[INET6_ADDRSTRLEN];

	if (words_ip(answer->address.data, answer->address.len, text)) {
		fputs(text, body->what);
	} else if (answer->target.len) {
		body_bytes(body->what, &answer->target);
	} else {
		put_type(body->what, answer->type);
	}
}

void say_dns(const struct body *body, const Hinomi__Event *event)
{
	static const char *const words[] = {NULL,	    "format error",    "server failed",
					    "no such name", "not implemented", "refused"};
	const Hinomi__Dns *dns = event->dns;

	for (size_t i = 0; i < dns->n_questions; i++) {
		fputs(i ? ", " : "", body->what);
		put_type(body->what, dns->questions[i]->type);
		putc(' ', body->what);
		body_bytes(body->what, &dns->questions[i]->name);
	}
	for (size_t i = 0; i < dns->n_answers; i++) {
		fputs(i ? ", " : " = ", body->what);
		put_answer(body, dns->answers[i]);
	}
	if (dns->rcode && dns->rcode < ARRAY_SIZE(words))
		fprintf(body->what, ": %s", words[dns->rcode]);
	else if (dns->rcode)
		fprintf(body->what, ": rcode %u", dns->rcode);
	fputs(dns->sent ? "  to " : "  from ", body->note);
	if (dns->socket)
		words_address(body->note, dns->socket->peer);
	if (dns->malformed)
		body_note(body, STYLE_YELLOW, "malformed");
	else if (dns->incomplete)
		body_note(body, STYLE_DIM, "incomplete");
}
