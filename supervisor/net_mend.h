/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What others did to our bridges and taps, looked at and mended: a bridge
 * that is gone, a tap that left it or was deleted under its QEMU.  What
 * cannot be mended is told as a broken nic.
 */
#ifndef SUPERVISOR_NET_MEND_H
#define SUPERVISOR_NET_MEND_H

#include "supervisor/net_live.h"

/* Who knows the QEMU of a port whose tap somebody deleted. */
struct net_guests {
	/* The tap is there again; -1 with err: it is not, ERR_GONE: nor QEMU */
	int (*mend_tap)(
		void *arg, const struct net_port *port, struct err *err);
	void *arg;
};

struct net_mend {
	const struct net_state *state;
	struct net_guests guests;
};

/* All networks that are up; since_ms: when the first change was told. */
void net_mend_look(const struct net_mend *mend, int64_t since_ms);
/* A tap goes with its QEMU: ports whose tap is not there are nobody's. */
MUST_CHECK int net_mend_forget(const struct net_state *state, struct err *err);

#endif
