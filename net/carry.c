/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's addresses and routes from device to device; see carry.h. */
#include "net/carry.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Messages of a dump that are of one device, one behind the other. */
struct kept {
	unsigned index;
	char *bytes;
	size_t len;
	unsigned n;
};

static size_t aligned(const struct nlmsghdr *message)
{
	return (message->nlmsg_len + MNL_ALIGNTO - 1) & ~(MNL_ALIGNTO - 1U);
}

static void keep(struct kept *kept, const struct nlmsghdr *message)
{
	size_t size = aligned(message);

	kept->bytes = xrealloc(kept->bytes, kept->len + size);
	memcpy(kept->bytes + kept->len, message, message->nlmsg_len);
	kept->len += size;
	kept->n++;
}

static void keep_address(void *arg, const struct nlmsghdr *message)
{
	struct kept *kept = arg;
	const struct ifaddrmsg *head = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type == RTM_NEWADDR &&
		head->ifa_index == kept->index &&
		head->ifa_scope < RT_SCOPE_LINK)
		keep(kept, message);
}

/* What somebody said; the kernel's own routes come with addresses. */
static void keep_route(void *arg, const struct nlmsghdr *message)
{
	struct kept *kept = arg;
	const struct rtmsg *head = mnl_nlmsg_get_payload(message);
	const struct nlattr *at[RTA_OIF + 1];

	if (message->nlmsg_type != RTM_NEWROUTE ||
		head->rtm_type != RTN_UNICAST ||
		head->rtm_protocol == RTPROT_KERNEL ||
		(head->rtm_flags & RTM_F_CLONED))
		return;
	netlink_attrs(message, sizeof *head, at, RTA_OIF);
	if (at[RTA_OIF] && mnl_attr_get_u32(at[RTA_OIF]) == kept->index)
		keep(kept, message);
}

/* Of IPv6, and of a prefix that is not of each device. */
static void keep_prefix(void *arg, const struct nlmsghdr *message)
{
	struct kept *kept = arg;
	const struct rtmsg *head = mnl_nlmsg_get_payload(message);
	const struct nlattr *at[RTA_OIF + 1];
	const unsigned char *to;

	if (message->nlmsg_type != RTM_NEWROUTE ||
		head->rtm_family != AF_INET6 || head->rtm_type != RTN_UNICAST ||
		head->rtm_protocol != RTPROT_KERNEL)
		return;
	netlink_attrs(message, sizeof *head, at, RTA_OIF);
	to = at[RTA_DST] ? mnl_attr_get_payload(at[RTA_DST]) : NULL;
	if (to && !(to[0] == 0xfe && (to[1] & 0xc0) == 0x80) && at[RTA_OIF] &&
		mnl_attr_get_u32(at[RTA_OIF]) == kept->index)
		keep(kept, message);
}

static int look(struct netlink *nl, uint16_t type, size_t size,
	netlink_each_fn *each, struct kept *kept)
{
	struct netlink_request request;

	netlink_begin(&request, type, NLM_F_DUMP, size);
	return netlink_talk(nl, &request, each, kept);
}

int carry_count(struct netlink *nl, unsigned index, unsigned *out)
{
	struct kept kept = { .index = index };
	int rc = look(
		nl, RTM_GETADDR, sizeof(struct ifaddrmsg), keep_address, &kept);

	*out = kept.n;
	free(kept.bytes);
	return rc;
}

struct copy {
	struct netlink_request *to;
	const uint16_t *but; /* ends with 0 */
};

static int copy_one(const struct nlattr *attr, void *arg)
{
	const struct copy *copy = arg;
	uint16_t type = mnl_attr_get_type(attr);

	for (const uint16_t *at = copy->but; *at; at++)
		if (*at == type)
			return MNL_CB_OK;
	mnl_attr_put(&copy->to->u.head, type, mnl_attr_get_payload_len(attr),
		mnl_attr_get_payload(attr));
	return MNL_CB_OK;
}

/* The attributes of a message, but those in the list. */
static void copy_attrs(struct netlink_request *to,
	const struct nlmsghdr *message, size_t size, const uint16_t *but)
{
	struct copy copy = { to, but };

	mnl_attr_parse(message, (unsigned)size, copy_one, &copy);
}

static int put_address(struct netlink *nl, const struct nlmsghdr *message,
	uint16_t type, unsigned index)
{
	/* a label begins with the device's name */
	static const uint16_t but[] = { IFA_LABEL, IFA_FLAGS, 0 };
	const struct ifaddrmsg *from = mnl_nlmsg_get_payload(message);
	struct netlink_request request;
	struct ifaddrmsg *head = netlink_begin(&request, type,
		type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_REPLACE : 0,
		sizeof *head);

	*head = *from;
	head->ifa_index = index;
	/* it was ours all the time: nobody need be asked whether it is free */
	head->ifa_flags = from->ifa_family == AF_INET6 ? IFA_F_NODAD : 0;
	copy_attrs(&request, message, sizeof *head, but);
	if (netlink_talk(nl, &request, NULL, NULL) == 0)
		return 0;
	return type == RTM_DELADDR && errno == EADDRNOTAVAIL ? 0 : -1;
}

/*
 * A way out that a router told: as long as it would have been good, and one
 * worse than what the router will tell the other device.  As good as that it
 * would be in its way, and the kernel drops the whole advertisement then.
 */
static void put_learnt(
	struct netlink_request *to, const struct nlmsghdr *message)
{
	enum { HZ_OF_USERS = 100 };
	const struct nlattr *at[RTA_CACHEINFO + 1];
	const struct rta_cacheinfo *info;

