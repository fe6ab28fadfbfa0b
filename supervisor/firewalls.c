/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of others; see firewalls.h. */
#include "supervisor/firewalls.h"

#include <string.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"

#define ANY_BRIDGE "vw-default" /* in a remedy, where none is up */

/* Who wrote a chain, and the words that make him let a bridge through. */
static const struct firewall {
	const char *hook;
	const char *table;
	const char *sign; /* a chain of that table begins so; or "" */
	const char *who;
	const char *remedy; /* BRIDGE and FAMILY, TABLE, CHAIN are put in */
} firewalls[] = {
	{ "forward", "firewalld", "", "firewalld",
		"firewall-cmd --permanent --zone=trusted "
		"--add-interface=BRIDGE && firewall-cmd --reload" },
	{ "input", "firewalld", "", "firewalld",
		"firewall-cmd --permanent --zone=trusted "
		"--add-interface=BRIDGE && firewall-cmd --reload" },
	{ "forward", "filter", "ufw", "ufw",
		"ufw route allow in on BRIDGE && ufw route allow out on "
		"BRIDGE; or firewall = fix in networks/NAME.ini" },
	{ "input", "filter", "ufw", "ufw",
		"ufw allow in on BRIDGE to any port 53 && ufw allow in on "
		"BRIDGE to any port 67 proto udp; or firewall = fix in "
		"networks/NAME.ini" },
	{ "forward", "filter", "DOCKER", "Docker",
		"iptables -I FORWARD -i vw-+ -j ACCEPT; iptables -I FORWARD "
		"-o vw-+ -j ACCEPT; or firewall = fix in networks/NAME.ini" },
	{ "forward", "filter", "FORWARD", "iptables",
		"iptables -I FORWARD -i vw-+ -j ACCEPT; iptables -I FORWARD "
		"-o vw-+ -j ACCEPT; or firewall = fix in networks/NAME.ini" },
	{ "input", "filter", "INPUT", "iptables",
		"iptables -I INPUT -i vw-+ -p udp -m multiport --dports 53,67 "
		"-j ACCEPT; iptables -I INPUT -i vw-+ -p tcp --dport 53 -j "
		"ACCEPT; or firewall = fix in networks/NAME.ini" },
	{ "forward", "", "", "",
		"nft 'insert rule FAMILY TABLE CHAIN iifname \"vw-*\" accept'; "
		"nft 'insert rule FAMILY TABLE CHAIN oifname \"vw-*\" accept'; "
		"or firewall = fix in networks/NAME.ini" },
	{ "input", "", "", "",
		"nft 'insert rule FAMILY TABLE CHAIN iifname \"vw-*\" udp "
		"dport { 53, 67, 547 } accept'; nft 'insert rule FAMILY TABLE "
		"CHAIN iifname \"vw-*\" tcp dport 53 accept'; or firewall = "
		"fix in networks/NAME.ini" },
};

/* ---- one rule ---- */

static bool is_of(const json_t *rule, const json_t *chain)
{
	return str_eq(member_text(rule, "family"),
		       member_text(chain, "family")) &&
	       str_eq(member_text(rule, "table"), member_text(chain, "table"));
}

static bool has(const json_t *rule, const char *statement)
{
	const json_t *part;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, part)
	{
		if (json_object_get(part, statement))
			return true;
	}
	return false;
}

/* It ends whatever comes to it. */
static bool ends_all(const json_t *rule)
{
	return (has(rule, "drop") || has(rule, "reject")) &&
	       !has(rule, "match") && !has(rule, "xt");
}

static bool lets(const json_t *rule)
{
	return has(rule, "accept") || has(rule, "jump") || has(rule, "goto");
}

/* "vw-*" is each of ours; a set is any of its members. */
static bool is_name(const json_t *right, const char *bridge)
{
	const json_t *set = json_object_get(right, "set");
	const char *text = json_string_value(right);
	const json_t *item;
	size_t i, len;

	json_array_foreach(set, i, item)
	{
		if (is_name(item, bridge))
			return true;
	}
	if (!text)
		return false;
	len = strlen(text);
	return str_eq(text, bridge) ||
	       (len > 0 && text[len - 1] == '*' &&
		       strncmp(text, bridge, len - 1) == 0);
}

/* What a match is on: "iifname", "oifname", "state"; "": something else. */
static const char *key_of(const json_t *match)
{
	const json_t *left = json_object_get(match, "left");
	const json_t *meta = json_object_get(left, "meta");

	return member_text(meta ? meta : json_object_get(left, "ct"), "key");
}

/* It is about the device, and lets it through. */
static bool lets_by(const json_t *rule, const char *key, const char *bridge)
{
	const json_t *part;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, part)
	{
		const json_t *match = json_object_get(part, "match");

		if (match && str_eq(member_text(match, "op"), "==") &&
			str_eq(key_of(match), key) &&
			is_name(json_object_get(match, "right"), bridge))
			return lets(rule);
	}
	return false;
}

/* Answers pass, whichever device they are for. */
static bool lets_answers(const json_t *rule)
{
	bool state = false;
	const json_t *part;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, part)
	{
		const json_t *match = json_object_get(part, "match");
		const char *key = key_of(match);

		state |=
			str_eq(key, "state") ||
			str_eq(member_text(json_object_get(part, "xt"), "name"),
				"conntrack");
		if (str_eq(key, "iifname") || str_eq(key, "oifname"))
			return false;
	}
	return state && lets(rule);
}

