/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The descriptors of taps on their way to QEMU. */
#ifndef SUPERVISOR_TAPS_H
#define SUPERVISOR_TAPS_H

#include "base/loop.h"
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
/*
 * Taps that two QEMUs have: one that starts sets their packets' header to its
 * first idea of it, which the other's guest does not understand.
 */
struct taps_guard {
	struct loop_timer timer;
	int fds[TAPS_FDS_MAX];
	int sizes[TAPS_FDS_MAX];
	size_t n;
};

/* Sets it back each millisecond; takes the descriptors over.  Of zeros. */
void taps_guard_begin_steal(struct taps_guard *guard, struct taps *taps);
/* No more; set back once more if that other one is gone. */
void taps_guard_end(struct taps_guard *guard, bool set_back);

/* QEMU has them, or nobody. */
void taps_close(struct taps *taps);

#endif
