/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VLANs: devices that are one VLAN of another, and which VLANs a port of a
 * bridge with VLAN filtering carries.
 */
#ifndef NET_VLAN_H
#define NET_VLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "net/netlink.h"

#define VLAN_FIRST      1
#define VLAN_LAST       4094
#define VLAN_RANGES_MAX 32

struct vlan_range {
	uint16_t first, last;
};

/* What a port carries; all zero: what the bridge gives to new ports. */
struct vlan_set {
	uint16_t native; /* untagged; 0: none */
	size_t n;
	struct vlan_range tagged[VLAN_RANGES_MAX];
};

/* "10, 20, 30-39" -> the tagged ones; native stays.  -1 with err. */
MUST_CHECK int vlan_parse(
	const char *text, struct vlan_set *out, struct err *err);
/* The tagged ones as text that reads again to the same: "10,20,30-39". */
void vlan_add_text(struct str *out, const struct vlan_set *set);
bool vlan_is_same(const struct vlan_set *a, const struct vlan_set *b);
/* Makes the device of VLAN `id` on a lower one, with an alias. */
MUST_CHECK int vlan_add(struct netlink *nl, const char *name, const char *alias,
	unsigned lower, uint16_t id);
/* The bridge keeps VLANs apart from now on. */
MUST_CHECK int vlan_filter(struct netlink *nl, unsigned bridge);
/* The port of a bridge carries these and no other. */
MUST_CHECK int vlan_set_port(
	struct netlink *nl, unsigned port, const struct vlan_set *set);

#endif
