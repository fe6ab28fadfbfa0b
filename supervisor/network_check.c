/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be wrong with networks; see network_check.h. */
#include "supervisor/network_check.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/str.h"

/* ---- keys of one file ---- */

static bool is_written(const struct remarks *to, const char *key)
{
	const struct ini_entry *e = ini_find(to->ini, "network", key);

	return e && *e->value;
}

/* A name that the kernel takes, or an error that says how to choose one. */
static void settle_name(char out[LINK_NAME_SIZE], const char *name,
	const char *what, const char *remedy, const struct remarks *to)
{
	if (link_name_ok(name))
		snprintf(out, LINK_NAME_SIZE, "%s", name);
	else
		remark_error(to, "network", NULL,
			"its %s would be %s, which has %zu bytes and the "
			"kernel takes 15: %s",
			what, name, strlen(name), remedy);
}

static void settle_uplink(struct network *n, const struct remarks *to)
{
	struct network_uplink *up = &n->uplink;
	bool bonded = n->bond.members.n > 0;
	const char *written = str_or(n->network.uplink, "");
	AUTO_FREE char *bond =
		*written ? xstrdup(written)
			 : xasprintf(NETWORK_BOND_PREFIX "%s", n->name);
	AUTO_FREE char *vlan = NULL;

	up->bond = n->bond;
	up->vlan = (uint16_t)n->network.vlan;
	if (bonded)
		settle_name(up->device, bond, "bond", "say uplink = NAME", to);
	else
		snprintf(up->device, sizeof(up->device), "%s", written);
	snprintf(up->port, sizeof(up->port), "%s", up->device);
	if (!up->vlan || !up->device[0])
		return;
	vlan = xasprintf("%s.%u", up->device, up->vlan);
	settle_name(up->port, vlan, "VLAN device",
		"give the uplink a shorter name (ip link set NAME name NEW)",
		to);
}

static void settle_bridge(struct network *n, const struct remarks *to)
{
	AUTO_FREE char *name = xasprintf(NETWORK_BRIDGE_PREFIX "%s", n->name);

	if (n->network.bridge && *n->network.bridge)
		snprintf(n->bridge, sizeof(n->bridge), "%s", n->network.bridge);
	else if (network_is_joined(n))
		remark_error(to, "network", "mode",
			"bridge needs bridge = NAME, one that is there, or "
			"uplink = DEVICE, which makes one");
	else
		settle_name(n->bridge, name, "bridge", "say bridge = NAME", to);
}

/* What only a bridge with a way to the wire has. */
static void check_uplink(const struct network *n, const struct remarks *to)
{
	const struct network_uplink *up = &n->uplink;

	if (n->network.mode != NETWORK_BRIDGE && up->device[0])
		remark_error(to, n->bond.members.n ? "bond" : "network",
			n->bond.members.n ? "members" : "uplink",
			"only mode = bridge has an uplink: others go where "
			"the host's routes go");
	if (n->network.vlan && !up->device[0])
		remark_error(to, "network", "vlan",
			"is a VLAN of the uplink: say uplink = DEVICE");
	if (n->network.vlan && n->network.filtering)
		remark_error(to, "network", "vlan-filtering",
			"vlan and vlan-filtering exclude one another: the "
			"bridge is one VLAN already");
	if (n->network.filtering && network_is_joined(n))
		remark_error(to, "network", "vlan-filtering",
			"means nothing for a bridge of somebody else, which "
			"is never changed");
	if (up->device[0] &&
		(str_eq(up->device, n->bridge) || str_eq(up->port, n->bridge)))
		remark_error(
			to, "network", "bridge", "%s is the uplink", n->bridge);
}

static void check_bond(const struct network *n, const struct remarks *to)
{
	const struct network_members *list = &n->bond.members;

	if (list->n == 0 && (ini_find(to->ini, "bond", "mode") ||
				    ini_find(to->ini, "bond", "miimon")))
		remark_error(to, "bond", NULL, "needs members");
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->at[i], n->uplink.device))
			remark_error(to, "bond", "members",
				"%s is the name of the bond itself",
				list->at[i]);
}

