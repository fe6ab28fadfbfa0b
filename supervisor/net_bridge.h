/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bridge of a network that is up: made with its addresses and its
 * uplink, kept, removed.  All of it can be said twice: what is so already
 * stays as it is.
 */
#ifndef SUPERVISOR_NET_BRIDGE_H
#define SUPERVISOR_NET_BRIDGE_H

#include "supervisor/net_live.h"

/*
 * The bridge is there, up, has its addresses and its uplink; *made becomes
 * true if that was not so.  On failure some of it may be there.
 */
MUST_CHECK int net_bridge_make(const struct net_state *state,
	const struct net_live *net, bool *made, struct err *err);
/* Takes it away, and gives the uplink back; one that was joined stays. */
void net_bridge_remove(
	const struct net_state *state, const struct net_live *net);
/* A bridge of somebody else is there. */
MUST_CHECK int net_bridge_look(const struct net_state *state,
	const struct net_live *net, struct err *err);

#endif
