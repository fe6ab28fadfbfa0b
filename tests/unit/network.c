/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks: files and their mistakes, what stays, what DHCP may give. */
#include "supervisor/network.h"

#include "base/log.h"
#include "tests/unit/confdir.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static const struct network *find(const char *name)
{
	struct err err = ERR_INIT;

	return network_find(&conf, name, &err);
}

static void test_default(void)
{
	const struct network *n;
	struct err err = ERR_INIT;

	networks_drop();
	n = find("");
	ok(n && str_eq(n->name, "default"), "default needs no file");
	is_int(n->network.mode, NETWORK_NAT, "it is NAT");
	is_str(n->bridge, "vw-default", "its bridge");
	is_int((long)n->network.address.n, 0, "its address is picked");
	ok(n->network.dns && !n->network.dhcp.off, "DNS and DHCP");
	ok(!find("nope"), "no other is there");
	network_find(&conf, "defalt", &err);
	is_str(err.text, "no network 'defalt' (did you mean 'default'?)",
		"the nearest name");
	is_int(err.code, ERR_NOT_FOUND, "not found");
	ok(!networks_follow(&conf), "read again: nothing changes");
}

static void test_file(void)
{
	const struct network *n;
	AUTO_STR struct str shown = STR_INIT;
	char text[CIDR_TEXT_SIZE];
	const char *said =
		"[network]\nmode = isolated\nbridge = br9\n"
		"address = 10.9.0.1/24, fd09::1/64\n"
		"dhcp = 10.9.0.10-10.9.0.19\ndns = no\ndomain = lab\n"
		"mtu = 1400\nfirewall = fix\nautostart = yes\n\n"
		"[host.printer]\nmac = 52:54:00:00:00:01\nip = 10.9.0.9\n";

	conf_put("networks/lab.ini", said);
	ok(networks_follow(&conf), "a file changes something");
	n = find("lab");
	ok(n != NULL, "it is a network");
	is_int(n->network.mode, NETWORK_ISOLATED, "mode");
	is_str(n->bridge, "br9", "bridge");
	is_int((long)n->network.address.n, 2, "two addresses");
	cidr_text(&n->network.address.at[1], text);
	is_str(text, "fd09::1/64", "of both families");
	cidr_address(&n->network.dhcp.last, text);
	is_str(text, "10.9.0.19", "the end of the range");
	ok(!n->network.dns && n->network.autostart, "dns, autostart");
	is_str(n->network.domain, "lab", "domain");
	is_int((long)n->network.mtu, 1400, "mtu");
	is_int(n->network.firewall, NETWORK_FIX, "firewall");
	is_int(list_count(&n->hosts), 1, "one host");
	network_show(n, false, NULL, &shown);
	is_str(str_text(&shown), said, "show says the same");
	conf_put("networks/lab.ini.d/more.ini", "[network]\nmtu = 1300\n");
	ok(networks_follow(&conf), "a drop-in changes something");
	is_int((long)find("lab")->network.mtu, 1300, "it wins");
	conf_put("networks/lab.ini.d/more.ini", NULL);
}

static char *checked(void)
{
	struct findings f;
	char *found;

	findings_init(&f);
	networks_check(&conf, false, &f);
	found = conf_found(&f);
	findings_fini(&f);
	return found;
}

