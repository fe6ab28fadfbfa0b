/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a burst took goes back, a second later and only once. */
#include "base/trim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/mem.h"

#include "tests/unit/tap.h"

/* A sanitizer brings an allocator of its own. */
#ifdef __SANITIZE_ADDRESS__
#define OTHER_MALLOC
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OTHER_MALLOC
#endif
#endif

enum { BLOCKS = 8192, SIZE = 1000 };

/* Resident pages of this process. */
static long resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		pages = -1;
	if (file)
		fclose(file);
	return pages;
}

/* Takes 8 MiB and frees all but the last block, which holds the heap up. */
static char *burst(void)
{
	static char *blocks[BLOCKS];

	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = xmalloc(SIZE);
		memset(blocks[i], i, SIZE);
	}
	for (int i = 0; i < BLOCKS - 1; i++)
		free(blocks[i]);
	return blocks[BLOCKS - 1];
}

int main(void)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *last = NULL;
	long before, after;

	if (loop_init(&err) < 0)
		return 1;
	last = burst();
	before = resident();
	trim_soon();
	trim_soon();
	ok(resident() >= before, "nothing happens at once");
	loop_run(); /* ends: no timer is left */
	after = resident();
#if defined(HAVE_MALLOC_TRIM) && !defined(OTHER_MALLOC)
	ok(before - after > BLOCKS * SIZE / 4096 / 2,
		"it went back: %ld pages, then %ld", before, after);
#else
	(void)(before - after); /* the C library does it, or cannot */
#endif
	trim_soon();
	trim_stop();
	loop_run();
	ok(true, "a wish that is forgotten keeps nobody waiting");
	loop_fini();
	return done();
}
