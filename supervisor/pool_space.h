/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in pools: how much they hold, how much is promised, and whether a
 * quota admits more.  Reads directories and headers, changes nothing.
 */
#ifndef SUPERVISOR_POOL_SPACE_H
#define SUPERVISOR_POOL_SPACE_H

#include <jansson.h>

#include "supervisor/pool.h"

/* Bytes. */
struct pool_space {
	uint64_t
		capacity; /* of the file system, or the quota if that is less */
	uint64_t available; /* that new images could still fill */
	uint64_t allocated; /* that images take by now */
	uint64_t promised;  /* their virtual sizes together */
	unsigned volumes;
};

/* Fails where the directory cannot be read. */
MUST_CHECK int pool_space_measure(
	const struct pool *pool, struct pool_space *out, struct err *err);

/* Growth that a job is about to make; counted until it is released. */
struct pool_claim {
	struct list link;
	char *dir; /* NULL: claims nothing */
	uint64_t bytes;
};

/*
 * A file at path may have so many more virtual bytes: the quota of the pool
 * that it is in, if any, admits them; then the claim (or NULL) holds them.
 * Fails with ERR_LIMIT saying what is needed and what is left.
 */
MUST_CHECK int pool_claim(const struct paths *paths, const char *path,
	uint64_t bytes, struct pool_claim *claim, struct err *err);
void pool_claim_release(struct pool_claim *claim);

/* {name, path, format, quota, prealloc, capacity, ..., error}. */
json_t *pool_report(const struct pool *pool);

#endif
