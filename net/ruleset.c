/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of all networks as one batch; see ruleset.h. */
#include "net/ruleset.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/str.h"

#define TABLE "vmward"

/* A batch that grows. */
struct batch {
	json_t *commands;
	const char *table;
};

/* Chains of ours; a name must be no keyword of nft. */
static const struct {
	const char *family;
	const char *name;
	const char *type;
	const char *hook;
	int priority;
} chains[] = {
	{ "inet", "vm-guard", "filter", "prerouting", -300 },
	{ "inet", "vm-in", "nat", "prerouting", -100 },
	{ "inet", "vm-local", "nat", "output", -100 },
	{ "inet", "vm-forward", "filter", "forward", 0 },
	{ "inet", "vm-out", "nat", "postrouting", 100 },
	{ "bridge", "vm-ports", "filter", "prerouting", -300 },
	{ "bridge", "vm-hairpin", "filter", "forward", -300 },
};

static const char *const families[] = { "inet", "bridge" };

/* ---- words of nft's JSON ---- */

static void command(const struct batch *batch, const char *verb,
	const char *kind, json_t *object)
{
	json_array_append_new(
		batch->commands, json_pack("{s:{s:o}}", verb, kind, object));
}

static json_t *payload(const char *protocol, const char *field)
{
	return json_pack("{s:{s:s,s:s}}", "payload", "protocol", protocol,
		"field", field);
}

static json_t *meta(const char *key)
{
	return json_pack("{s:{s:s}}", "meta", "key", key);
}

static json_t *match(const char *op, json_t *left, json_t *right)
{
	return json_pack("{s:{s:s,s:o,s:o}}", "match", "op", op, "left", left,
		"right", right);
}

static json_t *equal(json_t *left, const char *right)
{
	return match("==", left, json_string(right));
}

static json_t *differ(json_t *left, const char *right)
{
	return match("!=", left, json_string(right));
}

/* drop, accept, masquerade */
static json_t *end(const char *what)
{
	return json_pack("{s:n}", what);
}

/* A rule of up to six parts; NULL ends them. */
static void rule(const struct batch *batch, const char *family,
	const char *chain, json_t *parts)
{
	command(batch, "add", "rule",
		json_pack("{s:s,s:s,s:s,s:o}", "family", family, "table",
			batch->table, "chain", chain, "expr", parts));
}

static json_t *prefix_json(const struct cidr *c)
{
	char text[CIDR_TEXT_SIZE];

	cidr_network(c, text);
	text[strcspn(text, "/")] = '\0';
	return json_pack(
		"{s:{s:s,s:i}}", "prefix", "addr", text, "len", (int)c->prefix);
}

static json_t *address_json(const struct cidr *c)
{
	char text[CIDR_TEXT_SIZE];

	if (c->prefix != cidr_bits(c))
		return prefix_json(c);
	cidr_address(c, text);
	return json_string(text);
}

static const char *protocol_of(const struct cidr *c)
{
	return c->family == AF_INET ? "ip" : "ip6";
}

/* ---- tables and chains ---- */

static void add_tables(const struct batch *batch, const char *verb)
{
	for (size_t i = 0; i < NELEMS(families); i++)
		command(batch, verb, "table",
			json_pack("{s:s,s:s}", "family", families[i], "name",
				batch->table));
}

static void add_chains(const struct batch *batch)
{
	for (size_t i = 0; i < NELEMS(chains); i++)
		command(batch, "add", "chain",
			json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:s}", "family",
				chains[i].family, "table", batch->table, "name",
				chains[i].name, "type", chains[i].type, "hook",
				chains[i].hook, "prio", chains[i].priority,
				"policy", "accept"));
}

/* ---- networks ---- */

/* What a guest sends through forwarding, and what comes back. */
static void add_forwarding(
	const struct batch *batch, const struct ruleset_net *net)
{
	const char *chain = "vm-forward";

	if (net->mode == RULESET_ROUTED)
		return;
	if (net->mode == RULESET_NAT) {
		rule(batch, "inet", chain,
			json_pack("[o,o,o]",
				equal(meta("oifname"), net->bridge),
				match("in",
					json_pack("{s:{s:s}}", "ct", "key",
						"state"),
					json_pack("[s,s]", "established",
						"related")),
				end("accept")));
		rule(batch, "inet", chain,
			json_pack("[o,o,o]",
				equal(meta("oifname"), net->bridge),
				match("in",
					json_pack("{s:{s:s}}", "ct", "key",
						"status"),
					json_string("dnat")),
				end("accept")));
	} else {
		rule(batch, "inet", chain,
			json_pack("[o,o,o]",
				equal(meta("iifname"), net->bridge),
				differ(meta("oifname"), net->bridge),
				end("drop")));
	}
	rule(batch, "inet", chain,
		json_pack("[o,o,o]", equal(meta("oifname"), net->bridge),
			differ(meta("iifname"), net->bridge), end("drop")));
}