/* ---- one chain ---- */

/* Rules of the ruleset, each in `rule`; chains likewise. */
#define each_of(all, kind, i, item, object) \
	json_array_foreach(                 \
		all, i, item) if (((object) = json_object_get(item, kind)))

static bool drops(const json_t *all, const json_t *chain)
{
	const json_t *item, *rule;
	size_t i;

	if (str_eq(member_text(chain, "policy"), "drop"))
		return true;
	each_of(all, "rule", i, item, rule)
	{
		if (is_of(rule, chain) &&
			str_eq(member_text(rule, "chain"),
				member_text(chain, "name")) &&
			ends_all(rule))
			return true;
	}
	return false;
}

static bool passes(const json_t *all, const json_t *chain, const char *bridge)
{
	bool in = false, out = str_eq(member_text(chain, "hook"), "input");
	const json_t *item, *rule;
	size_t i;

	each_of(all, "rule", i, item, rule)
	{
		if (!is_of(rule, chain))
			continue;
		in |= lets_by(rule, "iifname", bridge);
		out |= lets_by(rule, "oifname", bridge) || lets_answers(rule);
	}
	return in && out;
}

/* The first bridge that is not let through; NULL: each is. */
static const char *stopped(
	const json_t *all, const json_t *chain, const json_t *bridges)
{
	const json_t *item;
	size_t i;

	if (json_array_size(bridges) == 0)
		return passes(all, chain, ANY_BRIDGE) ? NULL : ANY_BRIDGE;
	json_array_foreach(bridges, i, item)
	{
		if (!passes(all, chain, json_string_value(item)))
			return json_string_value(item);
	}
	return NULL;
}

/* A chain of the same table begins with the sign. */
static bool is_signed(const json_t *all, const json_t *chain, const char *sign)
{
	const json_t *item, *other;
	size_t i;

	each_of(all, "chain", i, item, other)
	{
		if (is_of(other, chain) &&
			str_starts(member_text(other, "name"), sign))
			return true;
	}
	return false;
}

static const struct firewall *firewall_of(
	const json_t *all, const json_t *chain)
{
	const struct firewall *f = firewalls;

	while (!str_eq(f->hook, member_text(chain, "hook")) ||
		(*f->table && !str_eq(f->table, member_text(chain, "table"))) ||
		!is_signed(all, chain, f->sign))
		f++;
	return f;
}

/* ---- what is said ---- */

static char *remedy_of(
	const struct firewall *f, const json_t *chain, const char *bridge)
{
	bool six = str_eq(member_text(chain, "family"), "ip6");
	const struct {
		const char *word, *text;
	} words[] = {
		{ "BRIDGE", bridge },
		{ "FAMILY", member_text(chain, "family") },
		{ "TABLE", member_text(chain, "table") },
		{ "CHAIN", member_text(chain, "name") },
		{ "iptables", six ? "ip6tables" : "iptables" },
	};
	AUTO_STR struct str out = STR_INIT;

	for (const char *at = f->remedy; *at;) {
		size_t k = 0;

		while (k < NELEMS(words) && !str_starts(at, words[k].word))
			k++;
		if (k == NELEMS(words)) {
			str_addc(&out, *at++);
		} else {
			str_add(&out, words[k].text);
			at += strlen(words[k].word);
		}
	}
	return str_take(&out);
}

static void say(json_t *checks, const json_t *all, const json_t *chain,
	const json_t *bridges)
{
	const char *hook = member_text(chain, "hook");
	const char *bridge = stopped(all, chain, bridges);
	const struct firewall *f = firewall_of(all, chain);
	AUTO_FREE char *found = xasprintf(
		"chain %s of table %s %s%s%s%s drops %s%s",
		member_text(chain, "name"), member_text(chain, "family"),
		member_text(chain, "table"), *f->who ? " (" : "", f->who,
		*f->who ? ")" : "",
		str_eq(hook, "input") ? "what guests ask the host: addresses, "
					"names"
				      : "what it does not know",
		bridge ? "" : "; but it lets them through");
	AUTO_FREE char *remedy = bridge ? remedy_of(f, chain, bridge) : NULL;

	json_array_append_new(
		checks, json_pack("{s:s,s:b,s:s,s:s?}", "check", hook, "ok",
				!bridge, "found", found, "remedy", remedy));
}

json_t *firewalls_look(const char *ruleset, const json_t *bridges)
{
	AUTO_JSON json_t *whole = json_loads(ruleset, 0, NULL);
	const json_t *all = json_object_get(whole, "nftables");
	json_t *checks = json_array();
	const json_t *item, *chain;
	size_t i;

	each_of(all, "chain", i, item, chain)
	{
		const char *hook = member_text(chain, "hook");

		if ((str_eq(hook, "forward") || str_eq(hook, "input")) &&
			!str_starts(member_text(chain, "table"), "vmward") &&
			drops(all, chain))
			say(checks, all, chain, bridges);
	}
	if (json_array_size(checks) == 0)
		json_array_append_new(checks,
			json_pack("{s:s,s:b,s:s,s:n}", "check", "forward", "ok",
				1, "found",
				"no rules of others drop what is forwarded",
				"remedy"));
	return checks;
}
