/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors of images that were closed while the guest stood still.  QEMU
 * (7.2) only marks a set as removed then, and keeps it until it is told again
 * while its guest runs.
 */
#ifndef SUPERVISOR_FDSET_SWEEP_H
#define SUPERVISOR_FDSET_SWEEP_H

#include <jansson.h>

#include "supervisor/vm.h"

/* An array of numbers: QEMU is told again as soon as its guest runs. */
void fdset_sweep_later(struct vm *vm, const json_t *sets);
/* The guest runs: tells QEMU of those that are left, in a job of its own. */
void fdset_sweep_begin(struct vm *vm);

#endif
