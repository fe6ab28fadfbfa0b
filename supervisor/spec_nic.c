/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of [net.N]. */
#include "supervisor/spec_table.h"

#include "net/vlan.h"
#include "supervisor/forward.h"
#include "supervisor/network_value.h"
#include "supervisor/spec_value.h"

static const char *const spoof_names[] = { "by-network", "no", "mac", "ip",
	NULL };

/* One row of a table is one key. */
/* clang-format off */
#define AT(member) .offset = offsetof(struct spec_nic, member)
const struct key spec_nic_keys[] = {
	{ "network", KEY_STRING, AT(network), .when = KEY_COLD,
		.help = "A network: the N of networks/N.ini, or default; in "
			"run FILE and --user default means user = yes." },
	{ "bridge", KEY_CUSTOM, AT(bridge), .when = KEY_COLD,
		.parse = network_value_device,
		.release = value_string_release, .form = "device",
		.help = "A bridge of this host's that is there, and is joined "
			"and never changed." },
	{ "macvtap", KEY_CUSTOM, AT(macvtap), .when = KEY_COLD,
		.parse = network_value_device,
		.release = value_string_release, .form = "device",
		.help = "A device of this host's that the guest is on the wire "
			"by, beside the host, which it does not reach." },
	{ "user", KEY_CUSTOM, AT(user), .when = KEY_COLD,
		.parse = value_user, .form = "yes, no or passt",
		.help = "QEMU's own network: needs no right, reaches out, is "
			"reached by forward only; passt is a program that does "
			"the same faster, and knows IPv6." },
	{ "model", KEY_CUSTOM, AT(model), .fallback = "virtio", .when = KEY_COLD,
		.parse = value_model, .release = value_string_release,
		.form = "virtio or a model "
			"of QEMU's",
		.help = "What the guest sees." },
	{ "mac", KEY_CUSTOM, AT(mac), .fallback = "", .when = KEY_COLD,
		.parse = value_mac, .release = value_string_release,
		.form = "address",
		.help = "The address; from uuid and name unless written." },
	{ "ip", KEY_CUSTOM, AT(ip), .fallback = "", .when = KEY_COLD,
		.parse = value_ip, .release = value_string_release,
		.form = "address",
		.help = "The IPv4 address that the network gives it; the same "
			"one each time unless written." },
	{ "queues", KEY_INT, AT(queues), .fallback = "1", .min = 1, .max = 8,
		.when = KEY_COLD,
		.help = "Of a nic on a network or bridge: as many as vCPUs "
			"may work at once." },
	{ "isolate", KEY_BOOL, AT(isolate), .fallback = "no",
		.when = KEY_HOT,
		.live = "apply",
		.help = "It reaches the host and the world, but no other "
			"isolated nic of its bridge." },
	{ "spoof-check", KEY_CHOICE, AT(spoof), .fallback = "by-network",
		.choices = spoof_names, .when = KEY_COLD,
		.help = "What the guest may not lie about: ip is its MAC and "
			"its addresses, and it is no DHCP server and no "
			"router; by-network is ip on networks of ours that "
			"give addresses, else mac." },
	{ "mtu", KEY_INT, AT(mtu), .min = 576, .max = 65535,
		.when = KEY_COLD,
		.help = "What the guest is told that its frames may have, at "
			"most what its bridge has." },
	{ "vlan", KEY_INT, AT(vlan), .min = VLAN_FIRST, .max = VLAN_LAST,
		.when = KEY_HOT,
		.live = "apply",
		.help = "The VLAN that the guest is in without knowing it, on a "
			"bridge that keeps VLANs apart (vlan-filtering)." },
	{ "trunk", KEY_CUSTOM, AT(trunk), .fallback = "", .when = KEY_HOT,
		.live = "apply",
		.parse = value_trunk, .list = true, .release = value_string_release,
		.form = "list of VLANs and ranges",
		.help = "VLANs that the guest has with their tags; without vlan "
			"it has nothing untagged." },
	{ "forward", KEY_CUSTOM, AT(forward), .when = KEY_HOT,
		.live = "apply",
		.parse = forward_parse, .list = true, .release = forward_release,
		.expand = true,
		.form = "list of [PROTO:][ADDR:]HOSTPORT[-END]:GUESTPORT",
		.help = "Ports of the host that lead to the guest; without "
			"ADDR on 127.0.0.1 only." },
	{ "boot", KEY_INT, AT(boot), .min = 1, .max = 1000, .when = KEY_COLD,
		.help = "Place in the boot order." },
	{ "rate", KEY_CUSTOM, AT(rates.out), .fallback = "", .when = KEY_HOT,
		.live = "nic rate", .parse = value_rate,
		.form = "rate as 100Mbit or 10MiB, or no",
		.help = "The most that it sends in a second; what is more is "
			"dropped, but a second's worth may go at once." },
	{ "rate-in", KEY_CUSTOM, AT(rates.in), .fallback = "", .when = KEY_HOT,
		.live = "nic rate", .parse = value_rate,
		.form = "rate as 100Mbit or 10MiB, or no",
		.help = "The most that it receives in a second; what is more "
			"waits, for 1/20 s at most." },
	{ "burst", KEY_SIZE, AT(rates.burst), .min = RATE_BURST_MIN,
		.max = UINT32_MAX, .when = KEY_COLD,
		.help = "What may go at once besides; unless written, that of "
			"a tenth of a second." },
	{ "link", KEY_CUSTOM, AT(up), .fallback = "up", .when = KEY_HOT,
		.live = "nic link", .parse = value_link, .form = "up or down",
		.help = "Whether the cable is plugged in." },
	KEYS_END,
};
#undef AT
/* clang-format on */
