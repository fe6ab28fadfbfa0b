/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the file of a network says that the network, being up, has not yet:
 * key by key, and which of it needs no new start of the network.  What is
 * not in the table is in force as soon as it is read (autostart).
 */
#ifndef SUPERVISOR_NET_CHANGE_H
#define SUPERVISOR_NET_CHANGE_H

#include <jansson.h>

#include "supervisor/net_live.h"

/* What a change of the kernel's or of a helper's side takes. */
enum net_change {
	NET_CHANGE_COLD = 0, /* the next time that the network comes up */
	NET_CHANGE_DHCP = 1, /* dnsmasq made anew */
	NET_CHANGE_RULES = 2 /* one run of nft */
};

/*
 * [{"key":..,"from":..,"to":..,"when":"hot"|"cold"}]; new.  A network that
 * is not up has none.
 */
json_t *net_change_json(const struct net_state *state,
	const struct net_live *net, const struct network *network);
/*
 * Takes over what is hot.  What it takes to make that so, in bits of enum
 * net_change; 0: nothing changed.
 */
unsigned net_change_take(const struct net_state *state, struct net_live *net,
	const struct network *network);

#endif
