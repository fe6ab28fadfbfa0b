/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images as people name them: a volume of a pool or a path, its format,
 * and who needs it.  Nothing here changes an image.
 */
#ifndef SUPERVISOR_VOLUME_H
#define SUPERVISOR_VOLUME_H

#include <jansson.h>

#include "base/err.h"
#include "storage/backing.h"
#include "supervisor/needs.h"
#include "supervisor/pool.h"

struct volume {
	char *name; /* as it was given */
	char *path; /* absolute */
	char *pool; /* whose directory it is in; NULL: of none */
	const char *format;
};

/*
 * name: with a slash an absolute path, without one a volume of the pool (""
 * is default): [A-Za-z0-9_@+-], dots and digits, 1 to 128 bytes, no leading
 * dot or dash.  format: NULL or "": by the suffix, else the pool's.  Fails
 * with ERR_USAGE, or as pool_find().
 */
MUST_CHECK int volume_name(const struct env *env, const char *pool,
	const char *name, const char *format, struct volume *volume,
	struct err *err);
void volume_fini(struct volume *volume);
/* Fails with ERR_OS naming both if its directory has less space left. */
MUST_CHECK int volume_has_space(
	const struct volume *volume, uint64_t needed, struct err *err);
/* It exists, is a regular file or a block device, and its header does not
 * contradict its format. */
MUST_CHECK int volume_check(const struct volume *volume, struct err *err);
/*
 * Who needs the image at path: ["web (its disk root)", "web-root.qcow2 (its
 * overlay)"].  New.  Overlays are looked for in the pools only.
 */
json_t *volume_users(
	struct registry *registry, const char *path, unsigned needs);
/* Fails with ERR_BUSY naming the first users, if there are any. */
MUST_CHECK int volume_must_be_free(struct registry *registry,
	const struct volume *volume, unsigned needs, struct err *err);
/* The same; who needs it only below the image `but` does not count. */
MUST_CHECK int volume_must_be_free_but(struct registry *registry,
	const struct volume *volume, unsigned needs, const char *but,
	struct err *err);
/* What may be below an image: what is in the pool, and what a VM's file calls
 * a base. */
struct chain_rules volume_rules(struct registry *registry);
/*
 * Before a VM starts: none of the images that it would write is what others
 * are on top of, and none that it would read is half of a commit.  Fails with
 * ERR_STATE and the remedy.
 */
MUST_CHECK int volume_check_bases(
	struct registry *registry, const struct vm *vm, struct err *err);
/*
 * All images of a pool, or (NULL) of all of them, [{name, pool, path, format,
 * size, allocated, backing, users}], by name.
 */
json_t *volume_list(struct registry *registry, const struct pool *pool);

#endif