/* The wire has its own addresses and leases. */
static void check_bridged(const struct network *n, const struct remarks *to)
{
	static const char *const keys[] = { "address", "dhcp", "dns", "domain",
		"mtu" };

	for (size_t i = 0; i < NELEMS(keys); i++) {
		if (!is_written(to, keys[i]))
			continue;
		if (network_is_joined(n))
			remark_error(to, "network", keys[i],
				"means nothing in mode = bridge, which only "
				"joins a bridge that is there");
		else if (!str_eq(keys[i], "mtu"))
			remark_error(to, "network", keys[i],
				"means nothing in mode = bridge: who is on "
				"the wire gives addresses and names");
	}
	if (!list_is_empty(&n->hosts))
		remark_error(to, "network", "mode",
			"bridge gives no leases: take out [host.NAME]");
}

/* The IPv4 address whose network holds another; NULL: none. */
static const struct cidr *home_of(
	const struct network *n, const struct cidr *address)
{
	for (size_t i = 0; i < n->network.address.n; i++)
		if (n->network.address.at[i].family == AF_INET &&
			cidr_holds(&n->network.address.at[i], address))
			return &n->network.address.at[i];
	return NULL;
}

static void check_addresses(const struct network *n, const struct remarks *to)
{
	const struct network_addresses *list = &n->network.address;

	for (size_t b = 1; b < list->n; b++)
		for (size_t a = 0; a < b; a++) {
			char one[CIDR_TEXT_SIZE];
			char two[CIDR_TEXT_SIZE];

			if (!cidr_overlaps(&list->at[a], &list->at[b]))
				continue;
			cidr_text(&list->at[a], one);
			cidr_text(&list->at[b], two);
			remark_error(to, "network", "address",
				"%s and %s overlap", one, two);
		}
}

static void check_range(const struct network *n, const struct remarks *to)
{
	const struct network_range *range = &n->network.dhcp;
	const struct cidr *home;

	if (!range->written)
		return;
	home = home_of(n, &range->first);
	if (!home || !cidr_holds(home, &range->last))
		remark_error(to, "network", "dhcp",
			"the range is not within one network of address");
	else if (cidr_compare(&range->first, home) <= 0 &&
		 cidr_compare(home, &range->last) <= 0)
		remark_error(to, "network", "dhcp",
			"the host's own address is in the range");
	else if (cidr_is_edge(home, &range->first) ||
		 cidr_is_edge(home, &range->last))
		remark_error(to, "network", "dhcp",
			"the network's own and its broadcast address are no "
			"guest's");
}

static void check_host_entry(const struct network *n,
	const struct network_host *host, const struct remarks *to)
{
	AUTO_FREE char *section = xasprintf("host.%s", host->name);
	const struct cidr *home = home_of(n, &host->ip);

	if (!host->mac[0])
		remark_error(to, section, NULL, "needs mac");
	if (!host->ip.family)
		remark_error(to, section, NULL, "needs ip");
	else if (!n->network.address.n)
		remark_error(to, section, "ip",
			"needs [network] address: a picked one may be "
			"another on each host");
	else if (!home)
		remark_error(to, section, "ip", "is not within address");
	else if (cidr_same_address(home, &host->ip) ||
		 cidr_is_edge(home, &host->ip))
		remark_error(to, section, "ip",
			"is the host's own, the network's or its broadcast "
			"address");
}

static void check_two_hosts(const struct network_host *first,
	const struct network_host *second, const struct remarks *to)
{
	AUTO_FREE char *section = xasprintf("host.%s", second->name);

	if (first->mac[0] && str_eq(first->mac, second->mac))
		remark_error(to, section, "mac", "%s is also that of [host.%s]",
			second->mac, first->name);
	if (first->ip.family && cidr_same_address(&first->ip, &second->ip))
		remark_error(to, section, "ip", "is also that of [host.%s]",
			first->name);
}

static void check_hosts(const struct network *n, const struct remarks *to)
{
	const struct list *head = &n->hosts;

	for (const struct list *b = head->next; b != head; b = b->next) {
		check_host_entry(
			n, list_entry(b, struct network_host, link), to);
		for (const struct list *a = head->next; a != b; a = a->next)
			check_two_hosts(
				list_entry(a, struct network_host, link),
				list_entry(b, struct network_host, link), to);
	}
}

void network_check_keys(struct network *n, const struct remarks *to)
{
	settle_uplink(n, to);
	settle_bridge(n, to);
	check_uplink(n, to);
	check_bond(n, to);
	if (n->network.mode == NETWORK_BRIDGE) {
		check_bridged(n, to);
		return;
	}
	check_addresses(n, to);
	check_range(n, to);
	check_hosts(n, to);
}

/* ---- two networks ---- */

