/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One timer, started by the first of many wishes: an idle supervisor does not
 * wake up, a busy one trims once a second at most.
 */
#include "base/trim.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif

#include "base/loop.h"
#include "base/slab.h"

enum { DELAY_MS = 1000 };

static struct loop_timer timer;

/*
 * The code that the burst went through: an idle supervisor maps what its
 * loop needs, and the rest again with a page fault or two when it is needed.
 */
static void drop_code(void)
{
	extern const char __executable_start, etext;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	uintptr_t begin = ((uintptr_t)&__executable_start + page) & ~page;
	uintptr_t end = (uintptr_t)&etext & ~page;

	if (end > begin)
		madvise((void *)begin, end - begin, MADV_DONTNEED);
}

static void on_time(struct loop_timer *due UNUSED)
{
	slab_trim();
	drop_code();
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
