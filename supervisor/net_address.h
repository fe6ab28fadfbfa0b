/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which addresses are free: a network's own, that this host does not use,
 * and a guest's, that nobody on the network has.  Both are the same again
 * the next time, as far as that can be.
 */
#ifndef SUPERVISOR_NET_ADDRESS_H
#define SUPERVISOR_NET_ADDRESS_H

#include "base/str.h"
#include "supervisor/net_live.h"

/* A lease of dnsmasq's file. */
struct net_lease {
	int64_t expires; /* seconds of the wall clock; 0: never */
	char mac[NET_MAC_SIZE];
	struct cidr address;
	char host[64]; /* "" where the guest told none */
};

/* All leases of a network, new; *n of them. */
struct net_lease *net_leases_read(
	const struct paths *paths, const char *network, size_t *n);

/*
 * The network's own addresses and DHCP range: written ones if the host has
 * nothing in their way, else one that is picked and remembered.
 */
MUST_CHECK int net_address_settle(const struct net_state *state,
	struct net_live *net, const struct network *network, struct err *err);
/* Its written addresses; without any it has none. */
void net_address_take_written(
	struct net_live *net, const struct network *network);
/* The DHCP range that goes with the addresses that it has. */
void net_address_take_range(
	struct net_live *net, const struct network *network);
/* What the host has on a device: "192.0.2.1/24, ...", or nothing. */
void net_address_add_of(const char *device, struct str *out);

/*
 * A guest's address on the network: `wish` (or ""), else by its lease or its
 * MAC.  Without DHCP and a wish it has none.
 */
MUST_CHECK int net_address_give(const struct net_state *state,
	struct net_port *port, const char *wish, struct err *err);

#endif
