/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices what others did to our networks; see net_watch.h. */
#include "supervisor/net_watch.h"

#include "base/log.h"
#include "base/mem.h"

#define SETTLE_MS 20

static void on_settled(struct loop_timer *timer)
{
	struct net_watch *w = container_of(timer, struct net_watch, settle);

	w->on_links(w);
}

static void on_links(struct loop_io *io, int events UNUSED)
{
	struct net_watch *w = container_of(io, struct net_watch, links);

	if (!monitor_read_links(&w->monitor) ||
		loop_timer_is_active(&w->settle))
		return;
	w->since_ms = loop_now_ms();
	loop_timer_start(&w->settle, SETTLE_MS, on_settled);
}

static void on_rules(struct loop_io *io, int events UNUSED)
{
	struct net_watch *w = container_of(io, struct net_watch, rules);

	monitor_read_rules(&w->monitor);
	w->on_rules(w);
}

void net_watch_begin(struct net_watch *w, const char *table)
{
	struct err err = ERR_INIT;

	if (w->open)
		return;
	if (monitor_open(&w->monitor, table, &err)) {
		log_warn(NULL, "%s", err.text);
		return;
	}
	w->open = true;
	loop_io_start(&w->links, w->monitor.links, LOOP_READ, on_links);
	loop_io_start(&w->rules, w->monitor.rules, LOOP_READ, on_rules);
}

void net_watch_end(struct net_watch *w)
{
	if (!w->open)
		return;
	loop_io_stop(&w->links);
	loop_io_stop(&w->rules);
	loop_timer_stop(&w->settle);
	monitor_close(&w->monitor);
	w->open = false;
}

bool net_watch_rules_gone(struct net_watch *w)
{
	if (!w->open)
		return false;
	monitor_read_rules(&w->monitor);
	return w->monitor.gone;
}
