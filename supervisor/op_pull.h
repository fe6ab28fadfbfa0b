/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images of other places, as a job: fetched by a child in a cage, taken only
 * with the right sha256, kept in a cache (STATE/cache/SHA256), then imported
 * as any image from outside.
 */
#ifndef SUPERVISOR_OP_PULL_H
#define SUPERVISOR_OP_PULL_H

#include "supervisor/op_image.h"

/*
 * op->volume is the new one, op->from the place in the cache with its format,
 * op->pull.url and .sha256 are said.
 */
void op_image_pull(struct op_image *op, op_image_end *on_end, void *arg);
/* Where what has this digest is kept; new. */
char *op_pull_cache(const struct paths *paths, const char *sha256);

#endif
