/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bridges, taps and addresses, in a network namespace of our own. */
#include "net/link.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/carry.h"
#include "net/tap.h"
#include "tests/unit/tap.h"

static struct netlink nl = NETLINK_INIT;

static struct link_info look(const char *name)
{
	struct link_info link;

	if (link_find(&nl, name, &link) < 0)
		abort();
	return link;
}

/* ---- a bridge ---- */

static void test_bridge(void)
{
	struct link_change up = LINK_CHANGE_INIT;
	struct link_info br;

	is_int(look("br0").index, 0, "there is no bridge");
	is_int(link_add_bridge(&nl, "br0", "vmward:lan"), 0, "it is made");
	ok(link_add_bridge(&nl, "br0", "x") == -1 && errno == EEXIST,
		"a second time is refused");
	br = look("br0");
	ok(br.index > 0 && !br.up, "it is there, and down");
	is_str(br.kind, "bridge", "its kind");
	is_str(br.alias, "vmward:lan", "its alias");
	up.up = 1;
	up.mtu = 1400;
	is_int(link_set(&nl, br.index, &up), 0, "up, with an mtu");
	br = look("br0");
	ok(br.up && br.mtu == 1400, "so it is");
	is_int(link_add_bridge(&nl, "br1", "vmward:b"), 0, "another one");
	is_int(link_delete(&nl, look("br1").index), 0, "is deleted");
	is_int(look("br1").index, 0, "and gone");
	is_int(link_delete(&nl, 4711), 0, "what is gone may be deleted");
}

/* ---- what the host has on a device ---- */

static unsigned held(const char *name)
{
	unsigned n = 99;

	if (carry_count(&nl, look(name).index, &n))
		abort();
	return n;
}

static unsigned add_up(const char *name)
{
	struct link_change up = LINK_CHANGE_INIT;

	up.up = 1;
	if (link_add_bridge(&nl, name, "x") ||
		link_set(&nl, look(name).index, &up))
		abort();
	return look(name).index;
}

static void test_carry(void)
{
	unsigned one = add_up("one");
	unsigned two = add_up("two");
	unsigned taken = 0;
	struct str text = STR_INIT;
	struct str bad = STR_INIT;
	struct err err = ERR_INIT;
	struct cidr c;

	if (cidr_parse("10.77.0.1/24", &c, &err) ||
		link_add_address(&nl, one, &c) ||
		cidr_parse("fd77::1/64", &c, &err) ||
		link_add_address(&nl, one, &c))
		abort();
	is_int(held("one"), 2, "two addresses on a device");
	is_int(carry_save(&nl, one, &text), 0, "they are kept");
	is_int(carry_over(&nl, one, two), 0, "and carried over");
	ok(held("one") == 0 && held("two") == 2, "to another");
	is_int(carry_over(&nl, one, two), 0, "again: nothing is left to do");
	is_int(link_delete(&nl, two), 0, "which is deleted");
	two = add_up("two");
	is_int(held("two"), 0, "with what was on it");
	is_int(carry_restore(&nl, &text, two), 0, "what was kept is given");
	is_int(held("two"), 2, "to a new one");
	is_int(carry_restore(&nl, &text, two), 0, "twice is harmless");
	for (size_t len = 0; len < text.len; len++) {
		str_fini(&bad);
		bad = (struct str)STR_INIT;
		str_addn(&bad, str_text(&text), len);
		taken += carry_restore(&nl, &bad, two) == 0;
	}
	is_int(taken, 2, "cut off it is refused, but between messages");
	str_fini(&bad);
	bad = (struct str)STR_INIT;
	str_add(&bad, "this was never written by us, not at all");
	ok(carry_restore(&nl, &bad, two) == -1 && errno == EINVAL,
		"what is none of ours is refused");
	str_fini(&bad);
	str_fini(&text);
	if (link_delete(&nl, one) || link_delete(&nl, two))
		abort();
}

/* ---- addresses ---- */

struct wanted {
	const char *text;
	unsigned index;
	unsigned found;
};

static void on_address(void *arg, unsigned index, const struct cidr *address)
{
	struct wanted *w = arg;
	char text[CIDR_TEXT_SIZE];

	cidr_text(address, text);
	w->found += index == w->index && str_eq(text, w->text);
}

