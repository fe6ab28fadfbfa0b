/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The networks that are up; see net_live.h. */
#include "supervisor/net_live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"

#define STATE_MAX   (4 * 1024 * 1024)
#define VERSION     1
#define DEFAULT_RUN "/run/vmward"

/* ---- all of them ---- */

void net_state_init(struct net_state *state, const struct paths *paths)
{
	uint64_t hash = hash_add(HASH_START, paths->run, strlen(paths->run));
	bool is_main = str_eq(paths->run, DEFAULT_RUN);

	list_init(&state->nets);
	state->paths = paths;
	snprintf(state->tag, sizeof(state->tag), "%08x", (unsigned)hash);
	snprintf(state->table, sizeof(state->table), "vmward%s%s",
		is_main ? "" : "-", is_main ? "" : state->tag);
}

void net_state_fini(struct net_state *state)
{
	list_each(&state->nets, it, next)
		net_live_free(list_entry(it, struct net_live, link));
}

char *net_state_path(const struct net_state *state, const char *leaf)
{
	return xasprintf("%s/.net/%s", state->paths->run, leaf);
}

struct net_live *net_state_find(const struct net_state *state, const char *name)
{
	list_each(&state->nets, it, next) {
		struct net_live *net = list_entry(it, struct net_live, link);

		if (str_eq(net->name, name))
			return net;
	}
	return NULL;
}

/* ---- one ---- */

static struct net_live *add_net(struct net_state *state, const char *name)
{
	struct net_live *net = NEW(struct net_live);

	list_init(&net->ports);
	net->name = xstrdup(name);
	net->domain = xstrdup("");
	net->hosts = xstrdup("");
	list_add(&state->nets, &net->link);
	return net;
}

static void take_hosts(struct net_live *net, const struct network *network)
{
	AUTO_STR struct str text = STR_INIT;

	list_each(&network->hosts, it, next) {
		const struct network_host *host =
			list_entry(it, struct network_host, link);
		char ip[CIDR_TEXT_SIZE];

		cidr_address(&host->ip, ip);
		str_addf(&text, "%s,%s,%s\n", host->mac, ip, host->name);
	}
	free(net->hosts);
	net->hosts = xstrdup(str_text(&text));
}

struct net_live *net_live_new(
	struct net_state *state, const struct network *network)
{
	struct net_live *net = add_net(state, network->name);

	net->mode = (enum network_mode)network->network.mode;
	net->joined = network_is_joined(network);
	snprintf(net->bridge, sizeof(net->bridge), "%s", network->bridge);
	net->dns = network->network.dns && net->mode != NETWORK_BRIDGE;
	net->filtering = network->network.filtering;
	net->fix = network->network.firewall == NETWORK_FIX;
	net->uplink = network->uplink;
	free(net->domain);
	net->domain = xstrdup(network->network.domain);
	net->mtu = (unsigned)network->network.mtu;
	take_hosts(net, network);
	return net;
}

struct net_live *net_live_new_joined(
	struct net_state *state, const char *name, const char *bridge)
{
	struct net_live *net = add_net(state, name);

	net->mode = NETWORK_BRIDGE;
	net->joined = true;
	snprintf(net->bridge, sizeof(net->bridge), "%s", bridge);
	return net;
}

void net_live_free(struct net_live *net)
{
	list_each(&net->ports, it, next)
		net_port_free(list_entry(it, struct net_port, link));
	list_del(&net->link);
	free(net->name);
	free(net->domain);
	free(net->hosts);
	free(net);
}

void net_live_alias(const struct net_state *state, const struct net_live *net,
	char out[LINK_ALIAS_SIZE])
{
	snprintf(out, LINK_ALIAS_SIZE, LINK_ALIAS_OURS "%s %s", net->name,
		state->tag);
}

void net_live_mac(const struct net_state *state, const struct net_live *net,
	unsigned char out[6])
{
	uint64_t hash =
		hash_add(hash_add(HASH_START, state->tag, strlen(state->tag)),
			net->bridge, strlen(net->bridge));

	out[0] = 0x52;
	out[1] = 0x54;
	for (unsigned i = 2; i < 6; i++)
		out[i] = (unsigned char)(hash >> 8 * i);
}

struct net_port *net_port_new(
	struct net_live *net, const char *vm, const char *nic)
{
	struct net_port *port = NEW(struct net_port);

	port->net = net;
	port->vm = xstrdup(vm);
	port->nic = xstrdup(nic);
	port->forward = xstrdup("");
	list_add(&net->ports, &port->link);
	return port;
}

void net_port_free(struct net_port *port)
{
	list_del(&port->link);
	free(port->vm);
	free(port->nic);
	free(port->forward);
	free(port->broken);
	free(port);
}

