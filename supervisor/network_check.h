/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks across the keys of a network, of two networks, and of a host. */
#ifndef SUPERVISOR_NETWORK_CHECK_H
#define SUPERVISOR_NETWORK_CHECK_H

#include "supervisor/network_spec.h"
#include "supervisor/remark.h"

/* Keys of one file; also settles the name of its bridge. */
void network_check_keys(struct network *network, const struct remarks *to);
/* What it shares with one read before it, and must not. */
void network_check_two(const struct network *network,
	const struct network *other, const struct remarks *to);
/* What this host has already. */
void network_check_host(
	const struct network *network, const struct remarks *to);

#endif
