/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries what the host has on one network device over to another: its
 * addresses and the routes that use it.  At each instant all of it is on one
 * of the two, so that a second run completes a first one that was cut off.
 */
#ifndef NET_CARRY_H
#define NET_CARRY_H

#include "base/str.h"
#include "net/netlink.h"

/* Addresses of the host on a device (link-local ones of IPv6 do not count). */
MUST_CHECK int carry_count(struct netlink *nl, unsigned index, unsigned *out);
/* Both devices are up.  0, or -1 with errno. */
MUST_CHECK int carry_over(struct netlink *nl, unsigned from, unsigned to);
/* What the host has on a device, for carry_restore(); 0, or -1 with errno. */
MUST_CHECK int carry_save(struct netlink *nl, unsigned index, struct str *out);
/* Gives it to another; -1 with errno, EINVAL if the text is none of ours. */
MUST_CHECK int carry_restore(
	struct netlink *nl, const struct str *text, unsigned to);

#endif
