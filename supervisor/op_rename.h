/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VM that is down gets another name: its files, the images that are named
 * after it, its logs and what is remembered of it.  Its uuid is written into
 * our drop-in first, so that the guest stays who it is.  What gets which
 * name is written down; a supervisor that dies half way goes on with it at
 * its next start.
 */
#ifndef SUPERVISOR_OP_RENAME_H
#define SUPERVISOR_OP_RENAME_H

#include <jansson.h>

#include "supervisor/vm.h"

/*
 * Starts it; pairs: [[OLD PATH, NEW PATH], ...] in their order, the VM's file
 * last (stolen).  What is not there is left out.  The VM may not start until
 * its end.
 */
struct job *op_rename_begin_steal(struct vm *vm, json_t *pairs,
	void (*on_end)(struct job *job, void *arg), void *arg);
/* Goes on with what a dead supervisor began: at the start. */
void op_rename_recover(const struct env *env);

#endif
