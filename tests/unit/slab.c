/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The slab of small pieces. */
#include "base/slab.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "tests/unit/tap.h"

enum { MANY = 20000, LIVE = 3000 };

static unsigned char *live[LIVE];
static size_t sizes[LIVE];

static unsigned random_number(void)
{
	static uint32_t state = 1;

	state = state * 1664525 + 1013904223;
	return state >> 8;
}

static bool is_whole(unsigned i)
{
	for (size_t at = 0; at < sizes[i]; at++)
		if (live[i][at] != (unsigned char)i)
			return false;
	return true;
}

/* Pieces of all sizes come and go; none touches another. */
static void test_crowd(void)
{
	unsigned broken = 0, odd = 0;

	for (unsigned n = 0; n < MANY; n++) {
		unsigned i = random_number() % LIVE;

		broken += live[i] && !is_whole(i);
		slab_put(live[i]);
		sizes[i] = random_number() % 700;
		live[i] = slab_get(sizes[i]);
		odd += (uintptr_t)live[i] % 16 != 0;
		memset(live[i], (int)i, sizes[i]);
		if (n % 1000 == 0)
			slab_trim();
	}
	is_int(broken, 0, "no piece was touched by another");
	is_int(odd, 0, "each is aligned for anything");
	for (unsigned i = 0; i < LIVE; i++)
		slab_put(live[i]);
	is_int(slab_pages(), 0, "all pages are free at the end");
	slab_trim();
	slab_trim();
	is_int(slab_pages(), 0, "and stay so");
}

/* More than it has comes from the heap. */
static void test_too_much(void)
{
	enum { LOTS = 40000, SIZE = 500 };
	static void *lots[LOTS];
	unsigned same = 0;

	for (unsigned i = 0; i < LOTS; i++) {
		lots[i] = slab_get(SIZE);
		memset(lots[i], 0, SIZE);
	}
	for (unsigned i = 1; i < LOTS; i++)
		same += lots[i] == lots[i - 1];
	is_int(same, 0, "20 MB are served");
	for (unsigned i = 0; i < LOTS; i++)
		slab_put(lots[i]);
	is_int(slab_pages(), 0, "and taken back");
}

int main(void)
{
	void *big = slab_get(100000);

	memset(big, 1, 100000);
	slab_put(big);
	slab_put(NULL);
	is_int(slab_pages(), 0, "what is big is no page");
	slab_put(slab_get(0));
	is_int(slab_pages(), 0, "nothing is a piece too");
	test_crowd();
	test_too_much();
	return done();
}
