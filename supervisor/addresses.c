/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses of a running guest; see addresses.h. */
#include "supervisor/addresses.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "net/link.h"
#include "supervisor/net_address.h"
#include "supervisor/nets.h"
#include "supervisor/network.h"

#define LEASE_S 3600 /* as dnsmasq is told */

static int64_t now_s(void)
{
	return sys_realtime_us() / 1000000;
}

static void add(json_t *all, const struct cidr *address, const char *source,
	int64_t age_s, const char *nic)
{
	char text[CIDR_TEXT_SIZE];

	cidr_address(address, text);
	json_array_append_new(
		all, json_pack("{s:s,s:s,s:o,s:s}", "address", text, "source",
			     source, "age",
			     age_s < 0 ? json_null() : json_integer(age_s),
			     "nic", nic));
}

/* ---- leases ---- */

static bool add_leases(
	json_t *all, const struct net_port *port, const struct paths *paths)
{
	size_t n;
	AUTO_FREE struct net_lease *leases =
		net_leases_read(paths, port->net->name, &n);
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		int64_t age = now_s() - (leases[i].expires - LEASE_S);

		if (!str_eq(leases[i].mac, port->mac))
			continue;
		if (all)
			add(all, &leases[i].address, "lease", age > 0 ? age : 0,
				port->nic);
		any = true;
	}
	return any;
}

/* ---- neighbours ---- */

struct seen {
	json_t *all;
	const struct net_port *port;
};

static void on_neighbour(void *arg, const struct link_neighbour *neighbour)
{
	const struct seen *seen = arg;
	const unsigned char *m = neighbour->mac;
	char mac[NET_MAC_SIZE];

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1],
		m[2], m[3], m[4], m[5]);
	if (str_eq(mac, seen->port->mac))
		add(seen->all, &neighbour->address, "neighbour", -1,
			seen->port->nic);
}

static void add_neighbours(json_t *all, const struct net_port *port)
{
	struct netlink nl = NETLINK_INIT;
	struct seen seen = { all, port };
	struct err err = ERR_INIT;

	if (netlink_open(&nl, &err))
		return;
	if (link_each_neighbour(&nl, on_neighbour, &seen)) {
		/* then it is not known */
	}
	netlink_close(&nl);
}

/* ---- a VM ---- */

/* User mode hands every guest the same first address. */
static void add_nic(
	json_t *all, const struct vm *vm, const struct spec_nic *nic, bool look)
{
	const struct net_state *state = nets_state();
	const struct net_port *port =
		state && !nic->user ? net_port_find(state, vm->name, nic->name)
				    : NULL;

	if (nic->user == USER_SLIRP) /* passt gives it the host's own */
		json_array_append_new(
			all, json_pack("{s:s,s:s,s:n,s:s}", "address",
				     "10.0.2.15", "source", "user-mode", "age",
				     "nic", nic->name));
	if (port && !add_leases(all, port, state->paths) && look)
		add_neighbours(all, port);
}

json_t *addresses_of(const struct vm *vm, bool look)
{
	const struct vm_spec *spec = vm_spec_now(vm);
	json_t *all = json_array();

	if (!spec || !vm_is_up(vm))
		return all;
	list_each(&spec->nics, it, next)
		add_nic(all, vm, list_entry(it, struct spec_nic, link), look);
	return all;
}

/* A lease of an earlier life does not count. */
static bool is_fresh(const struct net_port *port, const struct vm *vm,
	const struct paths *paths)
{
	size_t n;
	AUTO_FREE struct net_lease *leases =
		net_leases_read(paths, port->net->name, &n);

	for (size_t i = 0; i < n; i++)
		if (str_eq(leases[i].mac, port->mac) &&
			leases[i].expires - LEASE_S >=
				vm->record.started_real_us / 1000000)
			return true;
	return false;
}

bool addresses_has_lease(const struct vm *vm)
{
	const struct net_state *state = nets_state();
	bool any = false;

	list_each(&vm->running->nics, it, next) {
		const struct spec_nic *nic =
			list_entry(it, struct spec_nic, link);
		const struct net_port *port =
			state ? net_port_find(state, vm->name, nic->name)
			      : NULL;

		any |= port && is_fresh(port, vm, state->paths);
	}
	return any;
}

/* ---- all leases ---- */

static const struct net_port *port_of(const char *network, const char *mac)
{
	const struct net_state *state = nets_state();
	const struct net_live *net =
		state ? net_state_find(state, network) : NULL;

	if (!net)
		return NULL;
	list_each(&net->ports, it, next) {
		const struct net_port *port =
			list_entry(it, struct net_port, link);

		if (str_eq(port->mac, mac))
			return port;
	}
	return NULL;
}

static void append_leases(
	json_t *all, const struct paths *paths, const char *network)
{
	size_t n;
	AUTO_FREE struct net_lease *leases =
		net_leases_read(paths, network, &n);

	for (size_t i = 0; i < n; i++) {
		const struct net_lease *lease = &leases[i];
		const struct net_port *port = port_of(network, lease->mac);
		char address[CIDR_TEXT_SIZE];
		int64_t left = lease->expires - now_s();

		cidr_address(&lease->address, address);
		json_array_append_new(
			all, json_pack("{s:s,s:s,s:s,s:s,s:s?,s:s?,s:I}",
				     "network", network, "address", address,
				     "mac", lease->mac, "host", lease->host,
				     "vm", port ? port->vm : NULL, "nic",
				     port ? port->nic : NULL, "left",
				     (json_int_t)(left > 0 ? left : 0)));
	}
}

json_t *addresses_leases(const struct paths *paths, const char *network)
{
	json_t *all = json_array();

	list_each(networks_of(paths), it, next) {
		const struct network *n = list_entry(it, struct network, link);

		if (!*network || str_eq(n->name, network))
			append_leases(all, paths, n->name);
	}
	return all;
}
