/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Early warning of a full disk: QEMU tells when a growing image has used nine
 * tenths of the space that was free below it, and again for what is left
 * then.  An image that cannot grow that far is not watched.
 */
#ifndef SUPERVISOR_LOWSPACE_H
#define SUPERVISOR_LOWSPACE_H

#include "supervisor/vm.h"

/*
 * The VM runs, or has other disks now: a threshold for each of its disks
 * that makes sense.
 */
void lowspace_begin(struct vm *vm);
/* BLOCK_WRITE_THRESHOLD of a node: a warning, and the next threshold. */
void lowspace_crossed(struct vm *vm, const char *node);

#endif
