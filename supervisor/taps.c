/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The descriptors of taps on their way to QEMU; see taps.h. */
#include "supervisor/taps.h"

#include <stdio.h>

#include "base/sys.h"
#include "supervisor/host_net.h"
#include "supervisor/nets.h"

#define GUARD_MS 1

static void fill(struct host_net_request *rq, const struct net_port *port)
{
	snprintf(rq->name, sizeof(rq->name), "%s", port->tap);
	if (!port->net->macvtap)
		return;
	rq->verb = HOST_NET_MACVTAP;
	rq->guest_mtu = port->mtu;
	snprintf(rq->lower, sizeof(rq->lower), "%s", port->net->bridge);
	net_live_alias(nets_state(), port->net, rq->alias);
	mac_bytes(port->mac, rq->mac);
}

int taps_open(struct taps *taps, const struct net_port *port, unsigned queues,
	int to, struct err *err)
{
	struct host_net_request rq = { .verb = HOST_NET_TAP, .queues = queues };
	struct host_net_reply reply;

	if (taps->n + queues > TAPS_FDS_MAX)
		return err_set(err, ERR_LIMIT,
			"its nics have more than %d queues together",
			TAPS_FDS_MAX);
	fill(&rq, port);
	if (host_net_call(&rq, &reply, err))
		return -1;
	for (unsigned i = 0; i < queues; i++)
		taps->fds[taps->n++] =
			(struct spawn_fd){ reply.fds[i], to + (int)i };
	return 0;
}

void taps_close(struct taps *taps)
{
	while (taps->n > 0)
		sys_close(taps->fds[--taps->n].from);
}

/* ---- of two QEMUs ---- */

static void set_back(const struct taps_guard *guard)
{
	for (size_t i = 0; i < guard->n; i++) {
		int size = tap_header(guard->fds[i]);

		if (size >= 0 && guard->sizes[i] >= 0 &&
			size != guard->sizes[i])
			tap_set_header(guard->fds[i], guard->sizes[i]);
	}
}

static void on_guard(struct loop_timer *timer)
{
	struct taps_guard *guard =
		container_of(timer, struct taps_guard, timer);

	set_back(guard);
	loop_timer_start(timer, GUARD_MS, on_guard);
}

void taps_guard_begin_steal(struct taps_guard *guard, struct taps *taps)
{
	while (taps->n > 0) {
		int fd = taps->fds[--taps->n].from;

		guard->sizes[guard->n] = tap_header(fd);
		guard->fds[guard->n++] = fd;
	}
	if (guard->n)
		loop_timer_start(&guard->timer, GUARD_MS, on_guard);
}

void taps_guard_end(struct taps_guard *guard, bool back)
{
	loop_timer_stop(&guard->timer);
	if (back)
		set_back(guard);
	while (guard->n > 0)
		sys_close(guard->fds[--guard->n]);
}
