/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks that go down again unless somebody says in time that the host is
 * still reached (`net up --confirm`, `net confirm`); and what is told of
 * networks.  The time is in the networks' file, so a successor keeps it.
 */
#ifndef SUPERVISOR_NET_CONFIRM_H
#define SUPERVISOR_NET_CONFIRM_H

#include "base/loop.h"
#include "supervisor/net_live.h"

struct net_confirm {
	const struct net_state *state;
	struct loop_timer timer;
	/* its time is over, and nobody wants it any more: it may go */
	void (*on_due)(struct net_live *net);
};

/* Looks which is due, and when the next one is. */
void net_confirm_look(struct net_confirm *confirm);
/* It stays; NULL: there are none. */
MUST_CHECK int net_confirm_keep(
	struct net_confirm *confirm, const char *name, struct err *err);
void net_confirm_stop(struct net_confirm *confirm);
/* Seconds that are left, at least 0; -1: it waits for nobody. */
int64_t net_confirm_left(const struct net_live *net);

/* It is up or down now: log and event. */
void net_tell_state(const struct net_live *net, const char *state);
/* What others broke is as it was again. */
void net_tell_repair(const char *network, const char *what, int64_t since_ms);

#endif
