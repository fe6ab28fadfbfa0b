/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work on images, as jobs: each runs qemu-img with explicit formats, syncs
 * what it wrote, and leaves the old state or the new one.
 */
#ifndef SUPERVISOR_OP_IMAGE_H
#define SUPERVISOR_OP_IMAGE_H

#include <jansson.h>

#include "base/durable.h"
#include "storage/image.h"
#include "supervisor/env.h"
#include "supervisor/pool_space.h"
#include "supervisor/volume.h"

struct op_image {
	struct job job;
	const struct env *env;
	struct volume volume;
	struct qemu_img *run; /* while it runs */
	struct err run_err;
	json_t *printed; /* by the last run, or NULL */
	int code;        /* its exit */
	uint64_t size;   /* resize, create */
	bool shrink;     /* resize */
	bool repair;     /* check */
	bool repair_all;
	struct volume from; /* of a copy, or the base of an overlay */
	bool copy;
	uint64_t copied; /* virtual size of the source; 0: unknown */
	bool compress;
	bool snapshots; /* import: those inside are left out, not refused */
	char *options;
	struct image_create *make; /* while it runs */
	struct durable durable;
	struct pool_claim claim; /* of its pool, until the end */
	json_t *result;          /* for on_end */
};

/* Plain values are filled in before the start; then the job owns it. */
struct op_image *op_image_new_steal(
	const struct env *env, struct volume *volume);
/* An op that was never started. */
void op_image_free(struct op_image *op);

typedef void op_image_end(struct job *job, void *arg);
/* What qemu-img says of it; works on an image in use. */
void op_image_info(struct op_image *op, op_image_end *on_end, void *arg);
/* Looks for errors; repair: corrects leaks; repair_all: all of them. */
void op_image_check(struct op_image *op, op_image_end *on_end, void *arg);
/* To op->size; smaller only with op->shrink. */
void op_image_resize(struct op_image *op, op_image_end *on_end, void *arg);
/*
 * Makes it: empty (op->size), an overlay of op->from, or (op->copy) a copy
 * of it.  The space that a copy takes is measured first.
 */
void op_image_make(struct op_image *op, op_image_end *on_end, void *arg);
/* Removes it, durably. */
void op_image_delete(struct op_image *op, op_image_end *on_end, void *arg);
struct op_image *op_image_of(struct job *job);

#endif
