/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bases that image commit writes to.  STATE/committing/HASH.json (of the
 * base's path) has {"base", "image", "inode", "mtime", "boot"} from before the
 * first write until all is on disk: while it is there and the base is not as
 * it was, that may be half written, and only what reads it through that image
 * reads what it did.
 */
#ifndef SUPERVISOR_COMMITTING_H
#define SUPERVISOR_COMMITTING_H

#include "base/err.h"
#include "base/paths.h"

/* Where the record of a base is; new. */
char *committing_path(const struct paths *paths, const char *base);
/* Writes it; to be made durable, as are its directory and the one above. */
MUST_CHECK int committing_write(const struct paths *paths, const char *base,
	const char *image, struct err *err);
void committing_forget(const struct paths *paths, const char *base);
/* Fails with ERR_STATE and the remedy if the image may be half written. */
MUST_CHECK int committing_check(
	const struct paths *paths, const char *path, struct err *err);
/* The same of all that it is on top of, unless it is read through the image
 * that is committed. */
MUST_CHECK int committing_check_chain(
	const struct paths *paths, const char *path, struct err *err);

#endif
