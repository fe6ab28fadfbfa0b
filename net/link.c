/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network devices: bridges, ports, changes of them; see link.h. */
#include "net/link.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/str.h"

enum { MACVLAN_BRIDGE = 4 }; /* MACVLAN_MODE_BRIDGE of linux/if_link.h */

bool link_name_ok(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < LINK_NAME_SIZE && !str_eq(name, ".") &&
	       !str_eq(name, "..") && !strpbrk(name, "/: \t\n\r\v\f");
}

/* ---- looking ---- */

static void copy_text(char *to, size_t size, const struct nlattr *attr)
{
	const char *text = mnl_attr_get_str(attr);
	size_t len = strnlen(text, mnl_attr_get_payload_len(attr));

	if (len >= size)
		len = size - 1;
	memcpy(to, text, len);
	to[len] = '\0';
}

static void take_stats(struct link_info *link, const struct nlattr *attr)
{
	struct rtnl_link_stats64 stats;

	if (mnl_attr_get_payload_len(attr) < sizeof stats)
		return;
	memcpy(&stats, mnl_attr_get_payload(attr), sizeof stats);
	link->rx_bytes = stats.rx_bytes;
	link->tx_bytes = stats.tx_bytes;
	link->rx_packets = stats.rx_packets;
	link->tx_packets = stats.tx_packets;
}

/* What only one kind of device has. */
static void take_data(struct link_info *link, const struct nlattr *data)
{
	const struct nlattr *at[IFLA_BR_VLAN_FILTERING + 1];

	netlink_nested(data, at, IFLA_BR_VLAN_FILTERING);
	if (str_eq(link->kind, "vlan") && at[IFLA_VLAN_ID])
		link->vlan = mnl_attr_get_u16(at[IFLA_VLAN_ID]);
	if (str_eq(link->kind, "bridge") && at[IFLA_BR_VLAN_FILTERING])
		link->filtering =
			mnl_attr_get_u8(at[IFLA_BR_VLAN_FILTERING]) != 0;
}

static void parse_link(struct link_info *link, const struct nlmsghdr *message)
{
	const struct ifinfomsg *head = mnl_nlmsg_get_payload(message);
	const struct nlattr *at[IFLA_CARRIER + 1];
	const struct nlattr *info[IFLA_INFO_DATA + 1];

	*link = (struct link_info){ .index = (unsigned)head->ifi_index,
		.up = (head->ifi_flags & IFF_UP) != 0 };
	netlink_attrs(message, sizeof *head, at, IFLA_CARRIER);
	netlink_nested(at[IFLA_LINKINFO], info, IFLA_INFO_DATA);
	if (at[IFLA_IFNAME])
		copy_text(link->name, sizeof link->name, at[IFLA_IFNAME]);
	if (at[IFLA_IFALIAS])
		copy_text(link->alias, sizeof link->alias, at[IFLA_IFALIAS]);
	if (info[IFLA_INFO_KIND])
		copy_text(link->kind, sizeof link->kind, info[IFLA_INFO_KIND]);
	take_data(link, info[IFLA_INFO_DATA]);
	if (at[IFLA_MASTER])
		link->master = mnl_attr_get_u32(at[IFLA_MASTER]);
	if (at[IFLA_LINK])
		link->lower = mnl_attr_get_u32(at[IFLA_LINK]);
	if (at[IFLA_MTU])
		link->mtu = mnl_attr_get_u32(at[IFLA_MTU]);
	if (at[IFLA_CARRIER])
		link->carrier = mnl_attr_get_u8(at[IFLA_CARRIER]) != 0;
	if (at[IFLA_ADDRESS] &&
		mnl_attr_get_payload_len(at[IFLA_ADDRESS]) == sizeof link->mac)
		memcpy(link->mac, mnl_attr_get_payload(at[IFLA_ADDRESS]),
			sizeof link->mac);
	if (at[IFLA_STATS64])
		take_stats(link, at[IFLA_STATS64]);
}

static void on_found(void *arg, const struct nlmsghdr *message)
{
	if (message->nlmsg_type == RTM_NEWLINK)
		parse_link(arg, message);
}

