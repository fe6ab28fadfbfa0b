/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Router advertisements of the host's own lines: the kernel of a host that
 * begins to forward IPv6 ignores them unless a device says otherwise, and
 * the host would lose its own address and way out.
 */
#ifndef NET_RA_H
#define NET_RA_H

#include <stdbool.h>

#include "base/err.h"
#include "net/netlink.h"

/*
 * The device takes advertisements whether the host forwards or not, if it
 * takes any; *changed becomes true if that was not so.
 */
MUST_CHECK int ra_keep(const char *device, bool *changed, struct err *err);
/* All of them, but for those whose alias begins with ours. */
MUST_CHECK int ra_keep_all(
	struct netlink *nl, const char *ours, struct err *err);

#endif
