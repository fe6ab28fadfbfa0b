/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network that is up against its file; see net_change.h. */
#include "supervisor/net_change.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/bond.h"
#include "supervisor/net_address.h"

/* ---- what each key says, live or written ---- */

static void add_mode(const struct net_live *net, struct str *out)
{
	str_add(out, network_mode_names[net->mode]);
}

static void add_bridge(const struct net_live *net, struct str *out)
{
	str_add(out, net->bridge);
}

static void add_address(const struct net_live *net, struct str *out)
{
	for (size_t i = 0; i < net->naddresses; i++) {
		char text[CIDR_TEXT_SIZE];

		cidr_text(&net->addresses[i], text);
		str_addf(out, "%s%s", i ? ", " : "", text);
	}
}

static void add_dhcp(const struct net_live *net, struct str *out)
{
	char first[CIDR_TEXT_SIZE];
	char last[CIDR_TEXT_SIZE];

	if (!net->first.family) {
		str_add(out, "no");
		return;
	}
	cidr_address(&net->first, first);
	cidr_address(&net->last, last);
	str_addf(out, "%s-%s", first, last);
}

static void add_bool(struct str *out, bool yes)
{
	str_add(out, yes ? "yes" : "no");
}

static void add_dns(const struct net_live *net, struct str *out)
{
	add_bool(out, net->dns);
}

static void add_domain(const struct net_live *net, struct str *out)
{
	str_add(out, net->domain);
}

