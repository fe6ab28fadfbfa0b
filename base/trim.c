/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One timer, started by the first of many wishes: an idle supervisor does not
 * wake up, a busy one trims once a second at most.
 */
#include "base/trim.h"

#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif

#include "base/code.h"
#include "base/loop.h"
#include "base/slab.h"

enum { DELAY_MS = 1000 };

static struct loop_timer timer;

static void on_time(struct loop_timer *due UNUSED)
{
	slab_trim();
	code_drop();
#ifdef HAVE_MALLOC_TRIM
	malloc_trim(0);
#endif
}

void trim_soon(void)
{
	if (!loop_sim_is_on() && !loop_timer_is_active(&timer))
		loop_timer_start(&timer, DELAY_MS, on_time);
}

void trim_stop(void)
{
	loop_timer_stop(&timer);
}
