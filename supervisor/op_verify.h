/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backups are read again: every image of them has the sum that it had.  And
 * they are put back: verified, copied beside the VM's images, compared bit by
 * bit, and only then put in their place, all of them or none.
 */
#ifndef SUPERVISOR_OP_VERIFY_H
#define SUPERVISOR_OP_VERIFY_H

#include <jansson.h>

#include "supervisor/op.h"

/*
 * Reads the backup `id` in DIR and all that it is on top of (NULL: all that
 * there are).  A bad one fails the job, once all were read.
 */
struct job *op_verify_begin(struct vm *vm, const char *dir, const char *id,
	struct job *parent, op_end_fn *on_end, void *arg);
/* How many images were good. */
unsigned op_verify_good(const struct job *job);

/* 0 if the VM could be put back; else why not. */
MUST_CHECK int op_putback_check(const struct vm *vm, struct err *err);
struct job *op_putback_begin(struct vm *vm, const char *dir, const char *id,
	op_end_fn *on_end, void *arg);
/* Goes on with what a dead supervisor began.  Before any VM is known. */
void op_putback_recover(const struct env *env);

#endif