#define BAD "networks/bad.ini:2: [network] "
static const struct {
	const char *text;
	const char *found;
} mistakes[] = {
	{ "[network]\naddress = 10.1.0.1\n",
		BAD "address = 10.1.0.1: say the host's address and the "
		    "prefix, as 10.64.0.1/24" },
	{ "[network]\naddress = 10.1.0.1/33\n", BAD "address = 10.1.0.1/33: " },
	{ "[network]\naddress = 10.1.0.1/31\n",
		BAD "address = 10.1.0.1/31: a prefix from 8 to 30" },
	{ "[network]\naddress = fd00::1/80\n",
		BAD "address = fd00::1/80: guests make their IPv6" },
	{ "[network]\naddress = fd00::1/56\n",
		BAD "address = fd00::1/56: guests make their IPv6" },
	{ "[network]\naddress = 10.1.0.0/24\n",
		BAD "address = 10.1.0.0/24: is the network's own" },
	{ "[network]\naddress = 10.1.0.1/24, 10.1.0.2/16\n",
		BAD "address: 10.1.0.1/24 and 10.1.0.2/16 overlap" },
	{ "[network]\nbridge = a-very-long-name\n",
		BAD "bridge = a-very-long-name: has 16 bytes, the kernel takes "
		    "15" },
	{ "[network]\nbridge = a/b\n", BAD "bridge = a/b: say the name" },
	{ "[network]\nmode = bridge\n",
		BAD "mode: bridge needs bridge = NAME" },
	{ "[network]\nmtu = 100\n", BAD "mtu" },
	{ "[network]\nfirewall = mend\n", BAD "firewall = mend: " },
	{ "[network]\ndomain = -x\n", BAD "domain = -x: say a domain" },
	{ "[network]\ndomain = a\ndhcp = maybe\n",
		"networks/bad.ini:3: [network] dhcp = maybe: say FIRST-LAST" },
	{ "[network]\ndhcp = 10.1.0.9-10.1.0.3\n",
		BAD "dhcp = 10.1.0.9-10.1.0.3: the first address is behind" },
	{ "[network]\ndhcp = 10.1.0.3-10.1.0.9\n",
		BAD "dhcp: the range is not within one network of address" },
	{ "[network]\ndhcp = 10.1.0.1-10.1.0.9\naddress = 10.1.0.5/24\n",
		BAD "dhcp: the host's own address is in the range" },
	{ "[network]\ndhcp = 10.1.0.2-10.1.0.255\naddress = 10.1.0.1/24\n",
		BAD "dhcp: the network's own and its broadcast" },
	{ "[network]\nuplink = eth0\n",
		BAD "uplink: only mode = bridge has an uplink" },
	{ "[network]\nuplink = a-very-long-name\n",
		BAD "uplink = a-very-long-name: has 16 bytes, the kernel takes "
		    "15" },
	{ "[network]\nvlan = 20\n",
		BAD "vlan: is a VLAN of the uplink: say uplink = DEVICE" },
	{ "[network]\nvlan = 4095\n", BAD "vlan" },
	{ "[network]\nvlan-filtering = yes\nmode = bridge\nbridge = br0\n",
		BAD "vlan-filtering: means nothing for a bridge of somebody "
		    "else" },
	{ "[network]\nvlan-filtering = yes\nmode = bridge\nuplink = eth0\n"
	  "vlan = 20\n",
		BAD "vlan-filtering: vlan and vlan-filtering exclude" },
	{ "[network]\nbridge = eth0\nmode = bridge\nuplink = eth0\n",
		BAD "bridge: eth0 is the uplink" },
	{ "[network]\naddress = 10.1.0.1/24\nmode = bridge\nuplink = eth0\n",
		BAD "address: means nothing in mode = bridge: who is on the "
		    "wire" },
	{ "[network]\nmode = bridge\nuplink = enx001122334455\nvlan = 20\n",
		"networks/bad.ini:1: [network] its VLAN device would be "
		"enx001122334455.20, which has 18 bytes" },
	{ "[bond]\nmode = 802.3ad\n", "[bond] needs members" },
	{ "[bond]\nmembers = eth0, eth0\n",
		"networks/bad.ini:2: [bond] members = eth0 is in "
		"it twice" },
	{ "[bond]\nmembers = eth0, a-very-long-name\n",
		"networks/bad.ini:2: [bond] members = "
		"a-very-long-name: has 16 bytes" },
	{ "[bond]\nmembers = eth0, eth1\n",
		"networks/bad.ini:2: [bond] members: only mode = bridge" },
	{ "[bond]\nmode = fast\n", "networks/bad.ini:2: [bond] mode" },
	{ "[bond]\nmembers = eth0, eth1\n[network]\nmode = bridge\n"
	  "uplink = eth1\n",
		"networks/bad.ini:2: [bond] members: eth1 is the name of the "
		"bond itself" },
	{ "[bond]\nmembers = eth8, eth1\n[network]\nmode = bridge\n",
		"networks/bad.ini:2: [bond] members: eth8 is in use by network "
		"'any' already" },
	{ "[network]\nuplink = eth8\nmode = bridge\n",
		BAD "uplink: eth8 is in use by network 'any' already" },
	{ "[network]\nuplink = eth8\nmode = bridge\nvlan = 20\nbridge = a/b\n",
		"networks/bad.ini:5: [network] bridge = a/b: say the name of a "
		"device, as br0\n" },
	{ "[network]\naddress = 10.64.7.1/16\n",
		BAD "address: 10.64.7.1/16 overlaps 10.64.9.1/24 of network "
		    "'a'" },
	{ "[network]\nbridge = bra\n",
		BAD "bridge: bra is the bridge of network 'a' already" },
	{ "[host.p]\nip = 10.1.0.3\n",
		"networks/bad.ini:1: [host.p] needs mac" },
	{ "[host.p]\nmac = 52:54:00:00:00:01\nip = 10.1.0.3\n",
		"networks/bad.ini:3: [host.p] ip: needs [network] address" },
	{ "[host.p]\nmac = 52:54:00:00:00:01\nip = 10.1.0.1\n"
	  "[network]\naddress = 10.1.0.1/24\n",
		"networks/bad.ini:3: [host.p] ip: is the host's own" },
	{ "[host.p]\nmac = 52:54:00:00:00:01\nip = 10.2.0.1\n"
	  "[network]\naddress = 10.1.0.1/24\n",
		"networks/bad.ini:3: [host.p] ip: is not within address" },
	{ "[network]\naddress = 10.1.0.1/24\n"
	  "[host.p]\nmac = 52:54:00:00:00:01\nip = 10.1.0.3\n"
	  "[host.q]\nmac = 52:54:00:00:00:01\nip = 10.1.0.4\n",
		"networks/bad.ini:7: [host.q] mac: 52:54:00:00:00:01 is also "
		"that of [host.p]" },
	{ "[bond]\nmode = active-backup\n", "networks/bad.ini:1: [bond]" },
	{ "[network]\nmode = bridge\nbridge = br0\ndhcp = yes\n",
		"networks/bad.ini:4: [network] dhcp: means nothing in mode = "
		"bridge" },
};

