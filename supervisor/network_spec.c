/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a network is; see network_spec.h. */
#include "supervisor/network_spec.h"

#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "net/bond.h"
#include "net/vlan.h"
#include "supervisor/show.h"
#include "supervisor/spec_value.h"

const char *const network_mode_names[] = { "nat", "routed", "isolated",
	"bridge", NULL };

static const char *const firewall_names[] = { "check", "fix", NULL };

/* ---- the table of keys ---- */

/* clang-format off */
#define AT(member) .offset = offsetof(struct network_keys, member)
static const struct key keys[] = {
	{ "mode", KEY_CHOICE, AT(mode), .fallback = "nat",
		.choices = network_mode_names, .when = KEY_POLICY,
		.help = "nat: guests reach out as the host; routed: under "
			"their own addresses; isolated: only each other and "
			"the host; bridge: joins one that is there and is "
			"never changed, or with uplink makes one that guests "
			"reach the wire by." },
	{ "bridge", KEY_CUSTOM, AT(bridge), .fallback = "",
		.parse = network_value_device,
		.release = value_string_release, .when = KEY_POLICY,
		.form = "device",
		.help = "The bridge that is made, or joined; vw-NAME unless "
			"written." },
	{ "address", KEY_CUSTOM, AT(address), .fallback = "",
		.parse = network_value_addresses, .list = true,
		.release = network_value_addresses_release,
		.form = "list of ADDRESS/PREFIX", .when = KEY_POLICY,
		.help = "The host's own addresses; without any, an IPv4 "
			"network that this host does not use." },
	{ "dhcp", KEY_CUSTOM, AT(dhcp), .fallback = "yes",
		.parse = network_value_range, .form = "FIRST-LAST, yes or no",
		.when = KEY_POLICY,
		.help = "What guests get their addresses of." },
	{ "dns", KEY_BOOL, AT(dns), .fallback = "yes", .when = KEY_POLICY,
		.help = "The host answers names: those of the guests, and of "
			"the world where the mode reaches it." },
	{ "domain", KEY_CUSTOM, AT(domain), .fallback = "internal",
		.parse = network_value_domain,
		.release = value_string_release, .form = "domain",
		.when = KEY_POLICY,
		.help = "The domain of the guests' names." },
	{ "mtu", KEY_INT, AT(mtu), .min = 576, .max = 65535,
		.when = KEY_POLICY, .help = "Of the bridge and the guests." },
	{ "uplink", KEY_CUSTOM, AT(uplink), .fallback = "",
		.parse = network_value_device,
		.release = value_string_release, .when = KEY_POLICY,
		.form = "device",
		.help = "Of mode = bridge: the device of this host that is a "
			"port of the bridge while the network is up, and whose "
			"addresses and routes are the bridge's meanwhile; with "
			"[bond] the bond's name, vb-NAME unless written." },
	{ "vlan", KEY_INT, AT(vlan), .min = VLAN_FIRST, .max = VLAN_LAST,
		.when = KEY_POLICY,
		.help = "Only this VLAN of the uplink, by a device UPLINK.VLAN; "
			"the host keeps the uplink itself." },
	{ "vlan-filtering", KEY_BOOL, AT(filtering), .fallback = "no",
		.when = KEY_POLICY,
		.help = "The bridge keeps VLANs apart: nics say vlan and "
			"trunk, the uplink carries all of them, the host is in "
			"VLAN 1." },
	{ "firewall", KEY_CHOICE, AT(firewall), .fallback = "check",
		.choices = firewall_names, .when = KEY_POLICY,
		.help = "What on this host is in the guests' way: check: "
			"`vmward net doctor` says it; fix: rules let the "
			"bridge through, and its guests' questions for "
			"addresses and names, while the network is up." },
	{ "autostart", KEY_BOOL, AT(autostart), .fallback = "no",
		.when = KEY_POLICY,
		.help = "Up with vmwardd and for good, not only while a VM "
			"needs it." },
	KEYS_END,
};
#undef AT
#define AT(member) .offset = offsetof(struct network_bond, member)
static const struct key bond_keys[] = {
	{ "mode", KEY_CHOICE, AT(mode), .fallback = "active-backup",
		.choices = bond_mode_names, .when = KEY_POLICY,
		.help = "What the kernel makes of several devices; 802.3ad "
			"needs a switch that does the same." },
	{ "members", KEY_CUSTOM, AT(members), .fallback = "",
		.parse = network_value_members, .list = true, .when = KEY_POLICY,
		.form = "list of devices",
		.help = "Devices of this host, eight at most." },
	{ "miimon", KEY_DURATION, AT(miimon_ms), .fallback = "100ms",
		.min = 1, .max = 60000, .when = KEY_POLICY,
		.help = "How often the cable of each is looked at." },
	KEYS_END,
};
#undef AT

