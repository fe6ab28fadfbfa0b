/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The descriptors of taps on their way to QEMU. */
#ifndef SUPERVISOR_TAPS_H
#define SUPERVISOR_TAPS_H

#include "base/spawn.h"
#include "net/tap.h"
#include "supervisor/net_live.h"

#define TAPS_FDS_MAX 40 /* of all nics of a VM */

struct taps {
	struct spawn_fd fds[TAPS_FDS_MAX];
	size_t n;
};

/*
 * Makes the tap or macvtap of a port and adds its queues; the first is QEMU's
 * descriptor `to`.
 */
MUST_CHECK int taps_open(struct taps *taps, const struct net_port *port,
	unsigned queues, int to, struct err *err);
/* QEMU has them, or nobody. */
void taps_close(struct taps *taps);

#endif
