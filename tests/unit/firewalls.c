/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of others: who stands in the way, and what he is told. */
#include "supervisor/firewalls.h"

#include <string.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "tests/unit/tap.h"

#define RULES(all) "{\"nftables\":[" all "]}"
#define CHAIN(family, table, name, hook, policy)                              \
	"{\"chain\":{\"family\":\"" family "\",\"table\":\"" table            \
	"\",\"name\":\"" name "\",\"hook\":\"" hook "\",\"policy\":\"" policy \
	"\"}}"
#define RULE(table, chain, parts)                         \
	"{\"rule\":{\"family\":\"ip\",\"table\":\"" table \
	"\",\"chain\":\"" chain "\",\"expr\":[" parts "]}}"
#define BY(op, key, right)                                                 \
	"{\"match\":{\"op\":\"" op "\",\"left\":{\"meta\":{\"key\":\"" key \
	"\"}},\"right\":" right "}}"
#define ACCEPT "{\"accept\":null}"
#define DROPS  CHAIN("ip", "filter", "FORWARD", "forward", "drop")
#define INPUT  CHAIN("ip", "filter", "INPUT", "input", "drop")
#define LETS(key, right) \
	RULE("filter", "FORWARD", BY("==", key, right) "," ACCEPT)
#define OUT LETS("oifname", "\"vw-*\"")

/* The first check: "NAME well" or "NAME: remedy". */
static char *told(const char *rules, const char *bridge)
{
	AUTO_JSON json_t *bridges = json_array();

	if (bridge)
		json_array_append_new(bridges, json_string(bridge));
	AUTO_JSON json_t *checks = firewalls_look(rules, bridges);
	const json_t *first = json_array_get(checks, 0);

	return json_is_true(json_object_get(first, "ok"))
		       ? xasprintf("%s well", member_text(first, "check"))
		       : xasprintf("%s: %s", member_text(first, "check"),
				 member_text(first, "remedy"));
}

static const struct {
	const char *what, *rules, *bridge;
	bool well;
} cases[] = {
	{ "no rules", RULES(""), "vw-a", true },
	{ "no JSON", "table", "vw-a", true },
	{ "a policy of accept",
		RULES(CHAIN("ip", "filter", "FORWARD", "forward", "accept")),
		"vw-a", true },
	{ "a policy of drop", RULES(DROPS), "vw-a", false },
	{ "with no bridge as well", RULES(DROPS), NULL, false },
	{ "one of ours is none",
		RULES(CHAIN("inet", "vmward", "vm-forward", "forward", "drop")),
		"vw-a", true },
	{ "output is no matter",
		RULES(CHAIN("ip", "filter", "OUTPUT", "output", "drop")),
		"vw-a", true },
	{ "only one way", RULES(DROPS "," LETS("iifname", "\"vw-a\"")), "vw-a",
		false },
	{ "both ways", RULES(DROPS "," LETS("iifname", "\"vw-a\"") "," OUT),
		"vw-a", true },
	{ "another bridge",
		RULES(DROPS "," LETS("iifname", "\"vw-ab\"") "," OUT), "vw-a",
		false },
	{ "all bridges", RULES(DROPS "," LETS("iifname", "\"vw-*\"") "," OUT),
		"vw-a", true },
	{ "one of a set",
		RULES(DROPS "," LETS(
			"iifname", "{\"set\":[\"br0\",\"vw-a\"]}") "," OUT),
		"vw-a", true },
	{ "all but this one",
		RULES(DROPS "," RULE("filter", "FORWARD",
			BY("!=", "iifname", "\"vw-a\"") "," ACCEPT) "," OUT),
		"vw-a", false },
	{ "a last rule that rejects",
		RULES(CHAIN("ip", "f", "fwd", "forward", "accept") "," RULE(
			"f", "fwd", "{\"reject\":null}")),
		"vw-a", false },
	{ "one that rejects some",
		RULES(CHAIN("ip", "f", "fwd", "forward", "accept") "," RULE("f",
			"fwd",
			BY("==", "iifname", "\"eth0\"") ",{\"drop\":null}")),
		"vw-a", true },
	{ "in a table of another family",
		RULES(CHAIN("ip6", "filter", "FORWARD", "forward",
			"drop") "," LETS("iifname", "\"vw-a\"") "," OUT),
		"vw-a", false },
	{ "what comes in", RULES(INPUT), "vw-a", false },
	{ "what comes in, let", RULES(INPUT "," LETS("iifname", "\"vw-a\"")),
		"vw-a", true },
};

int main(void)
{
	for (size_t i = 0; i < NELEMS(cases); i++) {
		AUTO_FREE char *text = told(cases[i].rules, cases[i].bridge);
		size_t len = strlen(text);
		bool well = len > 5 && str_eq(text + len - 5, " well");

		ok(well == cases[i].well, "%s: %s", cases[i].what, text);
	}
	AUTO_FREE char *six =
		told(RULES(CHAIN("ip6", "filter", "INPUT", "input", "drop")),
			"vw-a");
	ok(strstr(six, "input: ip6tables -I INPUT") == six, "of ip6tables: %s",
		six);
	AUTO_FREE char *named = told(
		RULES(CHAIN("inet", "mine", "in", "input", "drop")), "vw-a");
	ok(strstr(named, "nft 'insert rule inet mine in iifname") != NULL,
		"names of its own: %s", named);
	return done();
}
