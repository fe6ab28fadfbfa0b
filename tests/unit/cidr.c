/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IP addresses with a prefix. */
#include "tests/unit/cidr.h"

#include "base/mem.h"
#include "tests/unit/tap.h"

static void test_text(const char *text, const char *network)
{
	struct cidr c = cidr_of(text);
	char got[CIDR_TEXT_SIZE];

	cidr_text(&c, got);
	is_str(got, text, "%s", text);
	cidr_network(&c, got);
	is_str(got, network, "its network");
}

static void test_bad(void)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "'' is no IP address" },
		{ "10.64.0.1",
			"'10.64.0.1' has no prefix: write 10.64.0.1/24" },
		{ "fd00::1", "'fd00::1' has no prefix: write fd00::1/64" },
		{ "10.64.0/24", "'10.64.0' is no IP address" },
		{ "10.64.0.300/24", "'10.64.0.300' is no IP address" },
		{ "10.9.9.0/33", "'10.9.9.0/33': the prefix is a number from 1 "
				 "to 32" },
		{ "10.9.9.0/0", "'10.9.9.0/0': the prefix is a number from 1 "
				"to 32" },
		{ "fd00::/129", "'fd00::/129': the prefix is a number from 1 "
				"to 128" },
		{ "10.0.0.1/", "'10.0.0.1/': the prefix is a number from 1 to "
			       "32" },
		{ "10.0.0.1/2 4", "'10.0.0.1/2 4': the prefix is a number from "
				  "1 to 32" },
		{ "abc/24", "'abc' is no IP address" },
	};

	for (size_t i = 0; i < NELEMS(bad); i++) {
		struct err err = ERR_INIT;
		struct cidr c;

		is_int(cidr_parse(bad[i].text, &c, &err), -1, "'%s' is refused",
			bad[i].text);
		is_str(err.text, bad[i].says, "and why");
	}
}

static void test_eui64(void)
{
	static const struct {
		const char *net, *mac, *want;
	} table[] = {
		{ "fd08::1/64", "52:54:00:AB:cd:ef",
			"fd08::5054:ff:feab:cdef" },
		{ "fe80::/64", "02:00:00:00:00:01", "fe80::ff:fe00:1" },
		{ "fd08::1/80", "52:54:00:ab:cd:ef", NULL },
		{ "10.8.0.1/24", "52:54:00:ab:cd:ef", NULL },
		{ "fd08::1/64", "52:54:00:ab:cd", NULL },
		{ "fd08::1/64", "52:54:00:ab:cd:eg", NULL },
	};

	for (size_t i = 0; i < NELEMS(table); i++) {
		struct cidr net = cidr_of(table[i].net);
		struct cidr got;
		char text[CIDR_TEXT_SIZE] = "";
		bool made = cidr_eui64(&net, table[i].mac, &got);

		if (made)
			cidr_text(&got, text);
		AUTO_FREE char *want =
			table[i].want ? xasprintf("%s/128", table[i].want)
				      : xstrdup("");
		is_str(text, want, "of %s in %s", table[i].mac, table[i].net);
	}
}

static void test_overlaps(const char *one, const char *other, bool want)
{
	struct cidr a = cidr_of(one);
	struct cidr b = cidr_of(other);

	ok(cidr_overlaps(&a, &b) == want && cidr_overlaps(&b, &a) == want,
		"%s and %s %s", one, other,
		want ? "overlap" : "do not overlap");
}

static void test_nth(const char *net, uint32_t n, const char *want)
{
	struct cidr c = cidr_of(net);
	char got[CIDR_TEXT_SIZE] = "none";
	struct cidr out;

	if (cidr_nth(&c, n, &out))
		cidr_text(&out, got);
	is_str(got, want, "number %u of %s", n, net);
}

static void test_pick(void)
{
	struct cidr taken[] = { cidr_of("10.64.0.0/24"),
		cidr_of("10.64.1.128/25"), cidr_of("192.168.0.0/16") };
	struct cidr all[] = { cidr_of("10.0.0.0/8"), cidr_of("172.16.0.0/12"),
		cidr_of("192.168.0.0/16") };
	struct cidr out;
	char got[CIDR_TEXT_SIZE];

	ok(cidr_pick(NULL, 0, &out), "nothing is taken");
	cidr_text(&out, got);
	is_str(got, "10.64.0.1/24", "the first");
	ok(cidr_pick(taken, NELEMS(taken), &out), "some are taken");
	cidr_text(&out, got);
	is_str(got, "10.64.2.1/24", "the next free one");
	ok(cidr_pick(all, 2, &out), "10/8 and 172.16/12 are taken");
	cidr_text(&out, got);
	is_str(got, "192.168.0.1/24", "of 192.168.0.0/16");
	ok(!cidr_pick(all, NELEMS(all), &out), "all are taken");
}

static void test_edges(void)
{
	struct cidr net = cidr_of("10.64.0.1/24");
	struct cidr first = cidr_of("10.64.0.0");
	struct cidr last = cidr_of("10.64.0.255");
	struct cidr host = cidr_of("10.64.0.7");
	struct cidr other = cidr_of("10.64.1.7");

	ok(cidr_is_edge(&net, &first), "the network's own address");
	ok(cidr_is_edge(&net, &last), "its broadcast address");
	ok(!cidr_is_edge(&net, &host), "a host's");
	ok(cidr_holds(&net, &host), "which it holds");
	ok(!cidr_holds(&net, &other), "but not another's");
	ok(cidr_compare(&first, &host) < 0, "they stand in order");
	ok(!cidr_same_address(&host, &other), "they differ");
}

int main(void)
{
	test_text("10.64.0.1/24", "10.64.0.0/24");
	test_text("10.64.3.255/22", "10.64.0.0/22");
	test_text("fd00::1/64", "fd00::/64");
	test_text("192.0.2.1/32", "192.0.2.1/32");
	test_bad();
	test_eui64();
	test_overlaps("10.64.0.0/24", "10.64.0.128/25", true);
	test_overlaps("10.64.0.0/24", "10.64.1.0/24", false);
	test_overlaps("10.0.0.0/8", "10.64.1.0/24", true);
	test_overlaps("10.0.0.0/8", "fd00::/8", false);
	test_nth("10.64.0.1/24", 10, "10.64.0.10/24");
	test_nth("10.64.0.1/24", 255, "10.64.0.255/24");
	test_nth("10.64.0.1/24", 256, "none");
	test_nth("fd00::1/64", 65536, "fd00::1:0/64");
	test_nth("10.64.0.1/32", 1, "none");
	test_pick();
	test_edges();
	return done();
}
