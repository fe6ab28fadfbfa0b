/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What on this host is in the way of networks; see net_doctor.h. */
#include "supervisor/net_doctor.h"

#include <fcntl.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "base/sys.h"
#include "net/tap.h"
#include "supervisor/firewalls.h"
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
	look_at_files(checks, paths);
	look_at_leases(checks);
	return checks;
}

/* ---- the rules of others ---- */

void net_doctor_add_rules(json_t *checks, const char *ruleset)
{
	const struct net_state *state = nets_state();
	AUTO_JSON json_t *bridges = json_array();

	if (!ruleset) {
		say(checks, "forward", false,
			"there are more rules than are read here",
			"nft list chains: look for policy drop");
		return;
	}
	if (state)
		list_each(&state->nets, it, next) {
			const struct net_live *net =
				list_entry(it, struct net_live, link);

			if (!net->joined)
				json_array_append_new(
					bridges, json_string(net->bridge));
		}
	AUTO_JSON json_t *found = firewalls_look(ruleset, bridges);
	json_array_extend(checks, found);
}
