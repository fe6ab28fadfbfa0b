/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The networks of a supervisor at work: up with the first port, or when a
 * person or autostart wants it, down with the last.  Bridges and taps are
 * made at once, rules and leases by helpers; who needs them waits as a job.
 * All of it can be said twice: what is so already stays as it is.
 */
#ifndef SUPERVISOR_NETS_H
#define SUPERVISOR_NETS_H

#include "base/job.h"
#include "supervisor/net_mend.h"
#include "supervisor/net_port.h"

/*
 * Goes on with what the last supervisor knew, and brings up the networks
 * with autostart.  Without any it does nothing.
 */
void nets_open(const struct paths *paths, const struct net_guests *guests);
/* Lets go; what is up stays up. */
void nets_close(void);
/* Nothing is on its way: neither rules nor a dnsmasq. */
bool nets_is_quiet(void);
/* What is up; NULL: nets_open() was not called. */
const struct net_state *nets_state(void);

/* A job that wants to be woken when something was settled. */
struct nets_wait {
	struct list link; /* nets.waits */
	struct job *job;
};
/* From now on; the wait must be ended by nets_unwait(). */
void nets_wait(struct nets_wait *wait, struct job *job);
void nets_unwait(struct nets_wait *wait); /* harmless twice */

/*
 * The nic has a port, known and with rules on their way; its network is up
 * or will be.  The same again changes nothing.
 */
MUST_CHECK int nets_plug(const struct net_port_want *want,
	struct net_port **out, struct err *err);
/*
 * 1: rules and leases for the port are there, 0: not yet, -1 with err: they
 * cannot be.
 */
int nets_settled(const struct net_port *port, struct err *err);
/* The tap joins its bridge: after nets_settled(). */
MUST_CHECK int nets_join(struct net_port *port, struct err *err);
/* The port carries that much from now on. */
MUST_CHECK int nets_rate(const char *vm, const char *nic,
	const struct rate_limits *rates, struct err *err);
/* VLANs, isolate and forwards of the port are so from now on. */
MUST_CHECK int nets_change(const struct net_port_want *want, struct err *err);
/* The nic has no port any more. */
void nets_unplug(const char *vm, const char *nic);
/* The VM has no ports any more; networks that nobody needs go down. */
void nets_release(const char *vm);

/* A person wants it up; it is settled as for a port. */
MUST_CHECK int nets_start(const char *name, struct err *err);
/* The same, and down again after ms unless it is confirmed by then. */
MUST_CHECK int nets_try(const char *name, int64_t ms, struct err *err);
MUST_CHECK int nets_confirm(const char *name, struct err *err);
/* 1: it is up with rules and leases, 0: not yet, -1 with err. */
int nets_is_up(const char *name, struct err *err);
/*
 * What its file says by now and what needs no new start of the network is so
 * from now on, settled as after nets_start(); *changed: there was something.
 * Fails with ERR_BUSY while its dnsmasq starts.  One that is down is left.
 */
MUST_CHECK int nets_apply(const char *name, bool *changed, struct err *err);
/* The same of all of them; what cannot be stays pending. */
void nets_apply_all(void);
/* It may go.  Fails with ERR_STATE while VMs are on it, which are named. */
MUST_CHECK int nets_stop(const char *name, struct err *err);

#endif
