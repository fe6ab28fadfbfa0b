/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real files and sockets under the simulated clock: a test moves time, the
 * kernel says which descriptors are ready.  Peers in the same process are
 * heard at once, so nothing here waits.
 */
#ifndef TESTS_UNIT_CLOCK_H
#define TESTS_UNIT_CLOCK_H

#include <poll.h>
#include <stdint.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/sys.h"

static struct sys_backend clock_sys; /* the backend; a test may change it */
static int64_t clock_offset_us;      /* of the wall clock */

static int clock_poll(int fd, int wanted)
{
	struct pollfd p = { .fd = fd };
	int got = 0;

	p.events = (short)((wanted & LOOP_READ ? POLLIN : 0) |
			   (wanted & LOOP_WRITE ? POLLOUT : 0));
	if (poll(&p, 1, 0) <= 0)
		return 0;
	if (p.revents & (POLLIN | POLLHUP | POLLERR))
		got |= LOOP_READ;
	if (p.revents & (POLLOUT | POLLERR))
		got |= LOOP_WRITE;
	return got & wanted;
}

static int64_t clock_realtime(void)
{
	return INT64_C(1700000000000000) + clock_offset_us +
	       (int64_t)loop_sim_now_us();
}

/* Our log goes nowhere; time stands still. */
__attribute__((unused)) static void clock_start(void)
{
	log_set_level(LOG_ERROR);
	loop_sim_start();
	loop_sim_set_poll(clock_poll);
	clock_sys = sys_real;
	clock_sys.now_us = loop_sim_now_us;
	clock_sys.realtime_us = clock_realtime;
	sys_use(&clock_sys);
}

/* Runs what is ready, without time passing. */
__attribute__((unused)) static void clock_settle(void)
{
	loop_sim_advance(0);
}

#endif