int link_find(struct netlink *nl, const char *name, struct link_info *out)
{
	struct netlink_request request;

	*out = (struct link_info){ .index = 0 };
	netlink_begin(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(&request.u.head, IFLA_IFNAME, name);
	if (netlink_talk(nl, &request, on_found, out) == 0)
		return 0;
	return errno == ENODEV ? 0 : -1;
}

struct each_link {
	void (*each)(void *arg, const struct link_info *link);
	void *arg;
};

static void on_link(void *arg, const struct nlmsghdr *message)
{
	struct each_link *to = arg;
	struct link_info link;

	if (message->nlmsg_type != RTM_NEWLINK)
		return;
	parse_link(&link, message);
	to->each(to->arg, &link);
}

int link_each(struct netlink *nl,
	void (*each)(void *arg, const struct link_info *link), void *arg)
{
	struct netlink_request request;
	struct each_link to = { each, arg };

	netlink_begin(
		&request, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	return netlink_talk(nl, &request, on_link, &to);
}

/* ---- changing ---- */

void link_data_begin(struct link_new *n, unsigned index, const char *kind)
{
	struct nlmsghdr *head = &n->request.u.head;
	struct ifinfomsg *device = netlink_begin(
		&n->request, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));

	device->ifi_index = (int)index;
	n->info = mnl_attr_nest_start(head, IFLA_LINKINFO);
	mnl_attr_put_strz(head, IFLA_INFO_KIND, kind);
	n->data = mnl_attr_nest_start(head, IFLA_INFO_DATA);
}

int link_data_end(struct netlink *nl, struct link_new *n)
{
	mnl_attr_nest_end(&n->request.u.head, n->data);
	mnl_attr_nest_end(&n->request.u.head, n->info);
	return netlink_talk(nl, &n->request, NULL, NULL);
}

void link_new_begin(struct link_new *n, const struct link_want *want)
{
	struct nlmsghdr *head = &n->request.u.head;

	netlink_begin(&n->request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
		sizeof(struct ifinfomsg));
	mnl_attr_put_strz(head, IFLA_IFNAME, want->name);
	if (want->lower)
		mnl_attr_put_u32(head, IFLA_LINK, want->lower);
	if (want->mac)
		mnl_attr_put(head, IFLA_ADDRESS, 6, want->mac);
	n->info = mnl_attr_nest_start(head, IFLA_LINKINFO);
	mnl_attr_put_strz(head, IFLA_INFO_KIND, want->kind);
	n->data = mnl_attr_nest_start(head, IFLA_INFO_DATA);
}

int link_new_end(struct netlink *nl, struct link_new *n, const char *alias)
{
	struct nlmsghdr *head = &n->request.u.head;
	const struct nlattr *at[IFLA_IFNAME + 1];
	char name[LINK_NAME_SIZE];

	netlink_attrs(head, sizeof(struct ifinfomsg), at, IFLA_IFNAME);
	copy_text(name, sizeof name, at[IFLA_IFNAME]);
	if (link_data_end(nl, n) < 0)
		return -1;
	if (!alias)
		return 0;
	/* the kernel takes no alias with a new device */
	netlink_begin(&n->request, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(head, IFLA_IFNAME, name);
	mnl_attr_put_strz(head, IFLA_IFALIAS, alias);
	return netlink_talk(nl, &n->request, NULL, NULL);
}

int link_add_bridge(struct netlink *nl, const char *name, const char *alias)
{
	struct link_new bridge;

	link_new_begin(
		&bridge, &(struct link_want){ .name = name, .kind = "bridge" });
	mnl_attr_put_u32(&bridge.request.u.head, IFLA_BR_STP_STATE, 0);
	mnl_attr_put_u32(&bridge.request.u.head, IFLA_BR_FORWARD_DELAY, 0);
	return link_new_end(nl, &bridge, alias);
}

int link_add_macvtap(struct netlink *nl, const char *name, unsigned lower,
	const unsigned char mac[6])
{
	struct link_new tap;

	link_new_begin(&tap, &(struct link_want){ .name = name,
				     .kind = "macvtap",
				     .lower = lower,
				     .mac = mac });
	mnl_attr_put_u32(
		&tap.request.u.head, IFLA_MACVLAN_MODE, MACVLAN_BRIDGE);
	return link_new_end(nl, &tap, NULL);
}

int link_delete(struct netlink *nl, unsigned index)
{
	struct netlink_request request;
	struct ifinfomsg *head = netlink_begin(
		&request, RTM_DELLINK, 0, sizeof(struct ifinfomsg));

	head->ifi_index = (int)index;
	if (netlink_talk(nl, &request, NULL, NULL) == 0)
		return 0;
	return errno == ENODEV ? 0 : -1;
}

int link_set(
	struct netlink *nl, unsigned index, const struct link_change *change)
{
	struct netlink_request request;
	struct ifinfomsg *head = netlink_begin(
		&request, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));

	head->ifi_index = (int)index;
	if (change->up >= 0) {
		head->ifi_change = IFF_UP;
		head->ifi_flags = change->up ? IFF_UP : 0;
	}
	if (change->master >= 0)
		mnl_attr_put_u32(
			&request.u.head, IFLA_MASTER, (uint32_t)change->master);
	if (change->mtu)
		mnl_attr_put_u32(&request.u.head, IFLA_MTU, change->mtu);
	if (change->mac)
		mnl_attr_put(&request.u.head, IFLA_ADDRESS, 6, change->mac);
	if (change->alias)
		mnl_attr_put_strz(&request.u.head, IFLA_IFALIAS, change->alias);
	return netlink_talk(nl, &request, NULL, NULL);
}

int link_set_port(
	struct netlink *nl, unsigned index, bool isolate, bool hairpin)
{
	struct netlink_request request;
	struct ifinfomsg *head = netlink_begin(
		&request, RTM_SETLINK, 0, sizeof(struct ifinfomsg));

	head->ifi_family = AF_BRIDGE;
	head->ifi_index = (int)index;
	struct nlattr *port =
		mnl_attr_nest_start(&request.u.head, IFLA_PROTINFO);
	mnl_attr_put_u8(&request.u.head, IFLA_BRPORT_ISOLATED, isolate);
	mnl_attr_put_u8(&request.u.head, IFLA_BRPORT_MODE, hairpin);
	mnl_attr_nest_end(&request.u.head, port);
	return netlink_talk(nl, &request, NULL, NULL);
}
