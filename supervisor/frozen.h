/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest whose file systems a person froze.  They go on when he says so, and
 * at a deadline that is armed before anything is frozen; a mark beside the
 * sockets lets a successor of ours thaw it at once.
 */
#ifndef SUPERVISOR_FROZEN_H
#define SUPERVISOR_FROZEN_H

#include "supervisor/op.h"

/* Freezes for that time at most; one that fails thaws. */
struct job *frozen_begin(
	struct vm *vm, int64_t time_ms, op_end_fn *on_end, void *arg);
/* Thaws, whoever froze it. */
struct job *frozen_thaw_begin(struct vm *vm, op_end_fn *on_end, void *arg);
/* How many file systems that was. */
json_int_t frozen_count(const struct job *job);
/* A predecessor of ours froze it, and nobody is left who would thaw it. */
void frozen_thaw_if_marked(struct vm *vm);
/* Its QEMU is gone. */
void frozen_forget(struct vm *vm);

#endif
