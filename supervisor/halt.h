/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stops a guest against its will: a panic, its watchdog, a disk error.
 * By [restart] it is kept paused for a look, or that was its end.
 */
#ifndef SUPERVISOR_HALT_H
#define SUPERVISOR_HALT_H

#include "supervisor/vm.h"

/*
 * QEMU stopped the guest, or not: notes why; a disk without space is left to
 * diskfull.  True if that was the end of this life.
 */
bool halt_on_event(struct vm *vm, const struct qmp_event *event);
/*
 * The same of the run state that an adoption found, with the block node that
 * had no space, or "".  False for a state that is no halt.
 */
bool halt_found(struct vm *vm, const char *status, const char *full_node);
/* True if what stopped the guest is the end of this life. */
bool halt_is_over(const struct vm *vm);

#endif
