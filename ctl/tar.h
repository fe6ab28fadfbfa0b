/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing a plain ustar archive: regular files with short names. */
#ifndef CTL_TAR_H
#define CTL_TAR_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/*
 * Adds a file of at most 8 GiB: name of at most 99 bytes, mtime in seconds.
 * ERR_OS when it cannot be written.
 */
MUST_CHECK int tar_add(FILE *out, const char *name, const char *data,
	size_t len, int64_t mtime, struct err *err);
/* The end of the archive; flushes. */
MUST_CHECK int tar_end(FILE *out, struct err *err);

#endif
