/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A private directory for a test, removed at its end; absolute names in it. */
#ifndef TESTS_UNIT_TEMP_H
#define TESTS_UNIT_TEMP_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char temp_root[64];

static int temp_remove_one(
	const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void temp_remove(void)
{
	nftw(temp_root, temp_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

__attribute__((unused)) static void temp_make(void)
{
	snprintf(temp_root, sizeof(temp_root), "/tmp/vmward-test.XXXXXX");
	if (!mkdtemp(temp_root))
		abort();
	atexit(temp_remove);
}

/* The name of a file in the directory; valid until the fourth next call. */
__attribute__((unused)) static const char *temp_path(const char *name)
{
	static char at[4][512];
	static unsigned turn;
	char *path = at[turn++ % 4];

	snprintf(path, sizeof(at[0]), "%s/%s", temp_root, name);
	return path;
}

#endif