/* Guests of a NAT network look like the host from outside. */
static void add_masquerade(
	const struct batch *batch, const struct ruleset_net *net)
{
	for (size_t i = 0; i < net->naddresses; i++) {
		const struct cidr *c = &net->addresses[i];
		const char *ip = protocol_of(c);

		rule(batch, "inet", "vm-out",
			json_pack("[o,o,o,o]",
				match("==", payload(ip, "saddr"),
					prefix_json(c)),
				match("!=", payload(ip, "daddr"),
					prefix_json(c)),
				differ(meta("oifname"), net->bridge),
				end("masquerade")));
		/* a guest that comes back to its own network by a forward */
		rule(batch, "inet", "vm-out",
			json_pack("[o,o,o,o]",
				match("==", payload(ip, "saddr"),
					prefix_json(c)),
				match("==", payload(ip, "daddr"),
					prefix_json(c)),
				match("in",
					json_pack("{s:{s:s}}", "ct", "key",
						"status"),
					json_string("dnat")),
				end("masquerade")));
	}
}

/* The host's own loopback reaches forwards; guests never reach it. */
static void add_loopback(
	const struct batch *batch, const struct ruleset_net *net)
{
	static const struct cidr loopback = { AF_INET, 8, { 127 } };

	rule(batch, "inet", "vm-guard",
		json_pack("[o,o,o]", equal(meta("iifname"), net->bridge),
			match("==", payload("ip", "daddr"),
				prefix_json(&loopback)),
			end("drop")));
	rule(batch, "inet", "vm-out",
		json_pack("[o,o,o]", equal(meta("oifname"), net->bridge),
			match("==", payload("ip", "saddr"),
				prefix_json(&loopback)),
			end("masquerade")));
}

static void add_net(const struct batch *batch, const struct ruleset_net *net)
{
	if (net->mode == RULESET_BRIDGE)
		return;
	add_forwarding(batch, net);
	if (net->mode != RULESET_NAT)
		return;
	add_masquerade(batch, net);
	add_loopback(batch, net);
}

/* ---- forwards ---- */

/* One port, or with `port` 0 a range whose ports stay as they are. */
static void add_target(const struct batch *batch, const char *chain,
	const struct ruleset_forward *f, json_t *ports, unsigned port)
{
	const char *protocol = f->udp ? "udp" : "tcp";
	const char *ip = protocol_of(&f->guest);
	json_t *parts = json_array();
	json_t *target = json_pack(
		"{s:s,s:o}", "family", ip, "addr", address_json(&f->guest));

	if (port)
		json_object_set_new(
			target, "port", json_integer((json_int_t)port));
	if (f->address[0])
		json_array_append_new(
			parts, equal(payload(ip, "daddr"), f->address));
	else
		json_array_append_new(
			parts, equal(json_pack("{s:{s:s,s:s}}", "fib", "result",
					     "type", "flags", "daddr"),
				       "local"));
	if (!f->address[0])
		json_array_append_new(parts,
			equal(meta("nfproto"),
				f->guest.family == AF_INET ? "ipv4" : "ipv6"));
	/* the kernel takes no answer to ::1 from a device */
	if (!f->address[0] && f->guest.family == AF_INET6)
		json_array_append_new(
			parts, differ(payload("ip6", "daddr"), "::1"));
	json_array_append_new(
		parts, match("==", payload(protocol, "dport"), ports));
	json_array_append_new(parts, json_pack("{s:o}", "dnat", target));
	rule(batch, "inet", chain, parts);
}

static void add_forward(const struct batch *batch, const char *chain,
	const struct ruleset_forward *f)
{
	if (f->first != f->last && f->first == f->guest_first) {
		add_target(batch, chain, f,
			json_pack("{s:[i,i]}", "range", (int)f->first,
				(int)f->last),
			0);
		return;
	}
	for (unsigned port = f->first; port <= f->last; port++)
		add_target(batch, chain, f, json_integer((json_int_t)port),
			f->guest_first + (port - f->first));
}

