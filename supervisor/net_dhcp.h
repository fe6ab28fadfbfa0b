/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsmasq for one network: leases and names.  It daemonizes, so that its
 * parent's exit tells that it serves, or why not; it outlives us, and is
 * found again by its pid file and its command line.  Who dies is started
 * again, with growing delays.
 */
#ifndef SUPERVISOR_NET_DHCP_H
#define SUPERVISOR_NET_DHCP_H

#include "base/loop.h"
#include "base/spawn.h"
#include "supervisor/net_live.h"

enum net_dhcp_state {
	NET_DHCP_STARTING,
	NET_DHCP_UP,
	NET_DHCP_FAILED,
};

struct net_dhcp {
	const struct net_state *state;
	struct net_live *net;
	enum net_dhcp_state is;
	struct spawn_tool tool; /* dnsmasq, until it is a daemon */
	int pidfd;              /* of the daemon, or -1 */
	pid_t pid;
	struct loop_child child;
	struct loop_timer again;
	unsigned tries; /* since it last served for a while */
	int64_t up_ms;
	struct err err;
	void (*on_change)(struct net_dhcp *dhcp);
};

/*
 * Leases and names of the network are served, or will be: adopts a dnsmasq
 * that lives, else starts one.  on_change tells when it is settled.
 */
void net_dhcp_begin(const struct net_state *state, struct net_live *net,
	void (*on_change)(struct net_dhcp *dhcp));
/*
 * Lets go of it; with `kill` it goes, and its files: not while it starts,
 * for a daemon that was just forked would not be known.
 */
void net_dhcp_end(struct net_live *net, bool kill);
/* A port's address and name; present or not. */
void net_dhcp_host(const struct net_state *state, const struct net_port *port,
	bool present);
/* Where leases of a network are kept; new. */
char *net_dhcp_leases(const struct paths *paths, const char *network);

#endif
