/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A running VM follows its file, as one transaction. */
#ifndef SUPERVISOR_OP_APPLY_H
#define SUPERVISOR_OP_APPLY_H

#include "supervisor/delta.h"
#include "supervisor/op.h"

/*
 * Does what of the differences can be done now, or nothing: a step that fails
 * undoes those before it, but for disks that grew.
 */
struct job *op_apply_begin(struct vm *vm, op_end_fn *on_end, void *arg);
/* All differences that it found: the hot ones are done when it ends well. */
const struct deltas *op_apply_deltas(const struct job *job);
/* How many devices the guest keeps for now: they go when it lets them go. */
unsigned op_apply_kept(const struct job *job);

#endif