/* ---- ports ---- */

static void chain_of(const struct ruleset_port *port, char out[32])
{
	snprintf(out, 32, "vm-%s", port->tap);
}

static void drop_if(
	const struct batch *batch, const char *chain, json_t *condition)
{
	rule(batch, "bridge", chain,
		json_pack("[o,o]", condition, end("drop")));
}

static const struct cidr link_local = { AF_INET6, 10, { 0xfe, 0x80 } };

/* All addresses of a family that a port may use, besides `more` ones. */
static json_t *allowed(
	const struct ruleset_port *port, int family, const char *none)
{
	json_t *list = json_pack("[s]", none);

	if (family == AF_INET6)
		json_array_append_new(list, prefix_json(&link_local));
	for (size_t i = 0; i < port->naddresses; i++)
		if (port->addresses[i].family == family)
			json_array_append_new(
				list, address_json(&port->addresses[i]));
	return json_pack("{s:o}", "set", list);
}

/* The bytes of an address as one number, which is all that @th knows. */
static void address_number(const struct cidr *c, bool last, char out[35])
{
	snprintf(out, 35, "0x");
	for (unsigned i = 0; i < 16; i++) {
		unsigned behind = i * 8 < c->prefix ? c->prefix - i * 8 : 0;
		unsigned free_bits = behind >= 8 ? 0 : 0xffU >> behind;

		snprintf(out + 2 + i * 2, 3, "%02x",
			last ? c->at[i] | free_bits : c->at[i] & ~free_bits);
	}
}

/* Which address an advertisement is of. */
static json_t *advertised(void)
{
	return json_pack("{s:{s:s,s:i,s:i}}", "payload", "base", "th", "offset",
		64, "len", 128);
}

static json_t *is_advertisement(void)
{
	return equal(payload("icmpv6", "type"), "nd-neighbor-advert");
}

static json_t *link_local_numbers(void)
{
	char first[35];
	char last[35];

	address_number(&link_local, false, first);
	address_number(&link_local, true, last);
	return json_pack("{s:[s,s]}", "range", first, last);
}

/* It tells others where to find an address that is not its own. */
static void check_advertised(const struct batch *batch, const char *chain,
	const struct ruleset_port *port)
{
	json_t *list = json_pack("[o]", link_local_numbers());
	char number[35];

	for (size_t i = 0; i < port->naddresses; i++) {
		if (port->addresses[i].family != AF_INET6)
			continue;
		address_number(&port->addresses[i], false, number);
		json_array_append_new(list, json_string(number));
	}
	rule(batch, "bridge", chain,
		json_pack("[o,o,o]", is_advertisement(),
			match("!=", advertised(),
				json_pack("{s:o}", "set", list)),
			end("drop")));
}

/*
 * Link-local addresses are a guest's own choice, but one that looks as if
 * it was made of a MAC must be of its own: so are the host's and those of
 * its neighbours.
 */
static void check_link_local(const struct batch *batch, const char *chain,
	const struct ruleset_port *port)
{
	const struct cidr net = { AF_INET6, 64, { 0xfe, 0x80 } };
	struct cidr own;
	char text[CIDR_TEXT_SIZE];
	char number[35];

	if (!cidr_eui64(&net, port->mac, &own))
		return;
	cidr_address(&own, text);
	address_number(&own, false, number);
	rule(batch, "bridge", chain,
		json_pack("[o,o,o,o]",
			match("==", payload("ip6", "saddr"),
				prefix_json(&link_local)),
			match("==",
				json_pack("{s:[o,s]}", "&",
					payload("ip6", "saddr"), "::ff:ff00:0"),
				json_string("::ff:fe00:0")),
			differ(payload("ip6", "saddr"), text), end("drop")));
	rule(batch, "bridge", chain,
		json_pack("[o,o,o,o,o]", is_advertisement(),
			match("==", advertised(), link_local_numbers()),
			match("==",
				json_pack("{s:[o,s]}", "&", advertised(),
					"0xffff000000"),
				json_string("0xfffe000000")),
			differ(advertised(), number), end("drop")));
}

