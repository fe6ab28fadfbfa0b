/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of all networks as one atomic batch for `nft -j -f -`; pure.
 * Two tables are ours, inet and bridge vmward (or of another name for a
 * private supervisor), and no other is named.
 * A batch says all that should be there and replaces what was.
 */
#ifndef NET_RULESET_H
#define NET_RULESET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/cidr.h"

enum ruleset_mode {
	RULESET_NAT,      /* guests reach out under the host's address */
	RULESET_ROUTED,   /* guests are reached by their own addresses */
	RULESET_ISOLATED, /* guests reach each other and the host */
	RULESET_BRIDGE,   /* a bridge of somebody else: only its ports */
};

struct ruleset_net {
	const char *bridge;
	enum ruleset_mode mode;
	const struct cidr *addresses; /* of the host, with their prefix */
	size_t naddresses;
};

enum ruleset_check { RULESET_ANY, RULESET_MAC, RULESET_IP };

/* A nic of a guest. */
struct ruleset_port {
	const char *tap;
	const char *mac;
	enum ruleset_check check;
	/* RULESET_IP: what it may say it is, besides link-local addresses */
	const struct cidr *addresses;
	size_t naddresses;
	uint64_t rate, burst; /* bytes that it sends a second; 0: any */
	bool hairpin;         /* it is told what it sends to its own forwards */
};

struct ruleset_forward {
	const struct ruleset_net *net;
	bool udp;
	const char *address; /* of the host; "": each of them */
	uint16_t first, last;
	uint16_t guest_first;
	struct cidr guest;
};

struct ruleset {
	const struct ruleset_net *nets;
	size_t nnets;
	const struct ruleset_port *ports;
	size_t nports;
	const struct ruleset_forward *forwards;
	size_t nforwards;
	const char *table; /* NULL: vmward */
	bool fresh;        /* there are no such tables */
};

/* The batch, new.  An empty ruleset takes both tables away. */
json_t *ruleset_batch(const struct ruleset *rules);

#endif
