/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "decode/change.h"
#include "decode/source.h"
#include "hinomi/net_change.h"

#define AREA(name)   HINOMI__CHANGE__AREA__AREA_##name
#define ACTION(name) HINOMI__CHANGE__ACTION__ACTION_##name

static struct arena arena;
static struct source source;
static Hinomi__NetChange change;
static uint8_t bytes[4096];
static size_t used;

static void begin(void)
{
	arena_reset(&arena);
	source = (struct source){.arena = &arena};
	hinomi__net_change__init(&change);
	used = 0;
}

static void put(const void *data, size_t size)
{
	memcpy(bytes + used, data, size);
	used += size;
	while (used % 4)
		bytes[used++] = 0;
}

/* One message with this body behind its head. */
static void message(unsigned type, unsigned flags, const void *body, size_t size)
{
	struct nlmsghdr head = {.nlmsg_len = (uint32_t)(sizeof(head) + size),
				.nlmsg_type = (uint16_t)type,
				.nlmsg_flags = (uint16_t)flags};

	put(&head, sizeof(head));
	put(body, size);
}

/* From memory of exactly this size, so that a read behind it is seen. */
static const uint8_t *exact(size_t size)
{
	static uint8_t *copy;

	free(copy);
	copy = malloc(size ? size : 1);
	memcpy(copy, bytes, size);
	return copy;
}

#define assert_text(value, text)                                       \
	do {                                                           \
		assert_int_equal((value).len, strlen(text));           \
		assert_memory_equal((value).data, text, strlen(text)); \
	} while (0)

/* struct ifinfomsg of interface 7, then its name and, nested, its kind */
#define LINK                               \
	"\0\0\0\0\7\0\0\0\0\0\0\0\0\0\0\0" \
	"\x0a\0\3\0veth0\0\0\0"            \
	"\x0c\0\x12\0\x08\0\1\0veth"

static void links(void **state)
{
	(void)state;
	begin();
	message(RTM_NEWLINK, NLM_F_CREATE, LINK, sizeof(LINK) - 1);
	message(RTM_GETLINK, 0, LINK, sizeof(LINK) - 1);
	message(RTM_DELLINK, 0, LINK, sizeof(LINK) - 1);
	netlink_parse(&source, 0, exact(used), used, false, &change);
	assert_int_equal(change.messages, 3);
	assert_int_equal(change.n_changes, 2);
	assert_false(change.malformed || change.truncated);
	assert_int_equal(change.changes[0]->area, AREA(LINK));
	assert_int_equal(change.changes[0]->action, ACTION(ADD));
	assert_int_equal(change.changes[0]->interface, 7);
	assert_text(change.changes[0]->name, "veth0");
	assert_text(change.changes[0]->object, "veth");
	assert_int_equal(change.changes[1]->action, ACTION(REMOVE));
}

/* Cut anywhere, nothing is read behind the end and nothing is made up. */
static void cut_messages(void **state)
{
	size_t whole;

	(void)state;
	begin();
	message(RTM_NEWLINK, 0, LINK, sizeof(LINK) - 1);
	whole = used;
	for (size_t n = 0; n < whole; n++) {
		begin();
		netlink_parse(&source, 0, exact(n), n, true, &change);
		assert_true(change.truncated);
		assert_false(change.malformed);
		begin();
		netlink_parse(&source, 0, exact(n), n, false, &change);
		assert_int_equal(change.n_changes, 0);
		assert_int_equal(change.malformed, n > 0);
	}
}

static void sets_and_rules(void **state)
{
	(void)state;
	begin();
	message(SUBSYSTEM_NFTABLES << 8 | 8, 0, "\2\0\0\0\x08\0\1\0nat\0\x08\0\2\0out\0", 20);
	message(SUBSYSTEM_IPSET << 8 | 9, 0, "\2\0\0\0\x08\0\2\0bad\0", 12);
	message(SUBSYSTEM_QUEUE << 8 | 2, 0, "\2\0\0\0", 4);
	message(SUBSYSTEM_QUEUE << 8 | 1, 0, "\2\0\0\0", 4); /* a verdict: about one packet */
	netlink_parse(&source, 12, exact(used), used, false, &change);
	assert_int_equal(change.n_changes, 3);
	assert_int_equal(change.changes[0]->action, ACTION(REMOVE));
	assert_text(change.changes[0]->object, "rule");
	assert_text(change.changes[0]->name, "nat");
	assert_text(change.changes[0]->part, "out");
	assert_text(change.changes[1]->object, "element");
	assert_text(change.changes[1]->name, "bad");
	assert_text(change.changes[2]->object, "queue");
}

