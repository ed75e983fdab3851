// SPDX-License-Identifier: Apache-2.0
/* Changes to the network and to the audit, in a network of the test's own or without the right to.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <hinomi/kinds.h>
#include <hinomi/net_change.h>
#include <linux/audit.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "e2e.h"

#define LOOPBACK  1 /* its number in every network namespace */
#define SETTLE_US 20000

struct buffer {
	_Alignas(4) char bytes[4096];
	size_t size;
};

static void put(struct buffer *to, const void *data, size_t size)
{
	memcpy(to->bytes + to->size, data, size);
	to->size += NLMSG_ALIGN(size);
}

/* Where its length stands, for what is put behind it. */
static struct nlmsghdr *message(struct buffer *to, unsigned type, unsigned flags)
{
	struct nlmsghdr head = {.nlmsg_type = (uint16_t)type,
				.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)};
	void *at = to->bytes + to->size;

	put(to, &head, sizeof(head));
	return at;
}

static void finish(struct buffer *to, struct nlmsghdr *head)
{
	head->nlmsg_len = (uint32_t)(to->bytes + to->size - (char *)head);
}

static void attribute(struct buffer *to, unsigned type, const void *data, size_t size)
{
	uint16_t head[2] = {(uint16_t)(sizeof(head) + size), (uint16_t)type};

	put(to, head, sizeof(head));
	put(to, data, size);
}

static void own_network(struct facts *facts)
{
	if (unshare(CLONE_NEWNET))
		act_skip(facts, "unshare(CLONE_NEWNET): %s", strerror(errno));
}

static int netlink(struct facts *facts, int protocol)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		act_skip(facts, "no netlink of protocol %d: %s", protocol, strerror(errno));
	must(fstat(fd, &facts->stat[0]));
	return fd;
}

static const struct seen *take_change(struct check *check, unsigned kind, int error, size_t n)
{
	const struct seen *seen = take(check, kind);
	const Hinomi__NetChange *got;

	if (!seen)
		return NULL;
	got = kind == KIND_net_change ? seen->event->net_change : seen->event->audit_change;
	/* what the kernel answers is nothing that a call returns */
	if (seen->event->tier == 1 && !seen->event->result_unknown)
		want_result(check, error, seen);
	want_number(check, "changes", n, got->n_changes);
	if (got->how == HINOMI__NET_CHANGE__HOW__HOW_NETLINK && got->socket)
		want_number(check, "socket.cookie", check->facts->stat[0].st_ino,
			    got->socket->cookie);
	return got->n_changes == n ? seen : NULL;
}

static void want_change(struct check *check, const Hinomi__Change *got, int area, int action,
			unsigned type)
{
	want_number(check, "change.area", (uint64_t)area, got->area);
	want_number(check, "change.action", (uint64_t)action, got->action);
	want_number(check, "change.type", type, got->type);
}

#define AREA(name)   HINOMI__CHANGE__AREA__AREA_##name
#define ACTION(name) HINOMI__CHANGE__ACTION__ACTION_##name

/* ---- three changes in one call; then one that fails, and a question, which is none */

static void put_route(struct buffer *to)
{
	struct rtmsg route = {.rtm_family = AF_INET,
			      .rtm_dst_len = 16,
			      .rtm_table = RT_TABLE_MAIN,
			      .rtm_type = RTN_UNICAST};
	struct nlmsghdr *head = message(to, RTM_NEWROUTE, NLM_F_CREATE);
	uint32_t index = LOOPBACK;

	put(to, &route, sizeof(route));
	attribute(to, RTA_DST, "\x0a\x01\0\0", 4);
	attribute(to, RTA_GATEWAY, "\x0a\x09\x08\x01", 4);
	attribute(to, RTA_OIF, &index, sizeof(index));
	finish(to, head);
}

static void put_address(struct buffer *to, unsigned type)
{
	struct ifaddrmsg address = {
		.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = LOOPBACK};
	struct nlmsghdr *head = message(to, type, NLM_F_CREATE);

	put(to, &address, sizeof(address));
	attribute(to, IFA_LOCAL, "\x0a\x09\x08\x07", 4);
	attribute(to, IFA_LABEL, "lo:marker", 10);
	finish(to, head);
}

