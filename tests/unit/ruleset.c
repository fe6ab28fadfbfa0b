/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of networks as a batch for nft: its golden text. */
#include "net/ruleset.h"

#include <stdlib.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/unit/tap.h"

#include "tests/unit/cidr.h"
#include "tests/unit/golden.h"

/* One command a line: what a person can read in a difference. */
static char *lines(const struct ruleset *rules)
{
	AUTO_JSON json_t *batch = ruleset_batch(rules);
	json_t *list = json_object_get(batch, "nftables");
	struct str out = STR_INIT;
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		AUTO_FREE char *text = json_dumps(item, JSON_COMPACT);
		str_addf(&out, "%s\n", text);
	}
	return str_take(&out);
}

static void check(const char *name, const struct ruleset *rules)
{
	AUTO_FREE char *path = xasprintf("tests/golden/rules/%s.txt", name);
	AUTO_FREE char *got = lines(rules);

	golden(path, got);
}

int main(void)
{
	struct cidr addresses[] = { cidr_of("10.64.0.1/24"),
		cidr_of("fd00::1/64") };
	struct cidr web = cidr_of("10.64.0.10");
	struct cidr of_web[] = { web, cidr_of("fd00::5054:ff:fe00:1") };
	struct ruleset_net nets[] = {
		{ "vwbr-default", RULESET_NAT, addresses, 2 },
		{ "vwbr-dmz", RULESET_ROUTED, NULL, 0 },
		{ "vwbr-lab", RULESET_ISOLATED, NULL, 0 },
		{ "br0", RULESET_BRIDGE, NULL, 0 },
	};
	struct ruleset_port ports[] = {
		{ "vw0123456789", "52:54:00:00:00:01", RULESET_IP, of_web, 2, 0,
			0, true },
		{ "vw1123456789", "52:54:00:00:00:02", RULESET_MAC, NULL, 0, 0,
			0, false },
		{ "vw2123456789", "52:54:00:00:00:03", RULESET_ANY, NULL, 0,
			12500000, 65536, false },
	};
	struct ruleset_forward forwards[] = {
		{ &nets[0], false, "", 8080, 8080, 80, web },
		{ &nets[0], false, "192.0.2.1", 2222, 2222, 22, web },
		{ &nets[0], true, "", 5000, 5010, 5000, web },
		{ &nets[0], false, "", 9000, 9001, 80, web },
	};
	struct ruleset none = { NULL, 0, NULL, 0, NULL, 0, NULL, false };
	struct ruleset all = { nets, NELEMS(nets), ports, NELEMS(ports),
		forwards, NELEMS(forwards), NULL, false };
	struct ruleset joined = { &nets[3], 1, &ports[1], 1, NULL, 0, NULL,
		false };
	struct ruleset first = { &nets[3], 1, NULL, 0, NULL, 0, NULL, true };

	check("none", &none);
	check("all", &all);
	check("joined", &joined);
	check("first", &first);
	return done();
}
