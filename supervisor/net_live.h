/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The networks that are up and the ports on them: plain data, kept in
 * RUN/.net/state.json, from which the next supervisor knows what is whose.
 * It is written before the kernel is told, so that nothing is ever made
 * that nobody knows.
 */
#ifndef SUPERVISOR_NET_LIVE_H
#define SUPERVISOR_NET_LIVE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/list.h"
#include "base/paths.h"
#include "net/mac.h"
#include "net/ruleset.h"
#include "net/tap.h"
#include "net/vlan.h"
#include "supervisor/network_spec.h"
#include "supervisor/spec.h"

#define NET_ADDRESSES_MAX 8

struct net_dhcp; /* supervisor/net_dhcp.h */

struct net_port {
	struct list link; /* net_live.ports */
	struct net_live *net;
	char *vm;
	char *nic;
	char tap[TAP_NAME_SIZE];
	char mac[NET_MAC_SIZE];
	struct cidr address;      /* family 0: none of ours */
	enum ruleset_check check; /* what it may not say it is */
	bool isolate;
	unsigned mtu;          /* that the guest was told; or 0 */
	struct vlan_set vlans; /* all zero: as the bridge has it */
	struct rate_limits rates;
	char *forward;  /* as it is written, without specifiers; "" */
	bool joined;    /* its tap was put on the bridge */
	char *broken;   /* why it carries nothing and cannot be mended; NULL */
	uint64_t rules; /* the wish that they come with; 0: before our time */
};

struct net_live {
	struct list link;   /* net_state.nets */
	char *name;         /* of the network; "br0" for bridge = br0 */
	bool joined;        /* somebody else's bridge: nothing to make */
	bool macvtap;       /* `bridge` is a device that macvtaps sit on */
	bool wanted;        /* by a person or autostart, without a port, too */
	int64_t confirm_ms; /* goes down then; 0: it stays */
	enum network_mode mode;
	char bridge[LINK_NAME_SIZE];
	struct cidr addresses[NET_ADDRESSES_MAX];
	size_t naddresses;
	struct cidr first, last; /* of DHCP; family 0: none */
	bool dns;
	char *domain;
	unsigned mtu;
	bool filtering; /* its bridge keeps VLANs apart */
	bool fix;       /* firewall = fix */
	struct network_uplink uplink;
	char *hosts;           /* "MAC,IP,NAME" lines of strangers */
	struct list ports;     /* net_port.link */
	struct net_dhcp *dhcp; /* or NULL; net_dhcp's */
	uint64_t rules;        /* as a port's */
};

struct net_state {
	struct list nets; /* net_live.link */
	const struct paths *paths;
	char tag[20]; /* in aliases: who of several supervisors made it */
	char table[28];
};

/* Empty, for the supervisor of these directories. */
void net_state_init(struct net_state *state, const struct paths *paths);
/* Frees all; the kernel is not touched. */
void net_state_fini(struct net_state *state);
/* What was written; without a file it stays empty. */
void net_state_load(struct net_state *state);
/* Writes it; without any network the file goes. */
MUST_CHECK int net_state_save(const struct net_state *state, struct err *err);

/* RUN/.net, or a file in it; new. */
char *net_state_path(const struct net_state *state, const char *leaf);
/* By the network's name, or NULL. */
struct net_live *net_state_find(
	const struct net_state *state, const char *name);
/* One more, by its file; without addresses. */
struct net_live *net_live_new(
	struct net_state *state, const struct network *network);
/* A bridge of somebody else, or the device of macvtaps. */
struct net_live *net_live_new_joined(
	struct net_state *state, const char *name, const char *bridge);
void net_live_free(struct net_live *net); /* its ports, too */
/* "vmward lab 1a2b3c4d": by this a bridge is found again. */
void net_live_alias(const struct net_state *state, const struct net_live *net,
	char out[LINK_ALIAS_SIZE]);

/* The MAC of a bridge of ours, which must not change with its ports. */
void net_live_mac(const struct net_state *state, const struct net_live *net,
	unsigned char out[6]);

/* One more, without tap and address. */
struct net_port *net_port_new(
	struct net_live *net, const char *vm, const char *nic);
void net_port_free(struct net_port *port);
/* By VM and nic, or NULL. */
struct net_port *net_port_find(
	const struct net_state *state, const char *vm, const char *nic);

/* The host passes something on to it. */
bool net_port_is_forwarded(const struct net_port *port);
/*
 * Its guest's address in the n-th network of the host: the given one, or
 * the one that it makes for itself (IPv6).  False: it has none there.
 */
bool net_port_address(const struct net_port *port, size_t n, struct cidr *out);

#endif