static void add_hosts(const struct net_live *net, struct str *out)
{
	for (const char *line = net->hosts; *line;) {
		size_t len = strcspn(line, "\n");

		str_addf(out, "%s%.*s", out->len ? " " : "", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

static void add_mtu(const struct net_live *net, struct str *out)
{
	if (net->mtu)
		str_addf(out, "%u", net->mtu);
}

static void add_uplink(const struct net_live *net, struct str *out)
{
	str_add(out, net->uplink.device);
}

static void add_vlan(const struct net_live *net, struct str *out)
{
	if (net->uplink.vlan)
		str_addf(out, "%u", net->uplink.vlan);
}

static void add_bond(const struct net_live *net, struct str *out)
{
	const struct network_bond *bond = &net->uplink.bond;

	if (bond->members.n == 0)
		return;
	str_addf(out, "%s of", bond_mode_names[bond->mode]);
	for (size_t i = 0; i < bond->members.n; i++)
		str_addf(out, " %s", bond->members.at[i]);
	str_addf(out, " every %llu ms", (unsigned long long)bond->miimon_ms);
}

static void add_filtering(const struct net_live *net, struct str *out)
{
	add_bool(out, net->filtering);
}

static void add_firewall(const struct net_live *net, struct str *out)
{
	str_add(out, net->fix ? "fix" : "check");
}

/* ---- what is taken over while it is up ---- */

static void swap(char **a, char **b)
{
	char *was = *a;

	*a = *b;
	*b = was;
}

static void take_dhcp(struct net_live *net, struct net_live *to)
{
	net->first = to->first;
	net->last = to->last;
}

static void take_dns(struct net_live *net, struct net_live *to)
{
	net->dns = to->dns;
}

static void take_domain(struct net_live *net, struct net_live *to)
{
	swap(&net->domain, &to->domain);
}

static void take_hosts(struct net_live *net, struct net_live *to)
{
	swap(&net->hosts, &to->hosts);
}

static void take_firewall(struct net_live *net, struct net_live *to)
{
	net->fix = to->fix;
}

static const struct rule {
	const char *key;
	void (*add_text)(const struct net_live *net, struct str *out);
	enum net_change act;
	void (*take)(struct net_live *net, struct net_live *to);
} rules[] = {
	{ "mode", add_mode, NET_CHANGE_COLD, NULL },
	{ "bridge", add_bridge, NET_CHANGE_COLD, NULL },
	{ "address", add_address, NET_CHANGE_COLD, NULL },
	{ "dhcp", add_dhcp, NET_CHANGE_DHCP, take_dhcp },
	{ "dns", add_dns, NET_CHANGE_DHCP, take_dns },
	{ "domain", add_domain, NET_CHANGE_DHCP, take_domain },
	{ "host", add_hosts, NET_CHANGE_DHCP, take_hosts },
	{ "mtu", add_mtu, NET_CHANGE_COLD, NULL },
	{ "uplink", add_uplink, NET_CHANGE_COLD, NULL },
	{ "vlan", add_vlan, NET_CHANGE_COLD, NULL },
	{ "bond", add_bond, NET_CHANGE_COLD, NULL },
	{ "vlan-filtering", add_filtering, NET_CHANGE_COLD, NULL },
	{ "firewall", add_firewall, NET_CHANGE_RULES, take_firewall },
};

/* ---- the network as its file has it ---- */

/* What would be up; freed by net_live_free(). */
static struct net_live *target(const struct net_state *state,
	const struct net_live *net, const struct network *network)
{
	struct net_state alone = { .paths = state->paths };
	struct net_live *to;

	list_init(&alone.nets);
	to = net_live_new(&alone, network);
	list_del(&to->link);
	list_init(&to->link);
	if (network->network.address.n > 0) {
		net_address_take_written(to, network);
	} else if (to->mode != NETWORK_BRIDGE) { /* the one that was picked */
		memcpy(to->addresses, net->addresses, sizeof(to->addresses));
		to->naddresses = net->naddresses;
	}
	net_address_take_range(to, network);
	return to;
}

static bool differs(const struct rule *rule, const struct net_live *net,
	const struct net_live *to, struct str *from, struct str *now)
{
	str_cut(from, 0);
	str_cut(now, 0);
	rule->add_text(net, from);
	rule->add_text(to, now);
	return !str_eq(str_text(from), str_text(now));
}

/* With another address the range is another one as well. */
static bool is_hot(const struct rule *rule, bool moved)
{
	return rule->act != NET_CHANGE_COLD &&
	       !(moved && rule->take == take_dhcp);
}

static bool is_moved(const struct net_live *net, const struct net_live *to)
{
	AUTO_STR struct str from = STR_INIT;
	AUTO_STR struct str now = STR_INIT;
	bool moved = false;

	for (size_t i = 0; i < NELEMS(rules); i++)
		moved |= (rules[i].add_text == add_address ||
				 rules[i].add_text == add_mode) &&
			 differs(&rules[i], net, to, &from, &now);
	return moved;
}

static const char *or_null(const struct str *text)
{
	return text->len ? str_text(text) : NULL;
}

json_t *net_change_json(const struct net_state *state,
	const struct net_live *net, const struct network *network)
{
	AUTO_STR struct str from = STR_INIT;
	AUTO_STR struct str now = STR_INIT;
	json_t *all = json_array();
	struct net_live *to;
	bool moved;

	if (!net)
		return all;
	to = target(state, net, network);
	moved = is_moved(net, to);
	for (size_t i = 0; i < NELEMS(rules); i++)
		if (differs(&rules[i], net, to, &from, &now))
			json_array_append_new(all,
				json_pack("{s:s,s:s?,s:s?,s:s}", "key",
					rules[i].key, "from", or_null(&from),
					"to", or_null(&now), "when",
					is_hot(&rules[i], moved) ? "hot"
								 : "cold"));
	net_live_free(to);
	return all;
}

unsigned net_change_take(const struct net_state *state, struct net_live *net,
	const struct network *network)
{
	AUTO_STR struct str from = STR_INIT;
	AUTO_STR struct str now = STR_INIT;
	struct net_live *to = target(state, net, network);
	bool moved = is_moved(net, to);
	unsigned acts = 0;

	for (size_t i = 0; i < NELEMS(rules); i++) {
		if (!is_hot(&rules[i], moved) ||
			!differs(&rules[i], net, to, &from, &now))
			continue;
		rules[i].take(net, to);
		acts |= rules[i].act;
	}
	net_live_free(to);
	return acts;
}
