/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What others did to bridges and taps; see net_mend.h. */
#include "supervisor/net_mend.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "supervisor/net_bridge.h"
#include "supervisor/net_confirm.h"
#include "supervisor/net_port.h"

/* A tap that is gone went with its QEMU, or somebody took it. */
static void look_at_port(
	const struct net_mend *mend, struct net_port *port, int64_t since_ms)
{
	struct err err = ERR_INIT;
	bool changed = false;
	const char *what = "port";

	if (!port->joined)
		return; /* its rules are on their way */
	if (net_port_join(port, &changed, &err) && err.code == ERR_NOT_FOUND) {
		err = (struct err)ERR_INIT;
		what = "tap";
		if (port->net->macvtap)
			err_set(&err, ERR_NOT_FOUND, "'%s' is gone", port->tap);
		else if (!mend->guests.mend_tap(mend->guests.arg, port, &err) &&
			 net_port_join(port, &changed, &err))
			changed = false;
	}
	if (err.code && err.code != ERR_GONE) {
		net_port_tell_broken(port, err.text);
		return;
	}
	free(TAKE(port->broken));
	if (changed)
		net_tell_repair(port->net->name, what, since_ms);
}

static void look_at_net(
	const struct net_mend *mend, struct net_live *net, int64_t since_ms)
{
	struct err err = ERR_INIT;
	bool made = false;

	if (!net->joined && net_bridge_make(mend->state, net, &made, &err)) {
		log_error(NULL, "network %s: %s", net->name, err.text);
		return;
	}
	list_each(&net->ports, it, next)
		look_at_port(
			mend, list_entry(it, struct net_port, link), since_ms);
	if (made)
		net_tell_repair(net->name, "bridge", since_ms);
}

void net_mend_look(const struct net_mend *mend, int64_t since_ms)
{
	list_each(&mend->state->nets, it, next)
		look_at_net(
			mend, list_entry(it, struct net_live, link), since_ms);
}

/* ---- from one supervisor to the next ---- */

static void forget_ports(struct net_live *net, struct netlink *nl)
{
	list_each(&net->ports, it, next) {
		struct net_port *port = list_entry(it, struct net_port, link);
		struct link_info link;

		if (!link_find(nl, port->tap, &link) && !link.index)
			net_port_free(port);
	}
}

int net_mend_forget(const struct net_state *state, struct err *err)
{
	struct netlink nl = NETLINK_INIT;

	if (netlink_open(&nl, err))
		return -1;
	list_each(&state->nets, it, next)
		forget_ports(list_entry(it, struct net_live, link), &nl);
	netlink_close(&nl);
	return 0;
}
