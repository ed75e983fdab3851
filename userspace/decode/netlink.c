/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Netlink: messages, each a head and attributes.  Lengths are looked at against
 * what is there; what does not fit ends the message that it is in.
 */
#include <hinomi/net_change.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/cleanup.h"
#include "decode/change.h"
#include "decode/source.h"

#define AREA(name)     HINOMI__CHANGE__AREA__AREA_##name
#define ACTION(name)   HINOMI__CHANGE__ACTION__ACTION_##name

#define PROTOCOL_ROUTE 0
#define PROTOCOL_IPSEC 6
#define PROTOCOL_AUDIT 9
#define ATTRIBUTE_TYPE 0x3fff /* without the bits for nested and for network order */
#define FIREWALL_HEAD  4      /* struct nfgenmsg */
#define NAME_MAX_TEXT  128

struct attribute {
	unsigned type;
	const uint8_t *data;
	size_t size;
};

/* NLMSG_ALIGN() works with 32 bits, where the largest length is aligned to none. */
static size_t aligned(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

/* Takes the attribute at the front off the rest; false: no whole one is left. */
static bool attribute_next(const uint8_t **rest, size_t *left, struct attribute *ret)
{
	uint16_t head[2];
	size_t step;

	if (*left < sizeof(head))
		return false;
	memcpy(head, *rest, sizeof(head));
	if (head[0] < sizeof(head) || head[0] > *left)
		return false;
	ret->type = head[1] & ATTRIBUTE_TYPE;
	ret->data = *rest + sizeof(head);
	ret->size = head[0] - sizeof(head);
	step = aligned(head[0]);
	step = step < *left ? step : *left;
	*rest += step;
	*left -= step;
	return true;
}

static ProtobufCBinaryData text_of(const struct attribute *attribute)
{
	size_t size = attribute->size < NAME_MAX_TEXT ? attribute->size : NAME_MAX_TEXT;

	return source_name((const char *)attribute->data, size);
}

static ProtobufCBinaryData address_of(const struct attribute *attribute)
{
	if (attribute->size != 4 && attribute->size != 16)
		return (ProtobufCBinaryData){0};
	return (ProtobufCBinaryData){.data = (uint8_t *)attribute->data, .len = attribute->size};
}

static uint32_t number_of(const struct attribute *attribute)
{
	uint32_t number = 0;

	if (attribute->size == sizeof(number))
		memcpy(&number, attribute->data, sizeof(number));
	return number;
}

static ProtobufCBinaryData word(const char *text)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)text, .len = strlen(text)};
}

/* ---- rtnetlink */

static void read_kind(const struct attribute *info, Hinomi__Change *to)
{
	const uint8_t *rest = info->data;
	size_t left = info->size;
	struct attribute in;

	while (attribute_next(&rest, &left, &in))
		if (in.type == IFLA_INFO_KIND)
			to->object = text_of(&in);
}

static void read_link(const uint8_t *bytes, size_t size, unsigned flags, Hinomi__Change *to)
{
	struct attribute in;
	struct ifinfomsg head;

	if (size < sizeof(head))
		return;
	memcpy(&head, bytes, sizeof(head));
	bytes += sizeof(head);
	size -= sizeof(head);
	to->interface = (uint32_t)head.ifi_index;
	if (to->action == ACTION(ADD) && !(flags & NLM_F_CREATE))
		to->action = ACTION(SET);
	if (to->action == ACTION(SET) && head.ifi_change & IFF_PROMISC)
		to->action = head.ifi_flags & IFF_PROMISC ? ACTION(PROMISCUOUS)
							  : ACTION(NOT_PROMISCUOUS);
	else if (to->action == ACTION(SET) && head.ifi_change & IFF_UP)
		to->action = head.ifi_flags & IFF_UP ? ACTION(UP) : ACTION(DOWN);
	while (attribute_next(&bytes, &size, &in)) {
		if (in.type == IFLA_IFNAME)
			to->name = text_of(&in);
		else if (in.type == IFLA_LINKINFO)
			read_kind(&in, to);
	}
}

