/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bases that image commit writes to.  STATE/committing/HASH.json (of the
 * base's path) has {"base", "image", "keep", "inode", "mtime", "boot"} from
 * before the first write until all is on disk: while it is there and the base
 * is not as it was, that may be half written, and only what reads it through
 * that image reads what it did.
 */
#ifndef SUPERVISOR_COMMITTING_H
#define SUPERVISOR_COMMITTING_H

#include <stdbool.h>

#include "base/err.h"
#include "base/paths.h"
#include "supervisor/vm.h"

/* Where the record of a base is; new. */
char *committing_path(const struct paths *paths, const char *base);
/*
 * Writes it; to be made durable, as are its directory and the one above.
 * keep: the image is not emptied at the end.
 */
MUST_CHECK int committing_write(const struct paths *paths, const char *base,
	const char *image, bool keep, struct err *err);
void committing_forget(const struct paths *paths, const char *base);
/* Fails with ERR_STATE and the remedy if the image may be half written. */
MUST_CHECK int committing_check(
	const struct paths *paths, const char *path, struct err *err);
/* The same of all that it is on top of, unless it is read through the image
 * that is committed. */
MUST_CHECK int committing_check_chain(
	const struct paths *paths, const char *path, struct err *err);
/* The same of all disks that the VM would read. */
MUST_CHECK int committing_check_disks(const struct vm *vm, struct err *err);
/*
 * Before the image at path gets another name or goes: fails with ERR_STATE and
 * the remedy while its base has half of it.
 */
MUST_CHECK int committing_check_moves(
	const struct paths *paths, const char *path, struct err *err);

/* One that did not end. */
struct committing {
	const char *base;
	const char *image;
	bool keep;
};
/* Of each whose base may be half written; forgets the others. */
void committing_each(const struct paths *paths,
	void (*each)(void *arg, const struct committing *c), void *arg);

#endif
