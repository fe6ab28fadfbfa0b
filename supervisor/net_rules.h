/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of all networks in the kernel: one batch that says all of it,
 * by one nft at a time.  Who asks while nft runs is served by the next run,
 * however many they are.  With firewall = fix two more runs let its bridge
 * pass what others drop; a failure of these is logged and no reason to refuse.
 */
#ifndef SUPERVISOR_NET_RULES_H
#define SUPERVISOR_NET_RULES_H

#include "base/loop.h"
#include "base/spawn.h"
#include "net/passage.h"
#include "supervisor/net_live.h"

struct net_rules {
	const struct net_state *state;
	struct spawn_tool tool;
	struct loop_kick kick;
	uint64_t wanted;  /* number of the last wish */
	uint64_t running; /* the wish that nft fulfils just now; or 0 */
	uint64_t done;
	struct passage passage;
	bool passed;    /* rules of ours may be in chains of others */
	struct err err; /* of the last run; code NONE: it is so */
	void (*on_done)(struct net_rules *rules);
};

/* Nothing is in the kernel, as far as is known. */
void net_rules_init(struct net_rules *rules, const struct net_state *state,
	void (*on_done)(struct net_rules *rules));
/* Makes the kernel's rules those of the state; the number to wait for. */
uint64_t net_rules_want(struct net_rules *rules);
/* True when nft has run for that number, well or not. */
bool net_rules_settled(const struct net_rules *rules, uint64_t number);
/* Waits up to 5 s for what is under way: only on our way out. */
void net_rules_fini(struct net_rules *rules);
/* The batch for nft, new; `fresh`: there are no tables of ours. */
json_t *net_rules_batch(const struct net_state *state, bool fresh);

#endif
