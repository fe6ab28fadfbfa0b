/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks that wait to be confirmed; see net_confirm.h. */
#include "supervisor/net_confirm.h"

#include "base/log.h"
#include "base/mem.h"
#include "supervisor/events.h"

static void on_time(struct loop_timer *timer)
{
	net_confirm_look(container_of(timer, struct net_confirm, timer));
}

/* Nobody said in time that the host is still reached. */
static void give_up(struct net_confirm *c, struct net_live *net)
{
	log_warn(NULL, "network %s: nobody confirmed it in time: undone",
		net->name);
	net->confirm_ms = 0;
	net->wanted = false;
	c->on_due(net);
}

int net_confirm_keep(struct net_confirm *c, const char *name, struct err *err)
{
	struct net_live *net = c ? net_state_find(c->state, name) : NULL;

	if (!net || !net->confirm_ms)
		return err_set(err, ERR_STATE,
			"network '%s' does not wait to be confirmed", name);
	net->confirm_ms = 0;
	net_confirm_look(c);
	return net_state_save(c->state, err);
}

void net_confirm_look(struct net_confirm *c)
{
	int64_t now = loop_now_ms();
	int64_t next_ms = 0;

	list_each(&c->state->nets, it, next) {
		struct net_live *net = list_entry(it, struct net_live, link);
		int64_t at = net->confirm_ms;

		if (at && at <= now)
			give_up(c, net);
		else if (at && (!next_ms || at < next_ms))
			next_ms = at;
	}
	loop_timer_stop(&c->timer);
	if (next_ms)
		loop_timer_start(&c->timer, next_ms - now, on_time);
}

void net_confirm_stop(struct net_confirm *c)
{
	loop_timer_stop(&c->timer);
}

int64_t net_confirm_left(const struct net_live *net)
{
	int64_t left = net->confirm_ms - loop_now_ms();

	if (!net->confirm_ms)
		return -1;
	return left < 0 ? 0 : (left + 999) / 1000;
}

void net_tell_state(const struct net_live *net, const char *state)
{
	log_info(NULL, "network %s is %s", net->name, state);
	events_emit("NETWORK_STATE",
		json_pack("{s:s,s:s,s:s}", "network", net->name, "state", state,
			"bridge", net->bridge));
}

void net_tell_repair(const char *network, const char *what, int64_t since_ms)
{
	int64_t ms = loop_now_ms() - since_ms;

	log_warn(NULL,
		"network %s: somebody else took its %s: made anew "
		"after %lld ms",
		network, what, (long long)ms);
	events_emit("NETWORK_REPAIRED",
		json_pack("{s:s,s:s,s:I}", "network", network, "what", what,
			"ms", (json_int_t)ms));
}