static void check_addresses(const struct batch *batch, const char *chain,
	const struct ruleset_port *port)
{
	static const char *const lies[] = { "nd-router-advert", "nd-redirect" };

	drop_if(batch, chain,
		match("!=", payload("ether", "type"),
			json_pack("{s:[s,s,s]}", "set", "arp", "ip", "ip6")));
	drop_if(batch, chain, differ(payload("arp", "saddr ether"), port->mac));
	drop_if(batch, chain,
		match("!=", payload("arp", "saddr ip"),
			allowed(port, AF_INET, "0.0.0.0")));
	drop_if(batch, chain,
		match("!=", payload("ip", "saddr"),
			allowed(port, AF_INET, "0.0.0.0")));
	drop_if(batch, chain,
		match("!=", payload("ip6", "saddr"),
			allowed(port, AF_INET6, "::")));
	check_link_local(batch, chain, port);
	check_advertised(batch, chain, port);
	/* the host alone gives addresses and says where to go */
	drop_if(batch, chain,
		match("==", payload("udp", "sport"),
			json_pack("{s:[i,i]}", "set", 67, 547)));
	for (size_t i = 0; i < NELEMS(lies); i++)
		drop_if(batch, chain,
			equal(payload("icmpv6", "type"), lies[i]));
}

static void check_rate(const struct batch *batch, const char *chain,
	const struct ruleset_port *port)
{
	drop_if(batch, chain,
		json_pack("{s:{s:I,s:I,s:s,s:b,s:s,s:s}}", "limit", "rate",
			(json_int_t)port->rate, "burst",
			(json_int_t)port->burst, "per", "second", "inv", true,
			"rate_unit", "bytes", "burst_unit", "bytes"));
}

static void add_port(const struct batch *batch, const struct ruleset_port *port)
{
	char chain[32];

	chain_of(port, chain);
	command(batch, "add", "chain",
		json_pack("{s:s,s:s,s:s}", "family", "bridge", "table",
			batch->table, "name", chain));
	if (port->check != RULESET_ANY)
		drop_if(batch, chain,
			differ(payload("ether", "saddr"), port->mac));
	if (port->check == RULESET_IP)
		check_addresses(batch, chain, port);
	if (port->rate)
		check_rate(batch, chain, port);
}

/*
 * Under br_netfilter what a guest sends to a forward of its own goes back by
 * the port that it came from.  That port gives its guest nothing else back.
 */
static void add_hairpins(const struct batch *batch, const struct ruleset *rules)
{
	for (size_t i = 0; i < rules->nports; i++) {
		const struct ruleset_port *port = &rules->ports[i];

		if (port->hairpin)
			rule(batch, "bridge", "vm-hairpin",
				json_pack("[o,o,o,o]",
					equal(meta("iifname"), port->tap),
					equal(meta("oifname"), port->tap),
					differ(payload("ether", "daddr"),
						port->mac),
					end("drop")));
	}
}

/* One look-up leads a frame to the chain of its port. */
static void add_ports(const struct batch *batch, const struct ruleset *rules)
{
	json_t *map = json_array();

	for (size_t i = 0; i < rules->nports; i++) {
		const struct ruleset_port *port = &rules->ports[i];
		char chain[32];

		if (port->check == RULESET_ANY && !port->rate)
			continue;
		add_port(batch, port);
		chain_of(port, chain);
		json_array_append_new(map, json_pack("[s,{s:{s:s}}]", port->tap,
						   "jump", "target", chain));
	}
	if (json_array_size(map) == 0) {
		json_decref(map);
		return;
	}
	rule(batch, "bridge", "vm-ports",
		json_pack("[{s:{s:o,s:{s:o}}}]", "vmap", "key", meta("iifname"),
			"data", "set", map));
}

json_t *ruleset_batch(const struct ruleset *rules)
{
	const struct batch all = { json_array(), str_or(rules->table, TABLE) };
	const struct batch *batch = &all;

	/* a table that is not there cannot be deleted: add it first */
	if (!rules->fresh) {
		add_tables(batch, "add");
		add_tables(batch, "delete");
	}
	if (rules->nnets > 0 || rules->nports > 0) {
		add_tables(batch, "add");
		add_chains(batch);
		for (size_t i = 0; i < rules->nnets; i++)
			add_net(batch, &rules->nets[i]);
		for (size_t i = 0; i < rules->nforwards; i++) {
			add_forward(batch, "vm-in", &rules->forwards[i]);
			add_forward(batch, "vm-local", &rules->forwards[i]);
		}
		add_ports(batch, rules);
		add_hairpins(batch, rules);
	}
	return json_pack("{s:o}", "nftables", all.commands);
}