static void read_address(const uint8_t *bytes, size_t size, Hinomi__Change *to)
{
	struct attribute in;
	uint32_t index;

	if (size < 8) /* struct ifaddrmsg */
		return;
	to->family = bytes[0];
	to->prefix = bytes[1];
	memcpy(&index, bytes + 4, sizeof(index));
	to->interface = index;
	bytes += 8;
	size -= 8;
	while (attribute_next(&bytes, &size, &in)) {
		if (in.type == IFA_LOCAL || (in.type == IFA_ADDRESS && !to->address.len))
			to->address = address_of(&in);
		else if (in.type == IFA_LABEL)
			to->name = text_of(&in);
	}
}

static void read_route(const uint8_t *bytes, size_t size, Hinomi__Change *to)
{
	struct attribute in;

	if (size < sizeof(struct rtmsg))
		return;
	to->family = bytes[0];
	to->prefix = bytes[1];
	bytes += sizeof(struct rtmsg);
	size -= sizeof(struct rtmsg);
	while (attribute_next(&bytes, &size, &in)) {
		if (in.type == RTA_DST)
			to->address = address_of(&in);
		else if (in.type == RTA_GATEWAY)
			to->gateway = address_of(&in);
		else if (in.type == RTA_OIF)
			to->interface = number_of(&in);
	}
}

static void read_neighbour(const uint8_t *bytes, size_t size, Hinomi__Change *to)
{
	struct attribute in;
	uint32_t index;

	if (size < 12) /* struct ndmsg */
		return;
	to->family = bytes[0];
	memcpy(&index, bytes + 4, sizeof(index));
	to->interface = index;
	bytes += 12;
	size -= 12;
	while (attribute_next(&bytes, &size, &in))
		if (in.type == 1) /* NDA_DST */
			to->address = address_of(&in);
}

static void read_traffic(const uint8_t *bytes, size_t size, Hinomi__Change *to)
{
	struct attribute in;
	uint32_t index;

	if (size < 20) /* struct tcmsg */
		return;
	memcpy(&index, bytes + 4, sizeof(index));
	to->interface = index;
	bytes += 20;
	size -= 20;
	while (attribute_next(&bytes, &size, &in))
		if (in.type == TCA_KIND)
			to->object = text_of(&in);
}

static void route_message(unsigned type, unsigned flags, const uint8_t *bytes, size_t size,
			  Hinomi__Change *to)
{
	static const Hinomi__Change__Action actions[] = {ACTION(ADD), ACTION(REMOVE),
							 ACTION(UNSPECIFIED), ACTION(SET)};

	to->action = actions[type & 3];
	switch (type & ~3u) {
	case RTM_NEWLINK:
		to->area = AREA(LINK);
		read_link(bytes, size, flags, to);
		break;
	case RTM_NEWADDR:
		to->area = AREA(ADDRESS);
		read_address(bytes, size, to);
		break;
	case RTM_NEWROUTE:
		to->area = AREA(ROUTE);
		read_route(bytes, size, to);
		break;
	case RTM_NEWNEIGH:
		to->area = AREA(NEIGHBOUR);
		read_neighbour(bytes, size, to);
		break;
	case RTM_NEWRULE:
		to->area = AREA(POLICY);
		read_route(bytes, size, to); /* the same head and numbers */
		break;
	case RTM_NEWQDISC:
	case RTM_NEWTCLASS:
	case RTM_NEWTFILTER:
		to->area = AREA(TRAFFIC);
		read_traffic(bytes, size, to);
		break;
	default:
		to->area = AREA(OTHER);
	}
}

/* ---- nfnetlink */

/* What nf_tables calls its objects: by message, the attributes that name table and object. */
static const struct {
	unsigned first, last; /* NEW, GET, DEL */
	const char *object;
	unsigned name;
} objects[] = {
	{0, 2, "table", 0},	   {3, 5, "chain", 3},	      {6, 8, "rule", 2},
	{9, 11, "set", 2},	   {12, 14, "element", 2},    {18, 21, "object", 2},
	{22, 24, "flow table", 2}, {26, 26, "table", 0},      {27, 27, "chain", 3},
	{28, 28, "rule", 2},	   {29, 29, "set", 2},	      {30, 30, "element", 2},
	{31, 31, "object", 2},	   {32, 32, "flow table", 2},
};