static void on_route(void *arg, const struct link_route *route)
{
	struct wanted *w = arg;
	char text[CIDR_TEXT_SIZE];

	cidr_network(&route->to, text);
	w->found += route->index == w->index && !route->is_default &&
		    str_eq(text, w->text);
}

static void test_addresses(void)
{
	static const char *const texts[] = { "10.99.0.1/24", "fd99::1/64" };
	struct wanted route = { "10.99.0.0/24", look("br0").index, 0 };

	for (size_t i = 0; i < NELEMS(texts); i++) {
		struct wanted w = { texts[i], look("br0").index, 0 };
		struct err err = ERR_INIT;
		struct cidr c;

		is_int(cidr_parse(texts[i], &c, &err), 0, "%s", texts[i]);
		is_int(link_add_address(&nl, w.index, &c), 0, "is added");
		is_int(link_add_address(&nl, w.index, &c), 0, "and again");
		is_int(link_each_address(&nl, on_address, &w), 0, "listed");
		is_int(w.found, 1, "once");
		ok(link_add_address(&nl, 4711, &c) < 0 && errno == ENODEV,
			"not to a device that is not there");
	}
	is_int(link_each_route(&nl, on_route, &route), 0, "routes are listed");
	is_int(route.found, 1, "the network's own among them");
}

/* ---- taps ---- */

static void count(void *arg, const struct link_info *link)
{
	*(unsigned *)arg += str_eq(link->kind, "tun");
}

static void test_taps(void)
{
	struct link_change join = LINK_CHANGE_INIT;
	unsigned char mac[6] = { 0xfe, 0x54, 0, 0, 0, 1 };
	struct err err = ERR_INIT;
	char name[TAP_NAME_SIZE];
	int fds[4];
	int again;
	unsigned n = 0;

	tap_name("web", "lan", name);
	ok(strlen(name) == 12 && str_starts(name, "vw"), "a name: %s", name);
	ok(tap_possible(&err), "taps are possible %s", err.text);
	is_int(tap_open(name, 4, fds, &err), 0, "four queues %s", err.text);
	is_str(look(name).kind, "tun", "a tap is there");
	is_int(tap_open(name, 1, &again, &err), -1, "a second user");
	ok(strstr(err.text, name), "is refused: %s", err.text);
	err = (struct err)ERR_INIT;
	is_int(tap_open_macvtap("mv", 4294967295U, 1, &again, &err), -1,
		"a macvtap whose node nobody made");
	ok(strstr(err.text, "there is no '/dev/tap4294967295'") &&
			err.code == ERR_UNSUPPORTED,
		"says what is missing: %s", err.text);
	join.up = 1;
	join.master = (int)look("br0").index;
	join.mac = mac;
	is_int(link_set(&nl, look(name).index, &join), 0, "it joins");
	is_int(look(name).master, look("br0").index, "the bridge");
	ok(memcmp(look(name).mac, mac, 6) == 0, "with a MAC address");
	ok(look("br0").carrier, "which has a carrier now");
	is_int(link_set_port(&nl, look(name).index, true, true), 0, "isolated");
	is_int(link_each(&nl, count, &n), 0, "all devices are listed");
	is_int(n, 1, "one tap among them");
	tap_close(fds, 4);
	is_int(look(name).index, 0, "closed: it is gone");
}

static void test_names(void)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "a b", "a:b",
		"sixteen-bytes-xx" };

	for (size_t i = 0; i < NELEMS(bad); i++)
		ok(!link_name_ok(bad[i]), "no name: '%s'", bad[i]);
	ok(link_name_ok("fifteen-bytes-x"), "15 bytes are one");
}

int main(void)
{
	struct err err = ERR_INIT;

	test_names();
	if (unshare(CLONE_NEWNET) < 0 &&
		unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		printf("# no network namespace: %s\n", strerror(errno));
		return done();
	}
	is_int(netlink_open(&nl, &err), 0, "netlink %s", err.text);
	test_bridge();
	test_carry();
	test_addresses();
	test_taps();
	netlink_close(&nl);
	netlink_close(&nl);
	return done();
}