	netlink_attrs(message, sizeof(struct rtmsg), at, RTA_CACHEINFO);
	if (at[RTA_PRIORITY])
		mnl_attr_put_u32(&to->u.head, RTA_PRIORITY,
			mnl_attr_get_u32(at[RTA_PRIORITY]) + 1);
	info = at[RTA_CACHEINFO] ? mnl_attr_get_payload(at[RTA_CACHEINFO])
				 : NULL;
	if (info && info->rta_expires > 0)
		mnl_attr_put_u32(&to->u.head, RTA_EXPIRES,
			(uint32_t)info->rta_expires / HZ_OF_USERS + 1);
}

static int put_route(struct netlink *nl, const struct nlmsghdr *message,
	uint16_t type, unsigned index)
{
	static const uint16_t but[] = { RTA_OIF, RTA_CACHEINFO, 0 };
	static const uint16_t but_learnt[] = { RTA_OIF, RTA_CACHEINFO,
		RTA_PRIORITY, 0 };
	const struct rtmsg *from = mnl_nlmsg_get_payload(message);
	bool learnt = type == RTM_NEWROUTE && from->rtm_protocol == RTPROT_RA;
	struct netlink_request request;
	struct rtmsg *head = netlink_begin(&request, type,
		type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_REPLACE : 0,
		sizeof *head);

	*head = *from;
	head->rtm_flags &= RTNH_F_ONLINK;
	copy_attrs(&request, message, sizeof *head, learnt ? but_learnt : but);
	if (learnt)
		put_learnt(&request, message);
	mnl_attr_put_u32(&request.u.head, RTA_OIF, index);
	if (netlink_talk(nl, &request, NULL, NULL) == 0)
		return 0;
	return type == RTM_DELROUTE && errno == ESRCH ? 0 : -1;
}

typedef int put_fn(struct netlink *nl, const struct nlmsghdr *message,
	uint16_t type, unsigned index);

static int put_all(struct netlink *nl, const struct kept *kept, put_fn *put,
	uint16_t type, unsigned index)
{
	for (size_t at = 0; at < kept->len;) {
		const struct nlmsghdr *message =
			(const void *)(kept->bytes + at);

		if (put(nl, message, type, index) < 0)
			return -1;
		at += aligned(message);
	}
	return 0;
}

/* Messages of both kinds are told apart by their type. */
static int put_any(struct netlink *nl, const struct nlmsghdr *message,
	uint16_t type UNUSED, unsigned index)
{
	if (message->nlmsg_type == RTM_NEWADDR)
		return put_address(nl, message, RTM_NEWADDR, index);
	return put_route(nl, message, RTM_NEWROUTE, index);
}

/* Addresses first: routes need them. */
static int look_at_all(struct netlink *nl, struct kept *kept)
{
	if (look(nl, RTM_GETADDR, sizeof(struct ifaddrmsg), keep_address,
		    kept) < 0)
		return -1;
	return look(nl, RTM_GETROUTE, sizeof(struct rtmsg), keep_route, kept);
}

int carry_save(struct netlink *nl, unsigned index, struct str *out)
{
	struct kept kept = { .index = index };
	int rc = look_at_all(nl, &kept);

	if (!rc && kept.len > 0)
		str_addn(out, kept.bytes, kept.len);
	free(kept.bytes);
	return rc;
}

/* The lengths in it lead from message to message up to its end. */
static bool is_sound(const struct kept *kept)
{
	size_t at = 0;

	while (kept->len - at >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *message =
			(const void *)(kept->bytes + at);

		if ((message->nlmsg_type != RTM_NEWADDR &&
			    message->nlmsg_type != RTM_NEWROUTE) ||
			message->nlmsg_len <
				NLMSG_LENGTH(sizeof(struct rtmsg)) ||
			message->nlmsg_len > kept->len - at ||
			aligned(message) > kept->len - at)
			return false;
		at += aligned(message);
	}
	return at == kept->len;
}

int carry_restore(struct netlink *nl, const struct str *text, unsigned to)
{
	struct kept kept = { .len = text->len };
	int rc = -1;

	kept.bytes = xmalloc(text->len + 1);
	memcpy(kept.bytes, str_text(text), text->len);
	errno = EINVAL;
	if (is_sound(&kept))
		rc = put_all(nl, &kept, put_any, 0, to);
	free(kept.bytes);
	return rc;
}

/*
 * What a router said is behind a device stays when the address goes, until
 * it expires: the neighbours there would be looked for on the wrong device.
 */
static int drop_prefixes(struct netlink *nl, unsigned index)
{
	struct kept prefixes = { .index = index };
	int rc = look(
		nl, RTM_GETROUTE, sizeof(struct rtmsg), keep_prefix, &prefixes);

	if (rc == 0)
		rc = put_all(nl, &prefixes, put_route, RTM_DELROUTE, index);
	free(prefixes.bytes);
	return rc;
}

int carry_over(struct netlink *nl, unsigned from, unsigned to)
{
	struct kept addresses = { .index = from };
	struct kept routes = { .index = from };
	int rc = -1;

	if (look(nl, RTM_GETADDR, sizeof(struct ifaddrmsg), keep_address,
		    &addresses) == 0 &&
		look(nl, RTM_GETROUTE, sizeof(struct rtmsg), keep_route,
			&routes) == 0 &&
		put_all(nl, &addresses, put_address, RTM_NEWADDR, to) == 0 &&
		put_all(nl, &routes, put_route, RTM_NEWROUTE, to) == 0 &&
		put_all(nl, &routes, put_route, RTM_DELROUTE, from) == 0 &&
		put_all(nl, &addresses, put_address, RTM_DELADDR, from) == 0 &&
		drop_prefixes(nl, from) == 0)
		rc = 0;
	free(addresses.bytes);
	free(routes.bytes);
	return rc;
}