static void read_names(const uint8_t *bytes, size_t size, unsigned table, unsigned name,
		       Hinomi__Change *to)
{
	struct attribute in;

	while (attribute_next(&bytes, &size, &in)) {
		if (in.type == table)
			to->name = text_of(&in);
		else if (name && in.type == name)
			to->part = text_of(&in);
	}
}

static void tables_message(unsigned message, const uint8_t *bytes, size_t size, Hinomi__Change *to)
{
	bool adds = message == 18 || message == 22 || (message <= 14 && message % 3 == 0);

	to->action = adds ? ACTION(ADD) : ACTION(REMOVE);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (message >= objects[i].first && message <= objects[i].last) {
			to->object = word(objects[i].object);
			read_names(bytes, size, 1, objects[i].name, to);
			return;
		}
}

static void firewall_message(unsigned type, const uint8_t *bytes, size_t size, Hinomi__Change *to)
{
	unsigned message = type & 0xff;

	to->area = AREA(FIREWALL);
	to->action = ACTION(SET);
	if (size < FIREWALL_HEAD)
		return;
	to->family = bytes[0];
	bytes += FIREWALL_HEAD;
	size -= FIREWALL_HEAD;
	switch (type >> 8) {
	case SUBSYSTEM_NFTABLES:
		tables_message(message, bytes, size, to);
		break;
	case SUBSYSTEM_IPSET:
		to->object = word(message == 9 || message == 10 ? "element" : "set");
		if (message == 2 || message == 9)
			to->action = ACTION(ADD);
		else if (message == 3 || message == 4 || message == 10)
			to->action = ACTION(REMOVE);
		read_names(bytes, size, 2, 0, to);
		break;
	case SUBSYSTEM_CONNTRACK:
		to->object = word("connection");
		to->action = ACTION(REMOVE);
		break;
	case SUBSYSTEM_QUEUE:
		to->object = word("queue");
		break;
	case SUBSYSTEM_LOG:
		to->object = word("log");
		break;
	}
}

/* ---- messages */

static void message_read(struct source *source, uint32_t protocol, const struct nlmsghdr *head,
			 const uint8_t *bytes, size_t size, Hinomi__NetChange *to)
{
	Hinomi__Change *change = change_add(source, to);

	if (!change)
		return;
	change->type = head->nlmsg_type;
	switch (protocol) {
	case PROTOCOL_ROUTE:
		route_message(head->nlmsg_type, head->nlmsg_flags, bytes, size, change);
		break;
	case PROTOCOL_IPSEC:
		change->area = AREA(IPSEC);
		change->action = ACTION(SET);
		break;
	case PROTOCOL_AUDIT:
		change->area = AREA(AUDIT);
		audit_message(head->nlmsg_type, bytes, size, change);
		break;
	default:
		firewall_message(head->nlmsg_type, bytes, size, change);
	}
}

void netlink_parse(struct source *source, uint32_t protocol, const uint8_t *bytes, size_t size,
		   bool cut, Hinomi__NetChange *to)
{
	struct nlmsghdr head;

	while (size >= sizeof(head)) {
		size_t step, whole;

		memcpy(&head, bytes, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || (head.nlmsg_len > size && !cut)) {
			to->malformed = true;
			return;
		}
		whole = head.nlmsg_len < size ? head.nlmsg_len : size;
		to->messages++;
		if (netlink_changes(protocol, head.nlmsg_type))
			message_read(source, protocol, &head, bytes + sizeof(head),
				     whole - sizeof(head), to);
		step = aligned(whole);
		step = step < size ? step : size;
		bytes += step;
		size -= step;
	}
	to->truncated |= cut;
	to->malformed |= size && !cut && !to->messages;
}
