/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bonds: several network devices as one.  Members join as ports do. */
#ifndef NET_BOND_H
#define NET_BOND_H

#include <stdint.h>

#include "net/netlink.h"

/* The kernel's seven, in its order. */
extern const char *const bond_mode_names[];

/* Makes a bond, down and without members; watches links every miimon ms. */
MUST_CHECK int bond_add(struct netlink *nl, const char *name, const char *alias,
	uint8_t mode, uint32_t miimon);

#endif
