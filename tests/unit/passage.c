/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A way through the rules of others: what is added, and taken away again. */
#include "net/passage.h"

#include "base/jstream.h"
#include "base/mem.h"
#include "tests/unit/tap.h"

#define TAG      "vmward-1a2b3c4d"
#define DROPS    "\t\ttype filter hook forward priority filter; policy drop;"
#define RULE_IN  "\t\tiifname \"vw-lan\" accept comment \"" TAG "\" # handle 7"
#define RULE_OUT "\t\toifname \"vw-lan\" accept comment \"" TAG "\" # handle 8"
#define FORWARD  "table ip filter { # handle 1", "\tchain FORWARD { # handle 1"
#define INSERT(chain, key)                                                    \
	"{\"insert\":{\"rule\":{\"family\":\"ip\",\"table\":\"filter\","      \
	"\"chain\":\"" chain "\",\"comment\":\"" TAG                          \
	"\",\"expr\":[{\"match\":"                                            \
	"{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"" key "\"}},\"right\":" \
	"\"vw-lan\"}},{\"accept\":null}]}}}"
#define ASK(protocol, ports)                                                  \
	"{\"insert\":{\"rule\":{\"family\":\"ip\",\"table\":\"filter\","      \
	"\"chain\":\"INPUT\",\"comment\":\"" TAG "\",\"expr\":[{\"match\":"   \
	"{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"iifname\"}},\"right\":" \
	"\"vw-lan\"}},{\"match\":{\"op\":\"==\",\"left\":{\"payload\":"       \
	"{\"protocol\":\"" protocol "\",\"field\":\"dport\"}},\"right\":"     \
	"{\"set\":[" ports "]}}},{\"accept\":null}]}}}"
#define DELETE_OF(chain, handle)                                         \
	"{\"delete\":{\"rule\":{\"family\":\"ip\",\"table\":\"filter\"," \
	"\"chain\":\"" chain "\",\"handle\":" handle "}}}"
#define DELETE(handle) DELETE_OF("FORWARD", handle)
#define BATCH(rules)   "{\"nftables\":[" rules "]}"

/* The batch for a listing as text, or "" for none. */
static char *batch_of(const char *const *lines, const char *bridge)
{
	AUTO_JSON json_t *bridges = json_array();
	struct passage passage;
	char *text;

	if (bridge)
		json_array_append_new(bridges, json_string(bridge));
	passage_init(&passage, TAG);
	for (; *lines; lines++)
		passage_line(&passage, *lines);
	AUTO_JSON json_t *batch = passage_batch(&passage, bridges);
	text = batch ? json_dumps(batch, JSON_COMPACT) : xstrdup("");
	passage_fini(&passage);
	return text;
}

static void check(const char *const *lines, const char *bridge,
	const char *want, const char *what)
{
	AUTO_FREE char *got = batch_of(lines, bridge);

	is_str(got, want, "%s", what);
}

int main(void)
{
	const char *docker[] = { FORWARD, DROPS, "\tchain DOCKER-USER {",
		NULL };
	const char *plain[] = { FORWARD, DROPS, NULL };
	const char *accepts[] = { "table ip filter {", "\tchain DOCKER-USER {",
		"\tchain FORWARD {",
		"\t\ttype filter hook forward priority filter; policy accept;",
		NULL };
	const char *there[] = { FORWARD, DROPS, RULE_IN, RULE_OUT, NULL };
	const char *half[] = { FORWARD, DROPS, RULE_IN, NULL };
	const char *stranger[] = { FORWARD, DROPS,
		"\t\tiifname \"vw-lan\" accept comment \"vmward\" # handle 3",
		NULL };
	const char *frames[] = { "table bridge filter {", "\tchain forward {",
		DROPS, NULL };
	const char *input[] = { "table ip filter {", "\tchain INPUT {",
		"\t\ttype filter hook input priority filter; policy drop;",
		NULL };
	const char *asks[] = { input[0], input[1], input[2],
		"\t\tiifname \"vw-lan\" tcp dport 53 accept comment \"" TAG
		"\" # handle 4",
		"\t\tiifname \"vw-lan\" udp dport { 53, 67, 547 } accept "
		"comment \"" TAG "\" # handle 5",
		NULL };
	const char *junk[] = { "", "}", "table", "\tchain",
		"\t\tcomment \"" TAG "\"", "# Warning: a table is managed",
		NULL };

	check(plain, "vw-lan",
		BATCH(INSERT("FORWARD", "iifname") "," INSERT(
			"FORWARD", "oifname")),
		"both ways through a chain that drops");
	check(docker, "vw-lan",
		BATCH(INSERT("FORWARD", "iifname") "," INSERT(
			"FORWARD", "oifname") "," INSERT("DOCKER-USER",
			"iifname") "," INSERT("DOCKER-USER", "oifname")),
		"and through the one that Docker leaves alone");
	check(accepts, "vw-lan", "", "one that accepts needs nothing");
	check(there, "vw-lan", "", "what is there is not made twice");
	check(half, "vw-lan",
		BATCH(DELETE("7") "," INSERT("FORWARD", "iifname") "," INSERT(
			"FORWARD", "oifname")),
		"half of it is made anew");
	check(there, NULL, BATCH(DELETE("7") "," DELETE("8")),
		"without a network both go");
	check(stranger, NULL, "", "rules of another tag stay");
	check(frames, "vw-lan", "", "chains of bridges are left alone");
	check(input, "vw-lan",
		BATCH(ASK("udp", "53,67,547") "," ASK("tcp", "53")),
		"what asks for addresses and names comes in");
	check(asks, "vw-lan", "", "that is not made twice");
	check(asks, NULL,
		BATCH(DELETE_OF("INPUT", "4") "," DELETE_OF("INPUT", "5")),
		"and goes");
	check(junk, "vw-lan", "", "a listing of nothing");
	return done();
}
