/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a nic to its port; see net_port.h. */
#include "supervisor/net_port.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/events.h"
#include "supervisor/forward.h"
#include "supervisor/host_net.h"
#include "supervisor/net_address.h"

static enum ruleset_check check_of(
	const struct net_port_want *want, const struct net_port *port)
{
	if (want->check == SPOOF_ANY || want->macvtap)
		return RULESET_ANY;
	/* the rules look for addresses in frames without a tag only */
	if (want->check == SPOOF_MAC || !port->address.family ||
		want->vlans.n > 0)
		return RULESET_MAC;
	return RULESET_IP;
}

char *net_port_network(const struct net_port_want *want)
{
	if (want->macvtap) /* no network's name has a colon */
		return xasprintf("macvtap:%s", want->macvtap);
	return xstrdup(want->network ? want->network : want->bridge);
}

/* The tap's name; two supervisors may each have a VM of one name. */
static void name_tap(const struct net_state *state, struct net_port *port)
{
	AUTO_FREE char *vm = str_eq(state->table, "vmward")
				     ? xstrdup(port->vm)
				     : xasprintf("%s %s", state->tag, port->vm);

	tap_name(vm, port->nic, port->tap);
}

int net_port_fill(const struct net_state *state, struct net_port *port,
	const struct net_port_want *want, struct err *err)
{
	AUTO_STR struct str forward = STR_INIT;

	name_tap(state, port);
	snprintf(port->mac, sizeof(port->mac), "%s", want->mac);
	port->isolate = want->isolate;
	port->rates = want->rates;
	port->mtu = want->mtu;
	port->vlans = want->vlans;
	forward_add_text(&forward, want->forward);
	free(port->forward);
	port->forward = xstrdup(str_text(&forward));
	if (net_address_give(state, port, want->ip, err))
		return -1;
	if (want->check == SPOOF_IP && !port->address.family)
		return err_set(err, ERR_CONFIG,
			"spoof-check = ip needs an address: this network "
			"gives none, say mac");
	port->check = check_of(want, port);
	return 0;
}

int net_port_change(struct net_port *port, const struct net_port_want *want,
	struct err *err)
{
	AUTO_STR struct str forward = STR_INIT;
	struct host_net_request rq = { .verb = HOST_NET_PORT,
		.isolate = want->isolate,
		.vlans = want->vlans };
	struct host_net_reply reply;

	if (!port)
		return err_set(err, ERR_STATE, "it has no port");
	forward_add_text(&forward, want->forward);
	if (port->isolate == want->isolate &&
		vlan_is_same(&port->vlans, &want->vlans) &&
		str_eq(port->forward, str_text(&forward)))
		return 0;
	rq.hairpin = forward.len && port->net->mode == NETWORK_NAT;
	snprintf(rq.name, sizeof(rq.name), "%s", port->tap);
	snprintf(rq.bridge, sizeof(rq.bridge), "%s", port->net->bridge);
	if (host_net_call(&rq, &reply, err))
		return -1;
	port->isolate = want->isolate;
	port->vlans = want->vlans;
	free(port->forward);
	port->forward = xstrdup(str_text(&forward));
	port->check = check_of(want, port);
	return 0;
}

int net_port_limit(
	struct net_port *port, const struct rate_limits *rates, struct err *err)
{
	struct host_net_request rq = { .verb = HOST_NET_RATE, .rates = *rates };
	struct host_net_reply reply;

	if (!port)
		return err_set(err, ERR_STATE, "it has no port");
	snprintf(rq.name, sizeof(rq.name), "%s", port->tap);
	if (host_net_call(&rq, &reply, err))
		return -1;
	port->rates = *rates;
	return 0;
}

void net_port_tell_broken(struct net_port *port, const char *why)
{
	if (port->broken && str_eq(port->broken, why))
		return;
	free(port->broken);
	port->broken = xstrdup(why);
	log_warn(port->vm, "nic %s: %s", port->nic, why);
	events_emit("NIC_BROKEN", json_pack("{s:s,s:s,s:s}", "vm", port->vm,
					  "nic", port->nic, "why", why));
}

bool net_port_is_as(
	const struct net_port *port, const struct net_port_want *want)
{
	AUTO_FREE char *name = net_port_network(want);
	AUTO_STR struct str forward = STR_INIT;
	struct cidr ip = { 0 };
	struct err err = ERR_INIT;

	forward_add_text(&forward, want->forward);
	return str_eq(port->net->name, name) && str_eq(port->mac, want->mac) &&
	       port->isolate == want->isolate && port->mtu == want->mtu &&
	       vlan_is_same(&port->vlans, &want->vlans) &&
	       str_eq(port->forward, str_text(&forward)) &&
	       port->check == check_of(want, port) &&
	       (!*want->ip || (!cidr_parse_address(want->ip, &ip, &err) &&
				      cidr_same_address(&ip, &port->address)));
}

int net_port_join(struct net_port *port, bool *changed, struct err *err)
{
	struct host_net_request rq = {
		.verb = port->net->macvtap ? HOST_NET_UP : HOST_NET_JOIN,
		.isolate = port->isolate,
		.hairpin = net_port_is_forwarded(port),
		.mtu = port->net->mtu,
		.guest_mtu = port->mtu,
		.vlans = port->vlans,
		.rates = port->rates
	};
	struct host_net_reply reply;

	snprintf(rq.name, sizeof(rq.name), "%s", port->tap);
	snprintf(rq.bridge, sizeof(rq.bridge), "%s", port->net->bridge);
	if (host_net_call(&rq, &reply, err))
		return -1;
	*changed = reply.changed;
	port->joined = true;
	return 0;
}

void net_port_remove(const struct net_state *state, const struct net_port *port)
{
	struct host_net_request rq = { .verb = HOST_NET_REMOVE };
	struct host_net_reply reply;
	struct err err = ERR_INIT;

	snprintf(rq.name, sizeof(rq.name), "%s", port->tap);
	net_live_alias(state, port->net, rq.alias);
	if (host_net_call(&rq, &reply, &err))
		log_warn(port->vm, "nic %s: %s", port->nic, err.text);
}
