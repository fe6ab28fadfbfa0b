/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs about networks; see keeper_net.h. */
#include "supervisor/keeper_net.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/host_net.h"
#include "supervisor/keeper_grant.h"

static bool text_ends(const char *text, size_t size)
{
	return strnlen(text, size) < size;
}

static bool all_end(const struct host_net_request *rq)
{
	return text_ends(rq->name, sizeof(rq->name)) &&
	       text_ends(rq->bridge, sizeof(rq->bridge)) &&
	       text_ends(rq->alias, sizeof(rq->alias)) &&
	       text_ends(rq->lower, sizeof(rq->lower)) &&
	       text_ends(rq->kept, sizeof(rq->kept));
}

/* Below our own directories. */
static bool is_kept(const struct keeper *k, const char *path)
{
	return keeper_path_is_plain(path) &&
	       (keeper_path_is_below(path, k->paths.run) ||
		       keeper_path_is_below(path, k->paths.state));
}

/*
 * What a verb may be about.  OWN: a device that has our mark, or none yet;
 * NAMED: such a one, or one that a file of root's names.
 */
enum scope { ANY, TAP, OWN, NAMED };

static const struct {
	enum scope name, bridge, lower;
	bool marks; /* the mark says whose the device is */
} rules[HOST_NET_NVERBS] = {
	[HOST_NET_BRIDGE] = { ANY, ANY, ANY,
		true }, /* refuses what is not so */
	[HOST_NET_LOOK] = { ANY, ANY, ANY, false },
	[HOST_NET_ADDRESS] = { OWN, ANY, ANY, false },
	[HOST_NET_UP] = { OWN, ANY, ANY, false },
	[HOST_NET_LOCAL] = { OWN, ANY, ANY, false },
	[HOST_NET_LOOSE] = { OWN, ANY, ANY, false },
	[HOST_NET_FORWARD] = { ANY, ANY, ANY, false },
	[HOST_NET_RA] = { OWN, ANY, ANY, false },
	[HOST_NET_REMOVE] = { ANY, ANY, ANY, true },
	[HOST_NET_VLAN] = { ANY, ANY, NAMED, true },
	[HOST_NET_BOND] = { ANY, ANY, ANY, true },
	[HOST_NET_TAKE] = { NAMED, OWN, ANY, false },
	[HOST_NET_GIVE] = { NAMED, OWN, ANY, true },
	[HOST_NET_RESTORE] = { OWN, ANY, ANY, false },
	[HOST_NET_TAP] = { TAP, ANY, ANY, false },
	[HOST_NET_MACVTAP] = { TAP, ANY, NAMED, true },
	[HOST_NET_RATE] = { TAP, ANY, ANY, false },
	[HOST_NET_JOIN] = { TAP, NAMED, ANY, false },
	[HOST_NET_PORT] = { TAP, NAMED, ANY, false },
};

static const char *net_is_wrong(
	const struct keeper *k, const struct host_net_request *rq)
{
	if (!all_end(rq))
		return "a name without end";
	if ((unsigned)rq->verb >= HOST_NET_NVERBS || !link_name_ok(rq->name) ||
		rq->queues > TAP_QUEUES_MAX || rq->vlans.n > VLAN_RANGES_MAX)
		return "a network's verb that is none";
	if (rules[rq->verb].name == TAP && !keeper_name_is_tap(rq->name))
		return "a tap that is none of ours";
	if ((rules[rq->verb].marks || rq->alias[0]) &&
		!str_starts(rq->alias, LINK_ALIAS_OURS))
		return "a mark that is not ours";
	if (rq->kept[0] && !is_kept(k, rq->kept))
		return "a file that is not ours";
	return NULL;
}

static bool may_touch(const struct keeper *k, struct netlink *nl,
	const char *name, enum scope scope)
{
	struct link_info link;

	if (scope == ANY || scope == TAP)
		return true;
	if (!link_name_ok(name) || link_find(nl, name, &link))
		return false;
	return !link.index || str_starts(link.alias, LINK_ALIAS_OURS) ||
	       (scope == NAMED && keeper_may_use_device(&k->paths, name));
}

