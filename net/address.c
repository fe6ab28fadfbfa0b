/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, neighbours and routes of network devices; see link.h. */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <string.h>
#include <sys/socket.h>

#include "net/link.h"

static unsigned bytes_of(int family)
{
	return family == AF_INET ? 4 : 16;
}

/* An address of an attribute; family 0 if it is none of ours. */
static struct cidr read_address(
	int family, unsigned prefix, const struct nlattr *attr)
{
	struct cidr c = { 0 };

	if (!attr || (family != AF_INET && family != AF_INET6) ||
		mnl_attr_get_payload_len(attr) != bytes_of(family))
		return c;
	c.family = family;
	c.prefix = prefix;
	memcpy(c.at, mnl_attr_get_payload(attr), bytes_of(family));
	return c;
}

/* ---- addresses ---- */

int link_add_address(
	struct netlink *nl, unsigned index, const struct cidr *address)
{
	struct netlink_request request;
	struct ifaddrmsg *head = netlink_begin(&request, RTM_NEWADDR,
		NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifaddrmsg));

	head->ifa_family = (unsigned char)address->family;
	head->ifa_prefixlen = (unsigned char)address->prefix;
	head->ifa_index = index;
	if (address->family == AF_INET6)
		head->ifa_flags = IFA_F_NODAD; /* ours alone; usable at once */
	mnl_attr_put(&request.u.head, IFA_LOCAL, bytes_of(address->family),
		address->at);
	mnl_attr_put(&request.u.head, IFA_ADDRESS, bytes_of(address->family),
		address->at);
	if (netlink_talk(nl, &request, NULL, NULL) == 0)
		return 0;
	return errno == EEXIST ? 0 : -1;
}

struct each_address {
	void (*each)(void *arg, unsigned index, const struct cidr *address);
	void *arg;
};

static void on_address(void *arg, const struct nlmsghdr *message)
{
	struct each_address *to = arg;
	const struct ifaddrmsg *head = mnl_nlmsg_get_payload(message);
	const struct nlattr *at[IFA_LOCAL + 1];
	struct cidr found;

	if (message->nlmsg_type != RTM_NEWADDR)
		return;
	netlink_attrs(message, sizeof *head, at, IFA_LOCAL);
	/* IPv6 has no other than IFA_ADDRESS */
	found = read_address(head->ifa_family, head->ifa_prefixlen,
		at[IFA_LOCAL] ? at[IFA_LOCAL] : at[IFA_ADDRESS]);
	if (found.family)
		to->each(to->arg, head->ifa_index, &found);
}

int link_each_address(struct netlink *nl,
	void (*each)(void *arg, unsigned index, const struct cidr *address),
	void *arg)
{
	struct netlink_request request;
	struct each_address to = { each, arg };

	netlink_begin(
		&request, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	return netlink_talk(nl, &request, on_address, &to);
}

/* ---- neighbours ---- */

struct each_neighbour {
	void (*each)(void *arg, const struct link_neighbour *neighbour);
	void *arg;
};

static void on_neighbour(void *arg, const struct nlmsghdr *message)
{
	struct each_neighbour *to = arg;
	const struct ndmsg *head = mnl_nlmsg_get_payload(message);
	struct link_neighbour found = { .index = (unsigned)head->ndm_ifindex };
	const struct nlattr *at[NDA_LLADDR + 1];

	if (message->nlmsg_type != RTM_NEWNEIGH ||
		(head->ndm_state & (NUD_FAILED | NUD_INCOMPLETE | NUD_NOARP)))
		return;
	netlink_attrs(message, sizeof *head, at, NDA_LLADDR);
	found.address = read_address(
		head->ndm_family, 8 * bytes_of(head->ndm_family), at[NDA_DST]);
	if (!at[NDA_LLADDR] ||
		mnl_attr_get_payload_len(at[NDA_LLADDR]) != sizeof found.mac)
		return;
	memcpy(found.mac, mnl_attr_get_payload(at[NDA_LLADDR]),
		sizeof found.mac);
	if (found.address.family)
		to->each(to->arg, &found);
}

int link_each_neighbour(struct netlink *nl,
	void (*each)(void *arg, const struct link_neighbour *neighbour),
	void *arg)
{
	struct netlink_request request;
	struct each_neighbour to = { each, arg };

	netlink_begin(&request, RTM_GETNEIGH, NLM_F_DUMP, sizeof(struct ndmsg));
	return netlink_talk(nl, &request, on_neighbour, &to);
}

/* ---- routes ---- */

struct each_route {
	void (*each)(void *arg, const struct link_route *route);
	void *arg;
};

static void on_route(void *arg, const struct nlmsghdr *message)
{
	struct each_route *to = arg;
	const struct rtmsg *head = mnl_nlmsg_get_payload(message);
	struct link_route route = { .is_default = head->rtm_dst_len == 0,
		.to = { .family = head->rtm_family,
			.prefix = head->rtm_dst_len } };
	const struct nlattr *at[RTA_GATEWAY + 1];

	if (message->nlmsg_type != RTM_NEWROUTE ||
		head->rtm_table != RT_TABLE_MAIN)
		return;
	netlink_attrs(message, sizeof *head, at, RTA_GATEWAY);
	if (at[RTA_OIF])
		route.index = mnl_attr_get_u32(at[RTA_OIF]);
	if (at[RTA_DST])
		route.to = read_address(
			head->rtm_family, head->rtm_dst_len, at[RTA_DST]);
	route.gateway = read_address(head->rtm_family,
		8 * bytes_of(head->rtm_family), at[RTA_GATEWAY]);
	to->each(to->arg, &route);
}

int link_each_route(struct netlink *nl,
	void (*each)(void *arg, const struct link_route *route), void *arg)
{
	struct netlink_request request;
	struct each_route to = { each, arg };

	netlink_begin(&request, RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
	return netlink_talk(nl, &request, on_route, &to);
}
