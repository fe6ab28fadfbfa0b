/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VLAN devices and the VLANs of ports; see vlan.h. */
#include "net/vlan.h"

#include <ctype.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/socket.h>

#include "net/link.h"

/* ---- text ---- */

/* A number of a VLAN; moves *at behind it.  0: it is none. */
static uint16_t read_id(const char **at)
{
	unsigned id = 0;

	while (isdigit((unsigned char)**at) && id <= VLAN_LAST)
		id = id * 10 + (unsigned)(*(*at)++ - '0');
	return id >= VLAN_FIRST && id <= VLAN_LAST ? (uint16_t)id : 0;
}

static bool overlaps(const struct vlan_set *set, const struct vlan_range *r)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->tagged[i].first <= r->last &&
			r->first <= set->tagged[i].last)
			return true;
	return false;
}

/* One id or range; moves *at behind it and the comma. */
static bool read_range(const char **at, struct vlan_range *out)
{
	out->first = out->last = read_id(at);
	if (**at == '-') {
		++*at;
		out->last = read_id(at);
	}
	*at += strspn(*at, " \t");
	if (**at == ',')
		*at += 1 + strspn(*at + 1, " \t");
	else if (**at)
		return false;
	return out->first && out->first <= out->last;
}

int vlan_parse(const char *text, struct vlan_set *out, struct err *err)
{
	struct vlan_set set = { .native = out->native };
	struct vlan_range range;

	for (const char *at = text; *at;) {
		if (!read_range(&at, &range))
			return err_set(err, ERR_CONFIG,
				"%s: say VLANs from %d to %d, as 10, 20, 30-39",
				text, VLAN_FIRST, VLAN_LAST);
		if (overlaps(&set, &range))
			return err_set(err, ERR_CONFIG,
				"%s: VLAN %u is in it twice", text,
				range.first);
		if (set.n == VLAN_RANGES_MAX)
			return err_set(err, ERR_CONFIG,
				"%s: %d ranges are the most", text,
				VLAN_RANGES_MAX);
		set.tagged[set.n++] = range;
	}
	*out = set;
	return 0;
}

void vlan_add_text(struct str *out, const struct vlan_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct vlan_range *r = &set->tagged[i];

		str_addf(out, "%s%u", i ? "," : "", r->first);
		if (r->last != r->first)
			str_addf(out, "-%u", r->last);
	}
}

bool vlan_is_same(const struct vlan_set *a, const struct vlan_set *b)
{
	return a->native == b->native && a->n == b->n &&
	       !memcmp(a->tagged, b->tagged, a->n * sizeof(a->tagged[0]));
}

/* ---- devices ---- */

int vlan_add(struct netlink *nl, const char *name, const char *alias,
	unsigned lower, uint16_t id)
{
	struct link_new vlan;

	link_new_begin(
		&vlan, &(struct link_want){
			       .name = name, .kind = "vlan", .lower = lower });
	mnl_attr_put_u16(&vlan.request.u.head, IFLA_VLAN_ID, id);
	return link_new_end(nl, &vlan, alias);
}

int vlan_filter(struct netlink *nl, unsigned bridge)
{
	struct link_new change;

	link_data_begin(&change, bridge, "bridge");
	mnl_attr_put_u8(&change.request.u.head, IFLA_BR_VLAN_FILTERING, 1);
	return link_data_end(nl, &change);
}

/* ---- ports ---- */

static void put_range(
	struct nlmsghdr *head, unsigned flags, const struct vlan_range *range)
{
	struct bridge_vlan_info info = { .flags = (uint16_t)flags,
		.vid = range->first };

	if (range->first != range->last)
		info.flags |= BRIDGE_VLAN_INFO_RANGE_BEGIN;
	mnl_attr_put(head, IFLA_BRIDGE_VLAN_INFO, sizeof info, &info);
	if (range->first == range->last)
		return;
	info.flags = (uint16_t)(flags | BRIDGE_VLAN_INFO_RANGE_END);
	info.vid = range->last;
	mnl_attr_put(head, IFLA_BRIDGE_VLAN_INFO, sizeof info, &info);
}

static void put_set(struct nlmsghdr *head, const struct vlan_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		put_range(head, 0, &set->tagged[i]);
	if (set->native)
		put_range(head,
			BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED,
			&(struct vlan_range){ set->native, set->native });
}

/* The set is added to the port's, or taken from it. */
static int change(struct netlink *nl, uint16_t type, unsigned port,
	const struct vlan_set *set)
{
	struct netlink_request request;
	struct nlmsghdr *head = &request.u.head;
	struct ifinfomsg *device =
		netlink_begin(&request, type, 0, sizeof(struct ifinfomsg));

	device->ifi_family = AF_BRIDGE;
	device->ifi_index = (int)port;
	struct nlattr *nest = mnl_attr_nest_start(head, IFLA_AF_SPEC);
	put_set(head, set);
	mnl_attr_nest_end(head, nest);
	return netlink_talk(nl, &request, NULL, NULL);
}

int vlan_set_port(struct netlink *nl, unsigned port, const struct vlan_set *set)
{
	static const struct vlan_set all = { .n = 1,
		.tagged = { { VLAN_FIRST, VLAN_LAST } } };

	if (change(nl, RTM_DELLINK, port, &all) < 0)
		return -1;
	return change(nl, RTM_SETLINK, port, set);
}
