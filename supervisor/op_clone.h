/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VM becomes two: its images are copied, or become bases that both have
 * overlays of; of one that is up by QEMU.  Then the file of the new VM is put
 * in place.  Until that is there a failure, or a supervisor that dies, leaves
 * the old state.
 */
#ifndef SUPERVISOR_OP_CLONE_H
#define SUPERVISOR_OP_CLONE_H

#include <jansson.h>

#include "base/durable.h"
#include "storage/image.h"
#include "supervisor/config.h"
#include "supervisor/live_copy.h"
#include "supervisor/live_link.h"
#include "supervisor/vm.h"

/* One image to make, and what gets another name before. */
struct clone_step {
	char *old; /* renamed to base; or NULL */
	char *path;
	char *base; /* of an overlay; else it is a copy of from */
	char *from;
	const char *format; /* of path */
	const char *from_format;
	bool verbatim; /* encrypted: the key of its header goes along */
};

struct op_clone {
	struct job job;
	struct vm *vm;
	char *name; /* of the new VM */
	char *text; /* of its file */
	struct clone_step *steps;
	size_t nsteps, at;
	json_t *journal;
	json_t *notes; /* for people */
	struct image_step make;
	struct live_copy *live; /* to be started; or NULL */
	struct live_link *link; /* the same */
	struct job *working;    /* one of them, while it runs */
	struct err work_err;    /* how that ended */
	bool linked;            /* that was begun */
	enum live_end end;      /* of what was linked */
	struct config_change change;
	struct durable durable;
	bool committed;
	bool holds; /* the VM may not start until the end */
};

/* Empty; freed by the job, or by op_clone_free() if that is never started. */
struct op_clone *op_clone_new(struct vm *vm, const char *name);
void op_clone_free(struct op_clone *op);
/* A full copy of an image. */
void op_clone_add_copy(struct op_clone *op, const char *from,
	const char *from_format, const char *path, const char *format);
/* The same of an encrypted one: its bytes as they are. */
void op_clone_add_verbatim(struct op_clone *op, const char *from,
	const char *path, const char *format);
/* A copy of a disk that QEMU has. */
void op_clone_add_live(struct op_clone *op, const struct live_copy_wish *wish);
/* A disk that QEMU has becomes a base. */
void op_clone_add_link(struct op_clone *op, const struct live_link_wish *wish);
/* image becomes base; it and path become overlays of that. */
void op_clone_add_overlay(struct op_clone *op, const char *image,
	const char *base, const char *path);
/* A VM that is down may not start until its end. */
void op_clone_start(struct op_clone *op,
	void (*on_end)(struct job *job, void *arg), void *arg);
struct op_clone *op_clone_of(struct job *job);

#endif
