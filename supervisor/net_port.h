/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a nic to its port: the tap's name, the address, what is checked. */
#ifndef SUPERVISOR_NET_PORT_H
#define SUPERVISOR_NET_PORT_H

#include "supervisor/net_live.h"

/* What of a nic concerns its network. */
struct net_port_want {
	const char *vm;
	const char *nic;
	const char *network; /* or NULL: a bridge */
	const char *bridge;
	const char *macvtap; /* or NULL; a device */
	const char *mac;
	const char *ip; /* "": a lease */
	const struct spec_forwards *forward;
	int check; /* enum spec_spoof */
	bool isolate;
	unsigned mtu; /* that the guest is told; or 0 */
	struct vlan_set vlans;
	struct rate_limits rates;
};

/* The name of the live network that the nic is on, new. */
char *net_port_network(const struct net_port_want *want);
/* Fills a new port; fails where the nic wants what the network has not. */
MUST_CHECK int net_port_fill(const struct net_state *state,
	struct net_port *port, const struct net_port_want *want,
	struct err *err);
/* True if the port is as the nic wants it. */
bool net_port_is_as(
	const struct net_port *port, const struct net_port_want *want);

/*
 * VLANs, isolate and forwards are as the nic wants them from now on, while
 * its guest is at work; its rules are the caller's.
 */
MUST_CHECK int net_port_change(struct net_port *port,
	const struct net_port_want *want, struct err *err);
/* It carries that much from now on; its rules are the caller's. */
MUST_CHECK int net_port_limit(struct net_port *port,
	const struct rate_limits *rates, struct err *err);

/* Its tap joins the bridge; true in *changed if it was not on it. */
MUST_CHECK int net_port_join(
	struct net_port *port, bool *changed, struct err *err);
/* A macvtap, unlike a tap, stays when nobody has it open: it goes. */
void net_port_remove(
	const struct net_state *state, const struct net_port *port);

/* It carries nothing and cannot be mended: told once for each cause. */
void net_port_tell_broken(struct net_port *port, const char *why);

#endif
