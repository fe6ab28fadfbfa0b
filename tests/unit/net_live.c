/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is up, through its file and back, and the rules that it means. */
#include "supervisor/net_live.h"

#include "base/jstream.h"
#include "supervisor/forward.h"
#include "supervisor/net_rules.h"
#include "supervisor/network.h"
#include "tests/unit/confdir.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static void fill(struct net_state *state)
{
	struct err err = ERR_INIT;
	struct net_live *net =
		net_live_new(state, network_find(&conf, "default", &err));
	struct net_port *port = net_port_new(net, "web", "lan");

	if (cidr_parse("10.64.0.1/24", &net->addresses[0], &err) ||
		cidr_parse_address("10.64.0.7", &port->address, &err))
		ok(false, "%s", err.text);
	if (cidr_parse("fd64::1/64", &net->addresses[1], &err))
		ok(false, "%s", err.text);
	net->naddresses = 2;
	net->wanted = true;
	snprintf(port->tap, sizeof(port->tap), "vw0123456789");
	snprintf(port->mac, sizeof(port->mac), "52:54:00:00:00:01");
	port->check = RULESET_IP;
	free(port->forward);
	port->forward = xstrdup("tcp:8080:80, udp:192.0.2.1:5000-5010:5000");
	port = net_port_new(
		net_live_new_joined(state, "br0", "br0"), "web", "wan");
	snprintf(port->tap, sizeof(port->tap), "vw9876543210");
	snprintf(port->mac, sizeof(port->mac), "52:54:00:00:00:02");
	port->check = RULESET_MAC;
}

static char *rules_of(const struct net_state *state)
{
	AUTO_JSON json_t *batch = net_rules_batch(state, false);

	return json_dumps(batch, JSON_COMPACT);
}

static void test_file(void)
{
	struct net_state state;
	struct net_state again;
	struct err err = ERR_INIT;

	net_state_init(&state, &conf);
	net_state_init(&again, &conf);
	fill(&state);
	is_int(net_state_save(&state, &err), 0, "saved %s", err.text);
	net_state_load(&again);
	is_int(list_count(&again.nets), 2, "loaded");
	ok(net_port_find(&again, "web", "wan") != NULL, "with its ports");
	ok(net_state_find(&again, "default")->wanted, "and who wants it");
	AUTO_FREE char *one = rules_of(&state);
	AUTO_FREE char *two = rules_of(&again);
	is_str(two, one, "it means the same rules");
	ok(strstr(one, "\"addr\":\"10.64.0.7\",\"port\":80"),
		"a forward leads to the guest");
	ok(strstr(one, "\"range\":[5000,5010]"), "a range is one rule");
	ok(strstr(one, "\"addr\":\"fd64::5054:ff:fe00:1\",\"port\":80"),
		"by IPv6 to the address that it makes for itself");
	ok(!strstr(one, "fd64::5054:ff:fe00:1\",\"port\":5000"),
		"but not from an IPv4 address of the host");
	ok(strstr(one, state.table) && !str_eq(state.table, "vmward"),
		"tables of a private supervisor are its own");
	net_state_fini(&again);
	net_state_fini(&state);
	net_state_init(&state, &conf);
	is_int(net_state_save(&state, &err), 0, "nothing is up: no file");
	net_state_init(&again, &conf);
	net_state_load(&again);
	ok(list_is_empty(&again.nets), "nothing is loaded");
}

static void test_forwards(void)
{
	static const char *const texts[] = { "tcp:8080:80",
		"udp:5000-5010:5000", "tcp:127.0.0.1:2222:22",
		"tcp:[::1]:8443:443", "tcp:80:80, udp:53:53" };

	for (size_t i = 0; i < NELEMS(texts); i++) {
		struct spec_forwards list = { 0 };
		struct err err = ERR_INIT;
		AUTO_STR struct str text = STR_INIT;

		if (!forward_parse(texts[i], &list, &err))
			forward_add_text(&text, &list);
		is_str(str_text(&text), texts[i], "forward %s", texts[i]);
		forward_release(&list);
	}
}

int main(void)
{
	conf_start(PATHS_SYSTEM);
	test_file();
	test_forwards();
	networks_drop();
	conf_end();
	return done();
}
