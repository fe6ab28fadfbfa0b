/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is on top of an image: by the headers of all images of the pools.  One
 * that cannot be read may be on top of any.
 */
#ifndef SUPERVISOR_OVERLAYS_H
#define SUPERVISOR_OVERLAYS_H

#include "base/err.h"
#include "base/paths.h"

struct overlay {
	const char *name, *path; /* of the image, or of a pool as a whole */
	const char *backing;     /* what it is on top of; NULL: not known */
	const struct err *why;   /* with NULL: why it cannot be read */
};

/*
 * Calls `each` for every image of a pool that is on top of another, and for
 * everything that cannot be read.
 */
void overlays_each(const struct paths *paths,
	void (*each)(void *arg, const struct overlay *overlay), void *arg);
/*
 * The name of the first image of a pool whose header says that it is on top
 * of the image at path; new.  NULL if none is known: err then says what could
 * not be read, if anything.
 */
char *overlays_find(
	const struct paths *paths, const char *path, struct err *err);

#endif