/* Or the answer is no. */
static void check_devices(
	struct keeper_call *c, const struct host_net_request *rq)
{
	const struct {
		const char *name;
		enum scope scope;
	} all[] = {
		{ rq->name, rules[rq->verb].name },
		{ rq->bridge, rules[rq->verb].bridge },
		{ rq->lower, rules[rq->verb].lower },
	};
	struct netlink nl = NETLINK_INIT;
	struct err err = ERR_INIT;

	if (netlink_open(&nl, &err)) {
		keeper_refuse_err(c, &err);
		return;
	}
	for (size_t i = 0; i < NELEMS(all) && !c->reply.rc; i++) {
		if (may_touch(c->k, &nl, all[i].name, all[i].scope))
			continue;
		AUTO_FREE char *why = xasprintf(
			"the device '%s' is the host's, and no file of root's "
			"names it as a bridge or uplink",
			all[i].name);

		keeper_deny(c, why);
	}
	netlink_close(&nl);
}

/* By the directory that was opened: a link in its path leads nowhere. */
static int pin(struct host_net_request *rq)
{
	AUTO_FREE char *path = xstrdup(rq->kept);
	char *leaf = NULL;
	int dir;

	if (!rq->kept[0])
		return -1;
	dir = keeper_open_parent(path, &leaf);
	if (dir >= 0)
		snprintf(rq->kept, sizeof(rq->kept), "/proc/self/fd/%d/%s", dir,
			leaf);
	return dir;
}

void keeper_do_net(struct keeper_call *c)
{
	AUTO_CLOSE int kept = -1;
	struct host_net_request rq;
	struct host_net_reply reply;
	struct err err = ERR_INIT;
	size_t size = 0;

	if (!keeper_is_sealed(c->got->at[0], sizeof(rq), &size) ||
		size != sizeof(rq) ||
		sys_pread(c->got->at[0], &rq, sizeof(rq), 0) !=
			(ssize_t)sizeof(rq))
		c->nonsense = "a batch that can change";
	else
		c->nonsense = net_is_wrong(c->k, &rq);
	if (c->nonsense)
		return;
	check_devices(c, &rq);
	if (c->reply.rc)
		return;
	kept = pin(&rq);
	if (rq.kept[0] && kept < 0)
		keeper_refuse_os(c, errno);
	else if (host_net_call(&rq, &reply, &err))
		keeper_refuse_err(c, &err);
	if (c->reply.rc)
		return;
	c->reply.parts = reply.changed;
	if (rq.verb == HOST_NET_TAP || rq.verb == HOST_NET_MACVTAP)
		for (unsigned i = 0; i < rq.queues; i++)
			keeper_give(c, reply.fds[i]);
}

void keeper_do_tap_again(struct keeper_call *c)
{
	const struct keeper_request *rq = c->rq;
	struct err err = ERR_INIT;

	if (!keeper_name_is_tap(rq->name) || rq->number < 3 ||
		rq->flags > TAP_QUEUES_MAX)
		c->nonsense = "a tap that is none of ours";
	else if (!keeper_is_qemu(c->got->at[0]))
		keeper_refuse_os(c, EPERM);
	else if (host_net_tap_again(
			 c->got->at[0], rq->number, rq->flags, rq->name, &err))
		keeper_refuse_err(c, &err);
}

/* The kernel tells of changed rules whoever may change them. */
void keeper_do_listen_rules(struct keeper_call *c)
{
	/* NFNLGRP_NFTABLES is the seventh group */
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK,
		.nl_groups = 1U << 6 };
	int fd = c->got->at[0];
	int protocol = 0;
	socklen_t len = sizeof(protocol);

	if (sys_getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) ||
		protocol != NETLINK_NETFILTER)
		c->nonsense = "a socket that is none";
	else if (sys_bind(fd, (const struct sockaddr *)&address,
			 sizeof(address)))
		keeper_refuse_os(c, errno);
}