#define AT(member) .offset = offsetof(struct network_host, member)
static const struct key host_keys[] = {
	{ "mac", KEY_CUSTOM, AT(mac), .fallback = "", .parse = value_mac,
		.release = value_string_release, .form = "address",
		.when = KEY_POLICY, .help = "Who it is for." },
	{ "ip", KEY_CUSTOM, AT(ip), .fallback = "",
		.parse = network_value_address, .form = "address",
		.when = KEY_POLICY, .help = "What he always gets." },
	KEYS_END,
};
#undef AT

const struct section network_sections[] = {
	{ .name = "network", .keys = keys,
		.offset = offsetof(struct network, network),
		.size = sizeof(struct network_keys),
		.enabled_offset = KEYS_NO_ENABLED,
		.help = "A network that VMs join." },
	{ .name = "host", .named = true,
		.keys = host_keys,
		.offset = offsetof(struct network, hosts),
		.size = sizeof(struct network_host),
		.link_offset = offsetof(struct network_host, link),
		.name_offset = offsetof(struct network_host, name),
		.enabled_offset = KEYS_NO_ENABLED,
		.help = "The address of one that is no VM of ours." },
	{ .name = "bond", .keys = bond_keys,
		.offset = offsetof(struct network, bond),
		.size = sizeof(struct network_bond),
		.enabled_offset = KEYS_NO_ENABLED,
		.help = "Several devices of this host as one, the uplink." },
};
/* clang-format on */
const size_t network_nsections = NELEMS(network_sections);

const struct other_kind network_kind = { "network", "networks",
	network_sections, NELEMS(network_sections) };

struct network *network_new(const char *name)
{
	struct network *n = NEW(struct network);

	list_init(&n->link);
	list_init(&n->hosts);
	ini_init(&n->ini);
	n->name = xstrdup(name);
	return n;
}

void network_free(struct network *n)
{
	if (!n)
		return;
	list_del(&n->link);
	keys_release(n, network_sections, network_nsections);
	ini_fini(&n->ini);
	free(n->name);
	free(n->file);
	free(n->error);
	free(n);
}

bool network_is_joined(const struct network *n)
{
	return n->network.mode == NETWORK_BRIDGE && !n->uplink.device[0];
}

bool network_dhcp_range(const struct network_range *range,
	const struct cidr *host, struct cidr *first, struct cidr *last)
{
	uint32_t size;
	uint32_t at = (uint32_t)host->at[2] << 8 | host->at[3];

	if (range->off || host->family != AF_INET)
		return false;
	*first = range->first;
	*last = range->last;
	if (range->written)
		return true;
	/* behind the host's address, or all before it */
	size = UINT32_C(1) << (32 - host->prefix);
	at = ((uint32_t)host->at[0] << 24 | (uint32_t)host->at[1] << 16 | at) &
	     (size - 1);
	return at < size / 2 ? cidr_nth(host, at + 1, first) &&
				       cidr_nth(host, size - 2, last)
			     : cidr_nth(host, 1, first) &&
				       cidr_nth(host, at - 1, last);
}

void network_show(const struct network *n, bool origin, const char *section,
	struct str *out)
{
	const struct show show = { .ini = &n->ini,
		.tables = network_sections,
		.ntables = network_nsections,
		.origin = origin,
		.only = section };

	show_entries(&show, out);
}
