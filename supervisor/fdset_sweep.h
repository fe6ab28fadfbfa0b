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

/* Tells QEMU again, once its guest runs; an array of numbers, stolen. */
void fdset_sweep_later_steal(struct vm *vm, json_t *sets);

#endif
