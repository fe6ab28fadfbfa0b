/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bridge of a network that is up; see net_bridge.h. */
#include "supervisor/net_bridge.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/host_net.h"

/* What is asked of the host for one network. */
struct asked {
	const struct net_state *state;
	const struct net_live *net;
	struct host_net_request rq;
	bool changed; /* it was not so before */
	struct err *err;
};

static struct asked begin(const struct net_state *state,
	const struct net_live *net, struct err *err)
{
	struct asked a = { .state = state,
		.net = net,
		.rq = { .mtu = net->mtu, .filtering = net->filtering },
		.err = err };

	snprintf(a.rq.name, sizeof(a.rq.name), "%s", net->bridge);
	net_live_alias(state, net, a.rq.alias);
	/* with an uplink it has that one's, which the wire knows */
	a.rq.has_mac = !net->uplink.device[0];
	net_live_mac(state, net, a.rq.mac);
	return a;
}

static int ask(struct asked *a, enum host_net_verb verb)
{
	struct host_net_reply reply;

	a->rq.verb = verb;
	if (host_net_call(&a->rq, &reply, a->err))
		return -1;
	a->changed |= reply.changed;
	return 0;
}

static int ask_address(
	struct asked *a, enum host_net_verb verb, const struct cidr *address)
{
	a->rq.address = *address;
	return ask(a, verb);
}

/* ---- the uplink ---- */

/* A device of the host goes to a bridge or bond, or comes back from it. */
static int ask_port(struct asked *a, enum host_net_verb verb, const char *name,
	const char *master)
{
	/* on a bridge that keeps VLANs apart the wire carries all of them */
	static const struct vlan_set trunk = { .native = VLAN_FIRST,
		.n = 1,
		.tagged = { { VLAN_FIRST + 1, VLAN_LAST } } };

	snprintf(a->rq.name, sizeof(a->rq.name), "%s", name);
	snprintf(a->rq.bridge, sizeof(a->rq.bridge), "%s", master);
	a->rq.vlans = trunk;
	return ask(a, verb);
}

static int make_bond(struct asked *a)
{
	const struct network_uplink *up = &a->net->uplink;
	const struct network_members *list = &up->bond.members;

	snprintf(a->rq.name, sizeof(a->rq.name), "%s", up->device);
	a->rq.bond_mode = (uint8_t)up->bond.mode;
	a->rq.miimon = (uint32_t)up->bond.miimon_ms;
	if (ask(a, HOST_NET_BOND))
		return -1;
	for (size_t i = 0; i < list->n; i++)
		if (ask_port(a, HOST_NET_TAKE, list->at[i], up->device))
			return -1;
	return 0;
}

static void name_kept(struct asked *a)
{
	AUTO_FREE char *leaf = xasprintf("%s.host", a->net->name);
	AUTO_FREE char *path = net_state_path(a->state, leaf);

	if (strlen(path) < sizeof(a->rq.kept))
		snprintf(a->rq.kept, sizeof(a->rq.kept), "%s", path);
}

/* What the host had on a bridge that somebody deleted. */
static int restore(struct asked *a)
{
	snprintf(a->rq.name, sizeof(a->rq.name), "%s", a->net->bridge);
	return ask(a, HOST_NET_RESTORE);
}

static int make_uplink(struct asked *a, bool anew)
{
	const struct network_uplink *up = &a->net->uplink;

	if (!up->device[0])
		return 0;
	name_kept(a);
	if (anew && restore(a))
		return -1;
	if (up->bond.members.n > 0 && make_bond(a))
		return -1;
	if (up->vlan) {
		a->rq.vlan = up->vlan;
		snprintf(a->rq.name, sizeof(a->rq.name), "%s", up->port);
		snprintf(a->rq.lower, sizeof(a->rq.lower), "%s", up->device);
		if (ask(a, HOST_NET_VLAN))
			return -1;
	}
	if (ask_port(a, HOST_NET_TAKE, up->port, a->net->bridge))
		return -1;
	snprintf(a->rq.name, sizeof(a->rq.name), "%s", a->net->bridge);
	return ask(a, HOST_NET_RA); /* the host's own line from now on */
}

static int remove_device(struct asked *a, const char *name)
{
	snprintf(a->rq.name, sizeof(a->rq.name), "%s", name);
	return ask(a, HOST_NET_REMOVE);
}

/* In the opposite order; each is tried. */
static int remove_uplink(struct asked *a)
{
	const struct network_uplink *up = &a->net->uplink;
	const struct network_members *list = &up->bond.members;
	int rc = 0;

	if (!up->device[0])
		return 0;
	if (up->vlan)
		rc |= remove_device(a, up->port);
	else
		rc |= ask_port(a, HOST_NET_GIVE, up->port, a->net->bridge);
	for (size_t i = 0; i < list->n; i++)
		rc |= ask_port(a, HOST_NET_GIVE, list->at[i], up->device);
	if (list->n > 0)
		rc |= remove_device(a, up->device);
	return rc;
}

/* ---- the bridge ---- */

/* Guests of this network reach beyond it: said once, never taken back. */
static int forward_packets(struct asked *a)
{
	const struct net_live *net = a->net;

	for (size_t i = 0; i < net->naddresses; i++) {
		struct asked one = begin(a->state, net, a->err);

		if (net->mode == NETWORK_ISOLATED)
			continue;
		if (ask_address(&one, HOST_NET_FORWARD, &net->addresses[i]))
			return -1;
		if (one.changed)
			log_info(NULL,
				"this host forwards %s packets from now on: "
				"network %s needs it",
				net->addresses[i].family == AF_INET ? "IPv4"
								    : "IPv6",
				net->name);
	}
	return 0;
}

static int make(struct asked *a)
{
	const struct net_live *net = a->net;
	bool anew;

	if (ask(a, HOST_NET_BRIDGE))
		return -1;
	anew = a->changed;
	for (size_t i = 0; i < net->naddresses; i++)
		if (ask_address(a, HOST_NET_ADDRESS, &net->addresses[i]))
			return -1;
	if (ask(a, HOST_NET_UP) ||
		(net->mode == NETWORK_NAT && ask(a, HOST_NET_LOCAL)) ||
		(net->mode == NETWORK_ROUTED && net->fix &&
			ask(a, HOST_NET_LOOSE)))
		return -1;
	return forward_packets(a) || make_uplink(a, anew) ? -1 : 0;
}

int net_bridge_make(const struct net_state *state, const struct net_live *net,
	bool *made, struct err *err)
{
	struct asked a = begin(state, net, err);
	int rc = make(&a);

	*made |= a.changed;
	return rc;
}

void net_bridge_remove(
	const struct net_state *state, const struct net_live *net)
{
	struct err err = ERR_INIT;
	struct asked a = begin(state, net, &err);

	if (net->joined)
		return;
	if (remove_uplink(&a))
		log_warn(NULL, "network %s: %s", net->name, err.text);
	name_kept(&a);
	if (net->uplink.device[0])
		sys_unlinkat(AT_FDCWD, a.rq.kept, 0);
	if (remove_device(&a, net->bridge))
		log_warn(NULL, "network %s: %s", net->name, err.text);
}

int net_bridge_look(const struct net_state *state, const struct net_live *net,
	struct err *err)
{
	struct asked a = begin(state, net, err);

	return ask(&a, HOST_NET_LOOK);
}