static struct net_port *find_on(
	const struct net_live *net, const char *vm, const char *nic)
{
	list_each(&net->ports, it, next) {
		struct net_port *port = list_entry(it, struct net_port, link);

		if (str_eq(port->vm, vm) && str_eq(port->nic, nic))
			return port;
	}
	return NULL;
}

struct net_port *net_port_find(
	const struct net_state *state, const char *vm, const char *nic)
{
	struct net_port *port = NULL;

	list_each(&state->nets, it, next) {
		if (!port)
			port = find_on(
				list_entry(it, struct net_live, link), vm, nic);
	}
	return port;
}

bool net_port_is_forwarded(const struct net_port *port)
{
	return *port->forward && port->net->mode == NETWORK_NAT;
}

bool net_port_address(const struct net_port *port, size_t n, struct cidr *out)
{
	const struct cidr *net = &port->net->addresses[n];

	if (port->address.family && cidr_holds(net, &port->address)) {
		*out = port->address;
		out->prefix = cidr_bits(out);
		return true;
	}
	return cidr_eui64(net, port->mac, out);
}

/* ---- to the file ---- */

/* "10.64.0.1/24", or null without an address. */
static json_t *cidr_json(const struct cidr *c)
{
	char text[CIDR_TEXT_SIZE];

	if (!c->family)
		return json_null();
	cidr_text(c, text);
	return json_string(text);
}

static json_t *port_json(const struct net_port *port)
{
	AUTO_STR struct str trunk = STR_INIT;

	vlan_add_text(&trunk, &port->vlans);
	return json_pack(
		"{s:s,s:s,s:s,s:s,s:o,s:i,s:b,s:i,s:i,s:s,s:[I,I,I],s:s}", "vm",
		port->vm, "nic", port->nic, "tap", port->tap, "mac", port->mac,
		"address", cidr_json(&port->address), "check", (int)port->check,
		"isolate", port->isolate, "mtu", (int)port->mtu, "vlan",
		port->vlans.native, "trunk", str_text(&trunk), "rates",
		(json_int_t)port->rates.out, (json_int_t)port->rates.in,
		(json_int_t)port->rates.burst, "forward", port->forward);
}

static json_t *uplink_json(const struct network_uplink *up)
{
	json_t *members = json_array();

	for (size_t i = 0; i < up->bond.members.n; i++)
		json_array_append_new(
			members, json_string(up->bond.members.at[i]));
	return json_pack("{s:s,s:s,s:i,s:i,s:I,s:o}", "device", up->device,
		"port", up->port, "vlan", up->vlan, "mode", up->bond.mode,
		"miimon", (json_int_t)up->bond.miimon_ms, "members", members);
}

static json_t *net_json(const struct net_live *net)
{
	json_t *addresses = json_array();
	json_t *ports = json_array();

	for (size_t i = 0; i < net->naddresses; i++)
		json_array_append_new(addresses, cidr_json(&net->addresses[i]));
	list_each(&net->ports, it, next)
		json_array_append_new(ports,
			port_json(list_entry(it, struct net_port, link)));
	return json_pack(
		"{s:s,s:b,s:b,s:b,s:I,s:i,s:s,s:o,s:o,s:o,s:b,s:s,s:i,s:b,s:b,s:o,s:s,s:o}",
		"name", net->name, "joined", net->joined, "macvtap",
		net->macvtap, "wanted", net->wanted, "confirm",
		(json_int_t)net->confirm_ms, "mode", (int)net->mode, "bridge",
		net->bridge, "addresses", addresses, "first",
		cidr_json(&net->first), "last", cidr_json(&net->last), "dns",
		net->dns, "domain", net->domain, "mtu", (int)net->mtu,
		"filtering", net->filtering, "fix", net->fix, "uplink",
		uplink_json(&net->uplink), "hosts", net->hosts, "ports", ports);
}

int net_state_save(const struct net_state *state, struct err *err)
{
	AUTO_FREE char *dir = net_state_path(state, "");
	AUTO_FREE char *path = net_state_path(state, "state.json");
	json_t *nets = json_array();

	if (list_is_empty(&state->nets)) {
		sys_unlinkat(AT_FDCWD, path, 0);
		sys_unlinkat(AT_FDCWD, dir, AT_REMOVEDIR);
		json_decref(nets);
		return 0;
	}
	if (fd_make_dirs(dir, 0755, err)) {
		json_decref(nets);
		return -1;
	}
	list_each(&state->nets, it, next)
		json_array_append_new(
			nets, net_json(list_entry(it, struct net_live, link)));
	AUTO_JSON json_t *all =
		json_pack("{s:i,s:o}", "version", VERSION, "nets", nets);
	AUTO_FREE char *text = jstream_text(all, JSON_COMPACT);
	return fd_write_file(
		AT_FDCWD, path, text, strlen(text), 0600, false, err);
}

/* ---- from the file ---- */

