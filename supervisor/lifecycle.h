/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a VM as one state x event matrix, and what a QEMU's events and
 * end mean for it.  tests/golden/lifecycle.txt is the matrix in print.
 */
#ifndef SUPERVISOR_LIFECYCLE_H
#define SUPERVISOR_LIFECYCLE_H

#include "supervisor/vm.h"

/* A VM that follows the matrix. */
struct vm *lifecycle_new(const struct env *env, const char *name);
/* 0, or -1 with ERR_STATE ("web is stopping") when the cell is empty. */
MUST_CHECK int lifecycle_accepts(
	const struct vm *vm, enum vm_event event, struct err *err);
/*
 * A VM becomes known: reads the record, looks at the lock, adopts what
 * lives.  At the supervisor's own start (boot) it also starts what should
 * run.  The VM's spec was loaded before.
 */
void lifecycle_recover(struct vm *vm, bool boot);
/* The matrix as text: one line per cell that is not empty. */
void lifecycle_print(struct str *out);

#endif
