/* SPDX-License-Identifier: Apache-2.0 */
/* The ways of old to change the network: socket options and ioctls. */
#include "decode/change.h"

#include <hinomi/net_change.h>
#include <linux/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "decode/source.h"

#define AREA(name)   HINOMI__CHANGE__AREA__AREA_##name
#define ACTION(name) HINOMI__CHANGE__ACTION__ACTION_##name
#define NAME_SIZE    16 /* of an interface */
#define TABLE_SIZE   32 /* of a table of xtables */

Hinomi__Change *change_add(struct source *source, Hinomi__NetChange *to)
{
	Hinomi__Change *change;

	if (to->n_changes == CHANGES_MAX) {
		to->truncated = true;
		return NULL;
	}
	if (!to->changes)
		to->changes = source_alloc(source, CHANGES_MAX * sizeof(*to->changes));
	change = to->changes ? source_alloc(source, sizeof(*change)) : NULL;
	if (!change)
		return NULL;
	hinomi__change__init(change);
	to->changes[to->n_changes++] = change;
	return change;
}

static ProtobufCBinaryData name_at(const uint8_t *bytes, size_t size, size_t room)
{
	return source_name((const char *)bytes, size < room ? size : room);
}

void option_parse(struct source *source, uint32_t level, uint32_t option, const uint8_t *bytes,
		  size_t size, Hinomi__NetChange *to)
{
	Hinomi__Change *change = change_add(source, to);

	if (!change)
		return;
	change->type = option;
	if (level == LEVEL_PACKET) {
		change->area = AREA(LINK);
		change->action =
			option == PACKET_JOIN ? ACTION(PROMISCUOUS) : ACTION(NOT_PROMISCUOUS);
		if (size >= sizeof(change->interface))
			memcpy(&change->interface, bytes, sizeof(change->interface));
		return;
	}
	change->area = AREA(FIREWALL);
	change->action = ACTION(SET);
	change->family = level == LEVEL_IPV6 ? AF_INET6 : AF_INET;
	change->name = name_at(bytes, size, TABLE_SIZE);
}

/* The address in a struct sockaddr_in; anything else is left out. */
static ProtobufCBinaryData address_at(const uint8_t *bytes, size_t size, size_t at)
{
	uint16_t family;

	if (size < at + 8)
		return (ProtobufCBinaryData){0};
	memcpy(&family, bytes + at, sizeof(family));
	if (family != AF_INET)
		return (ProtobufCBinaryData){0};
	return (ProtobufCBinaryData){.data = (uint8_t *)bytes + at + 4, .len = 4};
}

static void flags_read(const uint8_t *bytes, size_t size, Hinomi__Change *to)
{
	uint16_t flags;

	if (size < NAME_SIZE + sizeof(flags))
		return;
	memcpy(&flags, bytes + NAME_SIZE, sizeof(flags));
	if (flags & IFF_PROMISC)
		to->action = ACTION(PROMISCUOUS);
	else
		to->action = flags & IFF_UP ? ACTION(UP) : ACTION(DOWN);
}

static void link_read(uint32_t command, const uint8_t *bytes, size_t size, Hinomi__Change *to)
{
	to->area = AREA(LINK);
	to->name = name_at(bytes, size, NAME_SIZE);
	switch (command) {
	case IOCTL_FLAGS:
		flags_read(bytes, size, to);
		break;
	case IOCTL_TUN:
		to->object = name_at((const uint8_t *)"tun", 3, 3);
		to->action = ACTION(ADD);
		break;
	case IOCTL_ADD_BRIDGE:
	case IOCTL_DEL_BRIDGE:
		to->object = name_at((const uint8_t *)"bridge", 6, 6);
		to->action = command == IOCTL_ADD_BRIDGE ? ACTION(ADD) : ACTION(REMOVE);
		break;
	}
}

void ioctl_parse(struct source *source, uint32_t command, const uint8_t *bytes, size_t size,
		 bool compat, Hinomi__NetChange *to)
{
	Hinomi__Change *change = change_add(source, to);
	size_t route = compat ? 4 : 8; /* struct rtentry begins with a long */

	if (!change)
		return;
	change->type = command;
	change->action = ACTION(SET);
	switch (command) {
	case IOCTL_ADD_ROUTE:
	case IOCTL_DEL_ROUTE:
		change->area = AREA(ROUTE);
		change->action = command == IOCTL_ADD_ROUTE ? ACTION(ADD) : ACTION(REMOVE);
		change->address = address_at(bytes, size, route);
		change->gateway = address_at(bytes, size, route + 16);
		return;
	case IOCTL_SET_NEIGHBOR:
	case IOCTL_DEL_NEIGHBOR:
		change->area = AREA(NEIGHBOUR);
		change->action = command == IOCTL_SET_NEIGHBOR ? ACTION(SET) : ACTION(REMOVE);
		change->address = address_at(bytes, size, 0);
		return;
	case IOCTL_ADDRESS:
	case IOCTL_PEER:
	case IOCTL_BROADCAST:
	case IOCTL_NETMASK:
	case IOCTL_DEL_ADDRESS:
		change->area = AREA(ADDRESS);
		change->name = name_at(bytes, size, NAME_SIZE);
		change->address = address_at(bytes, size, NAME_SIZE);
		if (command == IOCTL_DEL_ADDRESS)
			change->action = ACTION(REMOVE);
		return;
	default:
		link_read(command, bytes, size, change);
	}
}