static void act_routes(struct facts *facts)
{
	struct ifinfomsg up = {.ifi_index = LOOPBACK, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	static struct buffer to, gone, ask;
	struct nlmsghdr *head;
	int fd;

	own_network(facts);
	fd = netlink(facts, NETLINK_ROUTE);
	head = message(&to, RTM_NEWLINK, 0);
	put(&to, &up, sizeof(up));
	finish(&to, head);
	put_address(&to, RTM_NEWADDR);
	put_route(&to);
	must(send(fd, to.bytes, to.size, 0));
	put_address(&gone, RTM_DELADDR);
	must(send(fd, gone.bytes, gone.size, 0));
	must(send(fd, gone.bytes, gone.size, 0));
	head = message(&ask, RTM_GETLINK, NLM_F_DUMP);
	put(&ask, &up, sizeof(up));
	finish(&ask, head);
	must(send(fd, ask.bytes, ask.size, 0));
	close(fd);
}

static void check_routes(struct check *check)
{
	const struct seen *seen;
	Hinomi__Change **changes;

	take(check, KIND_namespace);
	take(check, KIND_socket_special);
	seen = take_change(check, KIND_net_change, 0, 3);
	if (!seen)
		return;
	changes = seen->event->net_change->changes;
	want_number(check, "messages", 3, seen->event->net_change->messages);
	want_change(check, changes[0], AREA(LINK), ACTION(UP), RTM_NEWLINK);
	want_number(check, "link.interface", LOOPBACK, changes[0]->interface);
	want_change(check, changes[1], AREA(ADDRESS), ACTION(ADD), RTM_NEWADDR);
	want_bytes(check, "address", "\x0a\x09\x08\x07", 4, &changes[1]->address);
	want_text(check, "label", "lo:marker", &changes[1]->name);
	want_number(check, "prefix", 24, changes[1]->prefix);
	want_change(check, changes[2], AREA(ROUTE), ACTION(ADD), RTM_NEWROUTE);
	want_bytes(check, "destination", "\x0a\x01\0\0", 4, &changes[2]->address);
	want_bytes(check, "gateway", "\x0a\x09\x08\x01", 4, &changes[2]->gateway);
	take_change(check, KIND_net_change, 0, 1);
	take_change(check, KIND_net_change, EADDRNOTAVAIL, 1);
}

/* ---- by write, and what makes little sense */

static void act_odd(struct facts *facts)
{
	static struct buffer many;
	struct nlmsghdr *head = NULL;
	int fd;

	own_network(facts);
	fd = netlink(facts, NETLINK_ROUTE);
	for (int i = 0; i < 20; i++) {
		head = message(&many, RTM_DELLINK, 0);
		finish(&many, head);
	}
	head->nlmsg_len = 3;
	must(send(fd, many.bytes, many.size, 0));
	many.size = 0;
	put_address(&many, RTM_NEWADDR);
	must(write(fd, many.bytes, many.size));
	close(fd);
}

static void check_odd(struct check *check)
{
	const struct seen *seen;

	take(check, KIND_namespace);
	take(check, KIND_socket_special);
	seen = take_change(check, KIND_net_change, 0, 16);
	want_true(check, "malformed, truncated",
		  seen && seen->event->net_change->malformed && seen->event->net_change->truncated);
	if (sees_writes(check, KIND_net_change))
		take_change(check, KIND_net_change, 0, 1);
}

/* ---- a table of nf_tables: the kernel may have none, and has seen it all the same */

#define BATCH_BEGIN 16
#define BATCH_END   17

static void act_firewall(struct facts *facts)
{
	static const char family[] = {2, 0, 0, SUBSYSTEM_NFTABLES}, inet[] = {1, 0, 0, 0};
	static struct buffer to;
	struct nlmsghdr *head;
	int fd;

	own_network(facts);
	fd = netlink(facts, NETLINK_NETFILTER);
	head = message(&to, BATCH_BEGIN, 0);
	put(&to, family, sizeof(family));
	finish(&to, head);
	head = message(&to, SUBSYSTEM_NFTABLES << 8 | 3, NLM_F_CREATE);
	put(&to, inet, sizeof(inet));
	attribute(&to, 1, "marker", 7);
	attribute(&to, 3, "input", 6);
	finish(&to, head);
	head = message(&to, BATCH_END, 0);
	put(&to, family, sizeof(family));
	finish(&to, head);
	must(send(fd, to.bytes, to.size, 0));
	close(fd);
}

static void check_firewall(struct check *check)
{
	const struct seen *seen;
	const Hinomi__Change *got;

	take(check, KIND_namespace);
	take(check, KIND_socket_special);
	seen = take(check, KIND_net_change);
	if (!seen || seen->event->net_change->n_changes != 1) {
		check_fail(check, "expected one change of the firewall");
		return;
	}
	got = seen->event->net_change->changes[0];
	want_change(check, got, AREA(FIREWALL), ACTION(ADD), SUBSYSTEM_NFTABLES << 8 | 3);
	want_number(check, "family", 1, got->family);
	want_text(check, "object", "chain", &got->object);
	want_text(check, "table", "marker", &got->name);
	want_text(check, "chain", "input", &got->part);
}

/* ---- the ways of old */

static void act_old(struct facts *facts)
{
	struct packet_mreq promiscuous = {.mr_ifindex = LOOPBACK, .mr_type = PACKET_MR_PROMISC};
	struct ifreq request = {.ifr_name = "lo"};
	char table[32] = "marker";
	int fd, packet;

	own_network(facts);
	fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	packet = must(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
	request.ifr_flags = IFF_UP;
	must(ioctl(fd, SIOCSIFFLAGS, &request));
	must(ioctl(fd, SIOCGIFFLAGS, &request));
	request = (struct ifreq){.ifr_name = "marker"};
	act_tried(facts, 0, ioctl(fd, SIOCSIFMTU, &request));
	setsockopt(fd, IPPROTO_IP, IPT_REPLACE, table, sizeof(table));
	must(setsockopt(packet, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
			sizeof(promiscuous)));
	close(packet);
	close(fd);
}

static void check_old(struct check *check)
{
	const struct seen *up, *mtu, *table, *promiscuous;

	take(check, KIND_namespace);
	take(check, KIND_socket_special);
	up = take_change(check, KIND_net_change, 0, 1);
	mtu = take_change(check, KIND_net_change, check->facts->error[0], 1);
	table = take_change(check, KIND_net_change, 0, 1);
	promiscuous = take_change(check, KIND_net_change, 0, 1);
	if (!up || !mtu || !table || !promiscuous)
		return;
	want_change(check, up->event->net_change->changes[0], AREA(LINK), ACTION(UP), IOCTL_FLAGS);
	want_text(check, "name", "lo", &up->event->net_change->changes[0]->name);
	want_number(check, "how", HINOMI__NET_CHANGE__HOW__HOW_IOCTL, up->event->net_change->how);
	want_change(check, mtu->event->net_change->changes[0], AREA(LINK), ACTION(SET), IOCTL_MTU);
	want_change(check, table->event->net_change->changes[0], AREA(FIREWALL), ACTION(SET),
		    IPT_REPLACE);
	want_text(check, "table", "marker", &table->event->net_change->changes[0]->name);
	want_change(check, promiscuous->event->net_change->changes[0], AREA(LINK),
		    ACTION(PROMISCUOUS), PACKET_JOIN);
	want_number(check, "interface", LOOPBACK,
		    promiscuous->event->net_change->changes[0]->interface);
}

/* ---- the audit, by somebody who may not */

static void put_rule(struct buffer *to)
{
	static const char path[] = "/etc/marker", key[] = "marker";
	static struct audit_rule_data rule = {.field_count = 2};
	struct nlmsghdr *head = message(to, AUDIT_DEL_RULE, NLM_F_ACK);

	rule.fields[0] = AUDIT_WATCH;
	rule.values[0] = sizeof(path) - 1;
	rule.fields[1] = AUDIT_FILTERKEY;
	rule.values[1] = sizeof(key) - 1;
	rule.buflen = rule.values[0] + rule.values[1];
	put(to, &rule, sizeof(rule));
	memcpy(to->bytes + to->size, path, rule.values[0]);
	memcpy(to->bytes + to->size + rule.values[0], key, rule.values[1]);
	to->size += NLMSG_ALIGN(rule.buflen);
	finish(to, head);
}

static void act_audit(struct facts *facts)
{
	struct audit_status status = {.mask = AUDIT_STATUS_FAILURE, .failure = 2};
	static struct buffer set, rule;
	int fd = netlink(facts, NETLINK_AUDIT);
	struct nlmsghdr *head = message(&set, AUDIT_SET, NLM_F_ACK);

	put(&set, &status, sizeof(status));
	finish(&set, head);
	must(send(fd, set.bytes, set.size, 0));
	put_rule(&rule);
	must(send(fd, rule.bytes, rule.size, 0));
	close(fd);
}

static void check_audit(struct check *check)
{
	const struct seen *set, *rule;
	const Hinomi__Change *got;

	take(check, KIND_socket_special);
	set = take_change(check, KIND_audit_change, EPERM, 1);
	rule = take_change(check, KIND_audit_change, EPERM, 1);
	if (!set || !rule)
		return;
	got = set->event->audit_change->changes[0];
	want_change(check, got, AREA(AUDIT), ACTION(SET), AUDIT_SET);
	want_text(check, "object", "failure", &got->object);
	want_number(check, "value", 2, got->value);
	got = rule->event->audit_change->changes[0];
	want_change(check, got, AREA(AUDIT), ACTION(REMOVE), AUDIT_DEL_RULE);
	want_text(check, "key", "marker", &got->name);
	want_text(check, "path", "/etc/marker", &got->part);
}

const struct test net_change_tests[] = {
	{"net_change/routes", NULL, act_routes, check_routes},
	{"net_change/odd", NULL, act_odd, check_odd},
	{"net_change/firewall", NULL, act_firewall, check_firewall},
	{"net_change/old", NULL, act_old, check_old},
	{"audit_change/refused", NULL, act_audit, check_audit, .nobody = true},
	{},
};
