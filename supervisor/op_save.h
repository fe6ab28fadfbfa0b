/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saving a running VM to disk, and going on from there.  QEMU gets the file
 * as a descriptor.  A save that fails or is cancelled lets the guest go on.
 */
#ifndef SUPERVISOR_OP_SAVE_H
#define SUPERVISOR_OP_SAVE_H

#include "supervisor/op.h"

/* 0 if what runs could be saved; else why not. */
MUST_CHECK int op_save_check(const struct vm *vm, struct err *err);
/* Ends with the memory on disk and QEMU gone, or with neither. */
struct job *op_save_begin(struct vm *vm, op_end_fn *on_end, void *arg);
/*
 * A mark for a successor of ours, from before QEMU gives its memory away until
 * it is over: whether its guest ran.
 */
MUST_CHECK int op_save_mark(const struct vm *vm, bool ran, struct err *err);
/* True if there is one; and what it says. */
bool op_save_marked(const struct vm *vm, bool *ran);
void op_save_unmark(const struct vm *vm);
/* A dead supervisor was at it; true once. */
bool op_save_was_begun(const struct vm *vm);
/* Undoes that: the guest goes on, if it ran. */
struct job *op_save_reap_begin(struct vm *vm, op_end_fn *on_end, void *arg);

/*
 * For a start, of a QEMU that waits for memory: loads it.  Ends with the
 * guest about to go on, and the memory marked as used.
 */
struct job *op_restore_begin(
	struct vm *vm, struct job *parent, op_end_fn *on_end);

#endif