static bool has_member(const struct network *n, const char *device)
{
	for (size_t i = 0; i < n->bond.members.n; i++)
		if (str_eq(n->bond.members.at[i], device))
			return true;
	return false;
}

/* One device goes to one bridge or bond; beside that it may have VLANs. */
static void check_two_uplinks(const struct network *n,
	const struct network *other, const struct remarks *to)
{
	const struct network_uplink *up = &n->uplink;
	const struct network_uplink *its = &other->uplink;

	for (size_t i = 0; i < n->bond.members.n; i++)
		if (has_member(other, n->bond.members.at[i]) ||
			str_eq(its->device, n->bond.members.at[i]))
			remark_error(to, "bond", "members",
				"%s is in use by network '%s' already",
				n->bond.members.at[i], other->name);
	if (up->device[0] &&
		(str_eq(up->port, its->port) || has_member(other, up->device)))
		remark_error(to, "network", "uplink",
			"%s is in use by network '%s' already", up->port,
			other->name);
}

void network_check_two(const struct network *n, const struct network *other,
	const struct remarks *to)
{
	const struct network_addresses *mine = &n->network.address;
	const struct network_addresses *its = &other->network.address;

	check_two_uplinks(n, other, to);
	if (str_eq(n->bridge, other->bridge) &&
		(!network_is_joined(n) || !network_is_joined(other)))
		remark_error(to, "network", "bridge",
			"%s is the bridge of network '%s' already", n->bridge,
			other->name);
	for (size_t i = 0; i < mine->n; i++)
		for (size_t k = 0; k < its->n; k++) {
			char one[CIDR_TEXT_SIZE];
			char two[CIDR_TEXT_SIZE];

			if (!cidr_overlaps(&mine->at[i], &its->at[k]))
				continue;
			cidr_text(&mine->at[i], one);
			cidr_text(&its->at[k], two);
			remark_error(to, "network", "address",
				"%s overlaps %s of network '%s'", one, two,
				other->name);
		}
}

/* ---- this host ---- */

struct host_look {
	const struct network *network;
	const struct remarks *to;
	unsigned bridge; /* its index, if it is there */
};

static void on_address(void *arg, unsigned index, const struct cidr *address)
{
	const struct host_look *look = arg;
	const struct network_addresses *list = &look->network->network.address;

	if (index == look->bridge)
		return;
	for (size_t i = 0; i < list->n; i++) {
		char one[CIDR_TEXT_SIZE];
		char two[CIDR_TEXT_SIZE];

		if (!cidr_overlaps(&list->at[i], address))
			continue;
		cidr_text(&list->at[i], one);
		cidr_text(address, two);
		remark_error(look->to, "network", "address",
			"%s overlaps %s, which this host has already", one,
			two);
	}
}

static void check_bridge(
	const struct host_look *look, const struct link_info *found)
{
	const struct network *n = look->network;

	if (network_is_joined(n) && !found->index)
		remark_error(look->to, "network", "bridge",
			"there is no device %s", n->bridge);
	else if (found->index && !str_eq(found->kind, "bridge"))
		remark_error(look->to, "network", "bridge",
			"%s is no bridge but a device of another kind",
			n->bridge);
}

static void check_device(struct netlink *nl, const struct host_look *look,
	const char *section, const char *key, const char *name)
{
	struct link_info found;

	if (!link_find(nl, name, &found) && !found.index)
		remark_error(
			look->to, section, key, "there is no device %s", name);
}

static void check_devices(struct netlink *nl, const struct host_look *look)
{
	const struct network *n = look->network;
	const struct network_members *list = &n->bond.members;

	for (size_t i = 0; i < list->n; i++)
		check_device(nl, look, "bond", "members", list->at[i]);
	if (n->uplink.device[0] && list->n == 0)
		check_device(nl, look, "network", "uplink", n->uplink.device);
}

void network_check_host(const struct network *n, const struct remarks *to)
{
	struct netlink nl = NETLINK_INIT;
	struct host_look look = { n, to, 0 };
	struct link_info found;
	struct err err = ERR_INIT;

	if (netlink_open(&nl, &err)) {
		remark_note(to, "network", NULL, "%s", err.text);
		return;
	}
	if (!link_find(&nl, n->bridge, &found)) {
		look.bridge = found.index;
		check_bridge(&look, &found);
	}
	check_devices(&nl, &look);
	if (link_each_address(&nl, on_address, &look))
		remark_note(to, "network", NULL,
			"the host's addresses cannot be read");
	netlink_close(&nl);
}