static void audit(void **state)
{
	struct audit_status off = {.mask = AUDIT_STATUS_ENABLED};
	struct audit_rule_data rule = {.field_count = 64};

	(void)state;
	begin();
	message(AUDIT_SET, 0, &off, sizeof(off));
	for (int i = 0; i < 64; i++) {
		rule.fields[i] = AUDIT_FILTERKEY;
		rule.values[i] = 0xffffffff; /* longer than anything */
	}
	message(AUDIT_ADD_RULE, 0, &rule, sizeof(rule));
	netlink_parse(&source, 9, exact(used), used, false, &change);
	assert_int_equal(change.n_changes, 2);
	assert_text(change.changes[0]->object, "enabled");
	assert_int_equal(change.changes[0]->value, 0);
	assert_int_equal(change.changes[1]->action, ACTION(ADD));
	assert_int_equal(change.changes[1]->name.len, 0);
}

/* Lengths that are as large as can be end what is read. */
static void longest(void **state)
{
	static const uint32_t lengths[] = {0xffffffff, 0xfffffffe, 0xfffffffd, 0x7fffffff};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		begin();
		message(RTM_DELLINK, 0, LINK, sizeof(LINK) - 1);
		memcpy(bytes, &lengths[i], sizeof(lengths[i]));
		netlink_parse(&source, 0, exact(used), used, true, &change);
		assert_int_equal(change.messages, 1);
		begin();
		message(RTM_DELLINK, 0, LINK, sizeof(LINK) - 1);
		memcpy(bytes, &lengths[i], sizeof(lengths[i]));
		netlink_parse(&source, 0, exact(used), used, false, &change);
		assert_true(change.malformed);
	}
}

/* Keys of IPsec go nowhere: of such a message only its number is kept. */
static void secrets(void **state)
{
	(void)state;
	begin();
	message(16, 0, "secret key", 10);
	netlink_parse(&source, 6, exact(used), used, false, &change);
	assert_int_equal(change.n_changes, 1);
	assert_int_equal(change.changes[0]->area, AREA(IPSEC));
	assert_int_equal(hinomi__change__get_packed_size(change.changes[0]), 6);
}

static void ways_of_old(void **state)
{
	static const char ifreq[32] = "eth0", route[56] = {[8] = 2, [12] = 10, [24] = 2, [28] = 9};

	(void)state;
	for (size_t n = 0; n <= sizeof(ifreq); n++) {
		begin();
		put(ifreq, n);
		ioctl_parse(&source, IOCTL_FLAGS, exact(n), n, false, &change);
		ioctl_parse(&source, IOCTL_ADDRESS, exact(n), n, false, &change);
		option_parse(&source, LEVEL_IP, IPT_REPLACE, exact(n), n, &change);
		option_parse(&source, LEVEL_PACKET, PACKET_JOIN, exact(n), n, &change);
		assert_int_equal(change.n_changes, 4);
	}
	begin(); /* alone: what is told lies in the bytes, which the next exact() takes back */
	put(ifreq, sizeof(ifreq));
	ioctl_parse(&source, IOCTL_FLAGS, exact(sizeof(ifreq)), sizeof(ifreq), false, &change);
	assert_text(change.changes[0]->name, "eth0");
	assert_int_equal(change.changes[0]->action, ACTION(DOWN));
	begin();
	memcpy(bytes, route, sizeof(route));
	ioctl_parse(&source, IOCTL_ADD_ROUTE, exact(sizeof(route)), sizeof(route), false, &change);
	assert_int_equal(change.changes[0]->address.data[0], 10);
	assert_int_equal(change.changes[0]->gateway.data[0], 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links),	  cmocka_unit_test(cut_messages),
		cmocka_unit_test(sets_and_rules), cmocka_unit_test(audit),
		cmocka_unit_test(secrets),	  cmocka_unit_test(longest),
		cmocka_unit_test(ways_of_old),
	};

	arena_init(&arena, 1 << 20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
