/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a VM: its file, our drop-in and its images go.  What is to go
 * is written down first, so that a supervisor that dies half way goes on
 * with it at its next start; before the file is gone nothing has happened.
 */
#ifndef SUPERVISOR_OP_DELETE_H
#define SUPERVISOR_OP_DELETE_H

#include <jansson.h>

#include "base/job.h"
#include "supervisor/vm.h"

/*
 * Starts it for a VM that is down; images: the paths that go (stolen).
 * on_end is told; arg is its.
 */
struct job *op_delete_begin_steal(struct vm *vm, json_t *images,
	void (*on_end)(struct job *job, void *arg), void *arg);

#endif
