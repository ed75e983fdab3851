/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Which messages, socket options and ioctls change the network, its filters or the audit. */
#pragma once

#define SUBSYSTEM_CONNTRACK 1
#define SUBSYSTEM_QUEUE	    3
#define SUBSYSTEM_LOG	    4
#define SUBSYSTEM_IPSET	    6
#define SUBSYSTEM_NFTABLES  10

/* rtnetlink: groups of four, NEW, DEL, GET, SET */
static inline int changes_route(unsigned type)
{
	return type >= 16 && (type & 3) != 2;
}

static inline int changes_ipsec(unsigned type)
{
	switch (type - 16) {
	case 0 ... 1:	/* NEWSA, DELSA */
	case 3 ... 4:	/* NEWPOLICY, DELPOLICY */
	case 9 ... 10:	/* UPDPOLICY, UPDSA */
	case 12 ... 14: /* FLUSHSA, FLUSHPOLICY, NEWAE */
	case 17:	/* MIGRATE */
	case 20:	/* NEWSPDINFO */
	case 23:	/* SETDEFAULT */
		return 1;
	}
	return 0;
}

static inline int changes_audit(unsigned type)
{
	switch (type) {
	case 1001:	    /* SET */
	case 1003 ... 1004: /* ADD, DEL: of old */
	case 1011 ... 1012: /* ADD_RULE, DEL_RULE */
	case 1014 ... 1015: /* TRIM, MAKE_EQUIV */
	case 1017 ... 1018: /* TTY_SET, SET_FEATURE */
		return 1;
	}
	return 0;
}

/* nfnetlink; what happens for each packet or connection is left out */
static inline int changes_firewall(unsigned type)
{
	unsigned message = type & 0xff;

	switch (type >> 8) {
	case SUBSYSTEM_CONNTRACK:
		return message == 2; /* DELETE */
	case SUBSYSTEM_QUEUE:
		return message == 2; /* CONFIG: packets go to a process */
	case SUBSYSTEM_LOG:
		return message == 1; /* CONFIG */
	case SUBSYSTEM_IPSET:
		return (message >= 2 && message <= 6) || message == 9 || message == 10;
	case SUBSYSTEM_NFTABLES: /* NEW, GET, DEL by turns, and what came later */
		if (message <= 14)
			return message % 3 != 1;
		return message == 18 || message == 20 || message == 22 || message == 24 ||
		       (message >= 26 && message <= 32);
	}
	return 0;
}

/* protocol: NETLINK_* */
static inline int netlink_changes(unsigned protocol, unsigned type)
{
	switch (protocol) {
	case 0:
		return changes_route(type);
	case 6:
		return changes_ipsec(type);
	case 9:
		return changes_audit(type);
	case 12:
		return changes_firewall(type);
	}
	return 0;
}

#define LEVEL_IP       0
#define LEVEL_IPV6     41
#define LEVEL_PACKET   263
#define PACKET_JOIN    1
#define PACKET_LEAVE   2
#define PACKET_PROMISC 1
#define IPT_REPLACE    64
#define ARPT_REPLACE   96
#define EBT_REPLACE    128

static inline int option_changes(unsigned level, unsigned option)
{
	switch (level) {
	case LEVEL_IP:
		return option == IPT_REPLACE || option == ARPT_REPLACE || option == EBT_REPLACE;
	case LEVEL_IPV6:
		return option == IPT_REPLACE;
	case LEVEL_PACKET:
		return option == PACKET_JOIN || option == PACKET_LEAVE;
	}
	return 0;
}

#define IOCTL_ADD_ROUTE	   0x890b
#define IOCTL_DEL_ROUTE	   0x890c
#define IOCTL_FLAGS	   0x8914
#define IOCTL_ADDRESS	   0x8916
#define IOCTL_PEER	   0x8918
#define IOCTL_BROADCAST	   0x891a
#define IOCTL_NETMASK	   0x891c
#define IOCTL_MTU	   0x8922
#define IOCTL_NAME	   0x8923
#define IOCTL_HARDWARE	   0x8924
#define IOCTL_DEL_ADDRESS  0x8936
#define IOCTL_DEL_NEIGHBOR 0x8953
#define IOCTL_SET_NEIGHBOR 0x8955
#define IOCTL_ADD_BRIDGE   0x89a0
#define IOCTL_DEL_BRIDGE   0x89a1
#define IOCTL_JOIN_BRIDGE  0x89a2
#define IOCTL_LEAVE_BRIDGE 0x89a3
#define IOCTL_TUN	   0x400454ca

static inline int ioctl_changes(unsigned command)
{
	switch (command) {
	case IOCTL_ADD_ROUTE:
	case IOCTL_DEL_ROUTE:
	case IOCTL_FLAGS:
	case IOCTL_ADDRESS:
	case IOCTL_PEER:
	case IOCTL_BROADCAST:
	case IOCTL_NETMASK:
	case IOCTL_MTU:
	case IOCTL_NAME:
	case IOCTL_HARDWARE:
	case IOCTL_DEL_ADDRESS:
	case IOCTL_DEL_NEIGHBOR:
	case IOCTL_SET_NEIGHBOR:
	case IOCTL_ADD_BRIDGE ... IOCTL_LEAVE_BRIDGE:
	case IOCTL_TUN:
		return 1;
	}
	return 0;
}
