/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What on this host is in the way of networks; see net_doctor.h. */
#include "supervisor/net_doctor.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/spawn.h"
#include "base/str.h"
#include "base/sys.h"
#include "net/passage.h"
#include "net/tap.h"
#include "supervisor/net_dhcp.h"
#include "supervisor/nets.h"
#include "supervisor/network.h"

static void say(json_t *checks, const char *check, bool ok, const char *found,
	const char *remedy)
{
	json_array_append_new(checks,
		json_pack("{s:s,s:b,s:s,s:s?}", "check", check, "ok", ok,
			"found", found, "remedy", ok ? NULL : remedy));
}

/* ---- programs and rights ---- */

static void look_at_program(
	json_t *checks, const char *program, const char *package)
{
	AUTO_FREE char *path = spawn_find(program);
	AUTO_FREE char *remedy = xasprintf("apt-get install %s", package);

	say(checks, program, path != NULL, path ? path : "is not on PATH",
		remedy);
}

static void look_at_right(json_t *checks)
{
	struct err err = ERR_INIT;
	bool ok = tap_possible(&err);

	say(checks, "right", ok, ok ? "taps can be made" : err.text,
		"run vmwardd as root, or give it CAP_NET_ADMIN and "
		"/dev/net/tun");
}

/* ---- switches of the kernel ---- */

/* What stands first in a file of /proc/sys; '\0': it is not there. */
static char setting(const char *path)
{
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
	char c = '\0';

	return fd >= 0 && sys_read(fd, &c, 1) == 1 ? c : '\0';
}

/* A network that is up with this mode or a higher one. */
static bool is_up(enum network_mode mode)
{
	const struct net_state *state = nets_state();

	if (!state)
		return false;
	list_each(&state->nets, it, next) {
		if (list_entry(it, struct net_live, link)->mode == mode)
			return true;
	}
	return false;
}

/* Some are up, and each of them has its way made by firewall = fix. */
static bool is_fixed(void)
{
	const struct net_state *state = nets_state();

	if (!state || list_is_empty(&state->nets))
		return false;
	list_each(&state->nets, it, next) {
		const struct net_live *net =
			list_entry(it, struct net_live, link);

		if (!net->fix || net->joined)
			return false;
	}
	return true;
}

static void look_at_forwarding(json_t *checks)
{
	bool on = setting("/proc/sys/net/ipv4/ip_forward") == '1';
	bool needed = is_up(NETWORK_NAT) || is_up(NETWORK_ROUTED);

	say(checks, "ip_forward", on || !needed,
		on       ? "the host forwards packets"
		: needed ? "is off: guests reach only the host"
			 : "is off; a network that needs it turns it on",
		"sysctl -w net.ipv4.ip_forward=1");
}

static void look_at_bridges(json_t *checks)
{
	bool on =
		setting("/proc/sys/net/bridge/bridge-nf-call-iptables") == '1';

	say(checks, "br_netfilter", !on,
		on ? "what guests of one bridge say to each other goes "
		     "through the host's rules as well"
		   : "bridges are left alone",
		"sysctl -w net.bridge.bridge-nf-call-iptables=0");
}

static void look_at_return_path(json_t *checks)
{
	bool strict = setting("/proc/sys/net/ipv4/conf/all/rp_filter") == '1';
	bool needed = is_up(NETWORK_ROUTED);

	say(checks, "rp_filter", !strict || !needed,
		strict ? "is strict: guests of a routed network with two ways "
			 "out lose packets"
		       : "is not strict",
		"sysctl -w net.ipv4.conf.all.rp_filter=2");
}

/* ---- firewalls of others ---- */

static void look_at_managers(json_t *checks)
{
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	struct stat st;
	bool ufw = !fd_read_file(
			   AT_FDCWD, "/etc/ufw/ufw.conf", 65536, &text, &err) &&
		   strstr(str_text(&text), "\nENABLED=yes");

	if (!sys_fstatat(AT_FDCWD, "/run/firewalld", &st, 0))
		say(checks, "firewalld", false,
			"puts bridges that it does not know into its default "
			"zone, which may drop what guests ask the host",
			"firewall-cmd --permanent --zone=trusted "
			"--add-interface=vw-default && firewall-cmd --reload");
	if (ufw)
		say(checks, "ufw", false,
			"drops what guests ask the host, and what is "
			"forwarded",
			"ufw allow in on vw-default && ufw route allow in on "
			"vw-default");
}

