/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The volume of [seed]: xorriso makes it of three files of ours, beside the
 * old one, which it replaces once it is on disk.
 */
#ifndef SUPERVISOR_OP_SEED_H
#define SUPERVISOR_OP_SEED_H

#include "base/job.h"
#include "supervisor/vm.h"

/*
 * Makes the volume of what vm->running says, if it is not there already:
 * then, or after a failure (err), NULL.  parent is woken at the end and is
 * on_end's arg.
 */
struct job *op_seed_begin(struct vm *vm, struct job *parent,
	void (*on_end)(struct job *job, void *arg), struct err *err);

#endif
