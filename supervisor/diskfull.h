/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The full-disk autopilot: a VM that QEMU stopped because a file system was
 * full goes on by itself once there is space again.  Space is looked at only
 * while a VM is blocked; each try that fails makes the next look later.
 */
#ifndef SUPERVISOR_DISKFULL_H
#define SUPERVISOR_DISKFULL_H

#include "supervisor/vm.h"

/* QEMU stopped the VM for lack of space below a block node. */
void diskfull_begin(struct vm *vm, const char *node);
/* It was found stopped by a disk: for lack of space? */
void diskfull_look(struct vm *vm);
/* Looks for space again after a while, as before an upgrade. */
void diskfull_go_on(struct vm *vm);
/* It runs again, or is gone; harmless when it was not blocked. */
void diskfull_end(struct vm *vm);

#endif
