/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notices what others did to our bridges, ports and rules, and tells when it
 * is time to look: at once for rules, a little later for devices, so that a
 * hundred changes are one look.
 */
#ifndef SUPERVISOR_NET_WATCH_H
#define SUPERVISOR_NET_WATCH_H

#include "base/loop.h"
#include "net/monitor.h"

struct net_watch {
	struct monitor monitor;
	bool open;
	struct loop_io links;
	struct loop_io rules;
	struct loop_timer settle;
	int64_t since_ms; /* when the first change of devices was told */
	void (*on_links)(struct net_watch *watch);
	void (*on_rules)(struct net_watch *watch);
};

/* Watches, unless it does already.  A failure is logged only. */
void net_watch_begin(struct net_watch *watch, const char *table);
/* Harmless if it does not. */
void net_watch_end(struct net_watch *watch);
/* True if rules of ours went by somebody else's hand; reads what is told. */
bool net_watch_rules_gone(struct net_watch *watch);

#endif