/* ---- networks ---- */

static void look_at_files(json_t *checks, const struct paths *paths)
{
	struct findings f;

	findings_init(&f);
	networks_check(paths, true, &f);
	list_each(&f.list, it, next) {
		const struct finding *found =
			list_entry(it, struct finding, link);
		AUTO_FREE char *text = xasprintf(
			"%s:%u: %s", found->file, found->line, found->text);

		if (found->level == FINDING_ERROR)
			say(checks, "networks", false, text, "mend the file");
	}
	if (!f.errors)
		say(checks, "networks", true, "no mistakes", NULL);
	findings_fini(&f);
}

static void look_at_leases(json_t *checks)
{
	const struct net_state *state = nets_state();

	if (!state)
		return;
	list_each(&state->nets, it, next) {
		const struct net_live *net =
			list_entry(it, struct net_live, link);
		bool bad = net->dhcp && net->dhcp->is == NET_DHCP_FAILED;

		if (bad)
			say(checks, net->name, false, net->dhcp->err.text,
				"end what listens on port 53 or 67 of that "
				"address, or say dhcp = no, dns = no");
	}
}

json_t *net_doctor_look(const struct paths *paths)
{
	json_t *checks = json_array();

	look_at_program(checks, "nft", "nftables");
	look_at_program(checks, "dnsmasq", "dnsmasq-base");
	look_at_right(checks);
	look_at_forwarding(checks);
	look_at_bridges(checks);
	look_at_return_path(checks);
	look_at_managers(checks);
	look_at_files(checks, paths);
	look_at_leases(checks);
	return checks;
}

/* ---- the rules of others ---- */

/* Docker's, or any other that drops what no rule of its own lets through. */
static void look_at_chain(json_t *checks, const json_t *chain)
{
	const char *table = member_text(chain, "table");
	bool iptables = str_eq(table, "filter") &&
			str_eq(member_text(chain, "name"), "FORWARD");

	if (!str_eq(member_text(chain, "hook"), "forward") ||
		!str_eq(member_text(chain, "policy"), "drop") ||
		str_starts(table, "vmward"))
		return;
	AUTO_FREE char *found = xasprintf(
		"chain %s of table %s %s drops what it does not know%s",
		member_text(chain, "name"), member_text(chain, "family"), table,
		iptables ? " (Docker does that)" : "");
	AUTO_FREE char *remedy =
		iptables ? xstrdup("iptables -I FORWARD -i vw-+ -j ACCEPT; "
				   "iptables -I FORWARD -o vw-+ -j ACCEPT")
			 : xasprintf("nft 'insert rule %s %s %s iifname "
				     "\"vw-*\" accept'; nft 'insert rule %s "
				     "%s %s oifname \"vw-*\" accept'",
				   member_text(chain, "family"), table,
				   member_text(chain, "name"),
				   member_text(chain, "family"), table,
				   member_text(chain, "name"));
	AUTO_FREE char *both =
		xasprintf("%s; or firewall = fix in networks/NAME.ini", remedy);
	bool ok =
		is_fixed() && passage_is_possible(member_text(chain, "family"));

	say(checks, "forward", ok, found, both);
}

void net_doctor_add_chains(json_t *checks, const char *chains)
{
	AUTO_JSON json_t *all = json_loads(chains, 0, NULL);
	size_t before = json_array_size(checks);
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(all, "nftables"), i, item)
	{
		const json_t *chain = json_object_get(item, "chain");

		if (chain)
			look_at_chain(checks, chain);
	}
	if (json_array_size(checks) == before)
		say(checks, "forward", true,
			"no rules of others drop what is forwarded", NULL);
}
