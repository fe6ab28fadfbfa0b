/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory in pages of equal pieces, for what comes in crowds and is soon gone
 * (JSON values) and for what stays (a VM): on a common heap the first would
 * leave the second scattered over all that was in use for a moment.  What is
 * too big, or too much, comes from the heap all the same.
 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>

/* As xmalloc(); only for slab_put(). */
void *slab_get(size_t size);
/* One zeroed object of a type; only for slab_put(). */
#define SLAB_NEW(type) ((type *)slab_zeroed(sizeof(type)))
void *slab_zeroed(size_t size);
/* Accepts NULL. */
void slab_put(void *at);
/* Gives unused pages back to the kernel. */
void slab_trim(void);
/* How many pages are in use.  For tests. */
unsigned slab_pages(void);

#endif
