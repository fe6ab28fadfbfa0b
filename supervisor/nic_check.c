/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a nic may say; see nic_check.h. */
#include "supervisor/nic_check.h"

#include "base/str.h"
#include "net/vlan.h"

/* The keys of VLANs and what they do not go with. */
static void check_vlans(const struct spec_nic *nic, const char *section,
	const struct remarks *to)
{
	struct vlan_set set = { .n = 0 };
	struct err err = ERR_INIT;

	if (vlan_parse(nic->trunk, &set, &err))
		return; /* told where it was read */
	for (size_t i = 0; i < set.n; i++)
		if (set.tagged[i].first <= nic->vlan &&
			nic->vlan <= set.tagged[i].last)
			remark_error(to, section, "trunk",
				"VLAN %u is untagged already, by vlan",
				(unsigned)nic->vlan);
	if (set.n > 0 && nic->spoof == SPOOF_IP)
		remark_error(to, section, "spoof-check",
			"ip knows no tags: say mac with trunk");
}

/* What only a nic on a network of ours has, and what only a tap. */
static void check_kind(const struct spec_nic *nic, const char *section,
	const struct remarks *to)
{
	/* what user mode has not, and what macvtap */
	const struct {
		const char *key;
		bool said;
		bool of_bridge;
	} of_taps[] = {
		{ "isolate", nic->isolate, true },
		{ "queues", nic->queues > 1, false },
		{ "mtu", nic->mtu > 0, false },
		{ "rate", nic->rates.out > 0, true },
		{ "rate-in", nic->rates.in > 0, true },
		{ "vlan", nic->vlan > 0, true },
		{ "trunk", nic->trunk[0] != '\0', true },
		{ "spoof-check",
			nic->spoof == SPOOF_MAC || nic->spoof == SPOOF_IP,
			true },
	};

	for (size_t i = 0; i < NELEMS(of_taps); i++) {
		if (nic->user && of_taps[i].said)
			remark_error(to, section, of_taps[i].key,
				"means nothing in user mode");
		if (nic->macvtap && of_taps[i].said && of_taps[i].of_bridge)
			remark_error(to, section, of_taps[i].key,
				"means nothing with macvtap, which passes no "
				"bridge");
	}
	if (nic->rates.burst && !nic->rates.in && !nic->rates.out)
		remark_error(to, section, "burst",
			"means nothing without rate or rate-in");
	if (nic->ip[0] && !nic->network)
		remark_error(to, section, "ip",
			"only a network of vmward gives addresses");
}

static void check_forwards(const struct spec_nic *nic, const char *section,
	const struct remarks *to)
{
	if (nic->forward.n && (nic->bridge || nic->macvtap))
		remark_error(to, section, "forward",
			"on a bridge the guest is reached by its own address");
	for (unsigned i = 0; nic->network && i < nic->forward.n; i++)
		if (str_eq(nic->forward.at[i].addr, "::1"))
			remark_error(to, section, "forward",
				"the kernel leads nothing from [::1] to a "
				"guest: say 127.0.0.1, or another address of "
				"this host");
}

void nic_check(const struct spec_nic *nic, const char *section,
	const struct remarks *to)
{
	bool virtio = str_eq(nic->model, "virtio");

	check_kind(nic, section, to);
	check_forwards(nic, section, to);
	check_vlans(nic, section, to);
	if (nic->queues > 1 && !virtio)
		remark_error(to, section, "queues",
			"only model = virtio has several");
	if (nic->mtu && !virtio)
		remark_error(to, section, "mtu", "only model = virtio is told");
}