static void take_cidr(const json_t *from, struct cidr *out)
{
	struct err err = ERR_INIT;

	*out = (struct cidr){ 0 };
	if (json_is_string(from) &&
		cidr_parse(json_string_value(from), out, &err))
		*out = (struct cidr){ 0 };
}

static uint64_t load_rate(const json_t *port, size_t i)
{
	return (uint64_t)json_integer_value(
		json_array_get(json_object_get(port, "rates"), i));
}

static void load_port(struct net_live *net, const json_t *from)
{
	struct net_port *port = net_port_new(
		net, member_text(from, "vm"), member_text(from, "nic"));
	struct err err = ERR_INIT;

	snprintf(port->tap, sizeof(port->tap), "%s", member_text(from, "tap"));
	snprintf(port->mac, sizeof(port->mac), "%s", member_text(from, "mac"));
	take_cidr(json_object_get(from, "address"), &port->address);
	port->check = (enum ruleset_check)json_integer_value(
		json_object_get(from, "check"));
	port->isolate = json_is_true(json_object_get(from, "isolate"));
	port->mtu = (unsigned)json_integer_value(json_object_get(from, "mtu"));
	port->rates = (struct rate_limits){ load_rate(from, 0),
		load_rate(from, 1), load_rate(from, 2) };
	port->vlans.native =
		(uint16_t)json_integer_value(json_object_get(from, "vlan"));
	if (vlan_parse(member_text(from, "trunk"), &port->vlans, &err))
		log_warn(port->vm, "nic %s: %s", port->nic, err.text);
	free(port->forward);
	port->forward = xstrdup(member_text(from, "forward"));
}

static void load_uplink(struct network_uplink *up, const json_t *from)
{
	struct network_members *list = &up->bond.members;
	const json_t *item;
	size_t i;

	snprintf(up->device, sizeof(up->device), "%s",
		member_text(from, "device"));
	snprintf(up->port, sizeof(up->port), "%s", member_text(from, "port"));
	up->vlan = (uint16_t)json_integer_value(json_object_get(from, "vlan"));
	up->bond.mode = (int)json_integer_value(json_object_get(from, "mode"));
	up->bond.miimon_ms =
		(uint64_t)json_integer_value(json_object_get(from, "miimon"));
	json_array_foreach(json_object_get(from, "members"), i, item)
	{
		if (list->n < NETWORK_MEMBERS_MAX)
			snprintf(list->at[list->n++], LINK_NAME_SIZE, "%s",
				str_or(json_string_value(item), ""));
	}
}

static void load_net(struct net_state *state, const json_t *from)
{
	struct net_live *net = add_net(state, member_text(from, "name"));
	const json_t *item;
	size_t i;

	net->joined = json_is_true(json_object_get(from, "joined"));
	net->macvtap = json_is_true(json_object_get(from, "macvtap"));
	net->wanted = json_is_true(json_object_get(from, "wanted"));
	net->confirm_ms = json_integer_value(json_object_get(from, "confirm"));
	net->mode = (enum network_mode)json_integer_value(
		json_object_get(from, "mode"));
	snprintf(net->bridge, sizeof(net->bridge), "%s",
		member_text(from, "bridge"));
	json_array_foreach(json_object_get(from, "addresses"), i, item)
	{
		if (net->naddresses < NET_ADDRESSES_MAX)
			take_cidr(item, &net->addresses[net->naddresses++]);
	}
	take_cidr(json_object_get(from, "first"), &net->first);
	take_cidr(json_object_get(from, "last"), &net->last);
	net->dns = json_is_true(json_object_get(from, "dns"));
	free(net->domain);
	net->domain = xstrdup(member_text(from, "domain"));
	net->mtu = (unsigned)json_integer_value(json_object_get(from, "mtu"));
	net->filtering = json_is_true(json_object_get(from, "filtering"));
	net->fix = json_is_true(json_object_get(from, "fix"));
	load_uplink(&net->uplink, json_object_get(from, "uplink"));
	free(net->hosts);
	net->hosts = xstrdup(member_text(from, "hosts"));
	json_array_foreach(json_object_get(from, "ports"), i, item)
		load_port(net, item);
}

void net_state_load(struct net_state *state)
{
	AUTO_FREE char *path = net_state_path(state, "state.json");
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	const json_t *item;
	size_t i;

	if (fd_read_file(AT_FDCWD, path, STATE_MAX, &text, &err)) {
		if (err.os != ENOENT)
			log_warn(NULL, "%s", err.text);
		return;
	}
	AUTO_JSON json_t *all = json_loads(str_text(&text), 0, NULL);
	if (json_integer_value(json_object_get(all, "version")) != VERSION) {
		log_warn(NULL, "'%s' cannot be read: networks are made anew",
			path);
		return;
	}
	json_array_foreach(json_object_get(all, "nets"), i, item)
		load_net(state, item);
}
