/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images that strangers made, looked at before any program opens them: what
 * would read another file, or cannot be an image, is refused by its header.
 */
#ifndef STORAGE_FOREIGN_H
#define STORAGE_FOREIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The open file fd (borrowed; path is for messages) is a plain one whose
 * header agrees with format (a static name) and names no other file: no base,
 * no data file, no extents; not encrypted, of a size that makes sense;
 * internal snapshots only if wanted.  Fails with ERR_CONFIG or ERR_OS.
 */
MUST_CHECK int foreign_check(int fd, const char *path, const char *format,
	bool snapshots, struct err *err);
/* The same of a vmdk that lies in a file, from `offset` on for `bytes`. */
MUST_CHECK int foreign_check_part(int fd, const char *path, uint64_t offset,
	uint64_t bytes, struct err *err);
/*
 * Opens a plain file to read: no FIFO, no device.  -1 with ERR_NOT_FOUND,
 * ERR_CONFIG or ERR_OS.
 */
int foreign_open(const char *path, struct err *err);
/* The most that an image may say its guest sees. */
#define FOREIGN_MOST (UINT64_C(64) << 40)

#endif
