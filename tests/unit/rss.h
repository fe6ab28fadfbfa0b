/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of the test itself. */
#ifndef TESTS_UNIT_RSS_H
#define TESTS_UNIT_RSS_H

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

/* False under a sanitizer, whose shadow memory grows as well. */
static inline bool rss_is_exact(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
	return false;
#endif
#endif
	return true;
}

static inline long rss_kib(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

#endif
