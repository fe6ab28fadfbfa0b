/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Golden files: what a test printed once and somebody read.  GOLDEN=write
 * writes them anew.  After tap.h.
 */
#ifndef TESTS_UNIT_GOLDEN_H
#define TESTS_UNIT_GOLDEN_H

#include <fcntl.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

/* The text is the one of the file. */
__attribute__((unused)) static void golden(const char *path, const char *got)
{
	AUTO_STR struct str want = STR_INIT;
	struct err err = ERR_INIT;

	if (getenv("GOLDEN")) {
		AUTO_FREE char *dir =
			xstrndup(path, (size_t)(strrchr(path, '/') - path));
		if (fd_make_dirs(dir, 0755, &err) < 0 ||
			fd_write_file(AT_FDCWD, path, got, strlen(got), 0644,
				false, &err) < 0)
			ok(false, "%s", err.text);
	}
	if (fd_read_file(AT_FDCWD, path, 1 << 20, &want, &err) < 0)
		ok(false, "%s", err.text);
	is_str(got, str_text(&want), "as in %s", path);
}

#endif
