/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must be made before a disk can be opened (REFERENCE 1.4). */
#ifndef SUPERVISOR_IMAGE_PLAN_H
#define SUPERVISOR_IMAGE_PLAN_H

#include <stdint.h>

#include "base/err.h"
#include "base/paths.h"
#include "storage/image.h"
#include "supervisor/pool_space.h"
#include "supervisor/spec.h"

struct image_plan {
	struct image_wish wish; /* points into those below */
	char *path;
	char *base;           /* or NULL */
	char *options;        /* or NULL */
	struct secret secret; /* that is to open it */
};

/*
 * 1: the image is missing and the plan says how to make it; 0: it is there;
 * -1: neither can be.  The plan must be released in every case; the claim
 * (or NULL) holds what the pool's quota admits until the image is made.
 */
MUST_CHECK int image_plan_make(const struct vm_spec *spec,
	const struct spec_disk *disk, const struct paths *paths,
	struct image_plan *plan, struct pool_claim *claim, struct err *err);
void image_plan_fini(struct image_plan *plan);

#endif