static void is_example(const char *path)
{
	struct findings f;
	struct network *n;
	AUTO_FREE char *found = NULL;

	findings_init(&f);
	n = network_read_file(&conf, path, &f);
	found = conf_found(&f);
	ok(n != NULL, "%s has no mistake %s", path, found);
	network_free(n);
	findings_fini(&f);
}

static void test_mistakes(void)
{
	conf_put("networks/a.ini",
		"[network]\nbridge = bra\naddress = 10.64.9.1/24\n");
	conf_put("networks/any.ini",
		"[network]\nmode = bridge\nuplink = eth8\n");
	for (size_t i = 0; i < NELEMS(mistakes); i++) {
		conf_put("networks/bad.ini", mistakes[i].text);
		AUTO_FREE char *found = checked();
		if (!ok(strstr(found, mistakes[i].found) != NULL,
			    "mistake %zu: %s", i, mistakes[i].found))
			printf("# found: %s\n", found);
	}
	conf_put("networks/bad.ini", NULL);
	conf_put("networks/any.ini", NULL);
	conf_put("networks/a-long-name-it-is.ini", "");
	AUTO_FREE char *found = checked();
	ok(strstr(found, "its bridge would be vw-a-long-name-it-is, which has "
			 "20 bytes"),
		"a name too long for a bridge is never cut");
	conf_put("networks/a-long-name-it-is.ini", NULL);
}

static void test_stays(void)
{
	struct err err = ERR_INIT;

	log_set_level(LOG_ERROR);
	conf_put("networks/a.ini", "[network]\naddress = 10.5.0.1/24\n");
	networks_follow(&conf);
	conf_put("networks/a.ini", "[network]\naddress = 10.5.0.1\n");
	networks_follow(&conf);
	ok(find("a") && find("a")->network.address.n == 1 && find("a")->error,
		"a mistake later: it stays as it was, and says so");
	conf_put("networks/new.ini", "[network]\nmode = bad\n");
	networks_follow(&conf);
	ok(!network_find(&conf, "new", &err), "never good: not there");
	is_int(err.code, ERR_CONFIG, "because of its file");
	conf_put("networks/a.ini", "[network]\naddress = 10.6.0.1/24\n");
	ok(networks_follow(&conf) && !find("a")->error, "mended");
	conf_put("networks/new.ini", NULL);
	conf_put("networks/a.ini", NULL);
}

static void is_range(const char *host, const char *want)
{
	static const struct network_range all = { .off = false };
	struct cidr c;
	struct cidr first;
	struct cidr last;
	char one[CIDR_TEXT_SIZE];
	char two[CIDR_TEXT_SIZE];
	struct err err = ERR_INIT;

	if (cidr_parse(host, &c, &err) ||
		!network_dhcp_range(&all, &c, &first, &last)) {
		is_str("none", want, "the range of %s", host);
		return;
	}
	cidr_address(&first, one);
	cidr_address(&last, two);
	AUTO_FREE char *found = xasprintf("%s-%s", one, two);
	is_str(found, want, "the range of %s", host);
}

static void test_range(void)
{
	is_range("10.1.0.1/24", "10.1.0.2-10.1.0.254");
	is_range("10.1.0.254/24", "10.1.0.1-10.1.0.253");
	is_range("10.1.2.3/16", "10.1.2.4-10.1.255.254");
	is_range("10.1.0.1/30", "10.1.0.2-10.1.0.2");
	is_range("fd00::1/64", "none");
}

static void test_example(void)
{
	is_example("examples/networks/lab.ini");
	is_example("examples/networks/office.ini");
}

int main(void)
{
	conf_start(PATHS_SYSTEM);
	test_default();
	test_file();
	test_mistakes();
	test_stays();
	test_range();
	test_example();
	networks_drop();
	conf_end();
	return done();
}
