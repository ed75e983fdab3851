/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of net_change and audit_change. */
#include "render/body.h"

#include "base/cleanup.h"
#include "render/words.h"

static void put_area(FILE *out, Hinomi__Change__Area area)
{
	static const char *const words[] = {
		[HINOMI__CHANGE__AREA__AREA_FIREWALL] = "firewall",
		[HINOMI__CHANGE__AREA__AREA_ROUTE] = "route",
		[HINOMI__CHANGE__AREA__AREA_ADDRESS] = "address",
		[HINOMI__CHANGE__AREA__AREA_LINK] = "interface",
		[HINOMI__CHANGE__AREA__AREA_NEIGHBOUR] = "neighbour",
		[HINOMI__CHANGE__AREA__AREA_POLICY] = "routing policy",
		[HINOMI__CHANGE__AREA__AREA_TRAFFIC] = "traffic control",
		[HINOMI__CHANGE__AREA__AREA_IPSEC] = "IPsec",
		[HINOMI__CHANGE__AREA__AREA_AUDIT] = "audit",
	};
	bool known = (unsigned)area < ARRAY_SIZE(words) && words[area];

	fputs(known ? words[area] : "network", out);
}

static const char *action_word(Hinomi__Change__Action action)
{
	switch (action) {
	case HINOMI__CHANGE__ACTION__ACTION_ADD:
		return "add";
	case HINOMI__CHANGE__ACTION__ACTION_REMOVE:
		return "remove";
	case HINOMI__CHANGE__ACTION__ACTION_UP:
		return "up";
	case HINOMI__CHANGE__ACTION__ACTION_DOWN:
		return "down";
	case HINOMI__CHANGE__ACTION__ACTION_PROMISCUOUS:
		return "promiscuous";
	case HINOMI__CHANGE__ACTION__ACTION_NOT_PROMISCUOUS:
		return "not promiscuous";
	default:
		return "set";
	}
}

static void put_word(FILE *out, const ProtobufCBinaryData *bytes)
{
	if (!bytes->len)
		return;
	putc(' ', out);
	body_bytes(out, bytes);
}

static void put_ip(FILE *out, const char *before, const ProtobufCBinaryData *ip, uint32_t prefix)
{
	char text[INET6_ADDRSTRLEN];

	if (!words_ip(ip->data, ip->len, text))
		return;
	fprintf(out, " %s%s", before, text);
	if (prefix)
		fprintf(out, "/%u", prefix);
}

static void put_change(const struct body *body, const Hinomi__Change *change)
{
	put_area(body->what, change->area);
	fprintf(body->what, " %s", action_word(change->action));
	put_word(body->what, &change->object);
	put_word(body->what, &change->name);
	put_word(body->what, &change->part);
	put_ip(body->what, "", &change->address, change->prefix);
	put_ip(body->what, "by ", &change->gateway, 0);
	if (change->interface && !change->name.len)
		fprintf(body->what, " at interface %u", change->interface);
	if (change->area == HINOMI__CHANGE__AREA__AREA_AUDIT &&
	    change->action == HINOMI__CHANGE__ACTION__ACTION_SET)
		fprintf(body->what, " to %u", change->value);
}

static void say_change(const struct body *body, const Hinomi__NetChange *change)
{
	for (size_t i = 0; i < change->n_changes; i++) {
		fputs(i ? ", " : "", body->what);
		put_change(body, change->changes[i]);
	}
	if (!change->n_changes)
		fputs("nothing that is known", body->what);
	if (change->truncated)
		body_note(body, STYLE_DIM, "and more");
	if (change->malformed)
		body_note(body, STYLE_YELLOW, "malformed");
}

void say_net_change(const struct body *body, const Hinomi__Event *event)
{
	say_change(body, event->net_change);
}

void say_audit_change(const struct body *body, const Hinomi__Event *event)
{
	say_change(body, event->audit_change);
}
