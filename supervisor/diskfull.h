/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The full-disk autopilot: a VM that QEMU stopped because a file system was
 * full goes on by itself once there is space again.  Space is looked at only
 * while a VM is blocked; each try that fails makes the next look later.  A
 * disk that fails and may heal (a server that went away, on-eio = pause) is
 * tried again by the clock alone.
 */
#ifndef SUPERVISOR_DISKFULL_H
#define SUPERVISOR_DISKFULL_H

#include "supervisor/vm.h"

/* QEMU stopped the VM: no space below a block node, or it failed. */
void diskfull_begin(struct vm *vm, const char *node, bool nospace);
/* Whether a failure of this node is tried again until it works. */
bool diskfull_heals(const struct vm *vm, const char *node);
/* It was found stopped by a disk: for lack of space? */
void diskfull_look(struct vm *vm);
/* Looks for space again after a while, as before an upgrade. */
void diskfull_go_on(struct vm *vm);
/* It runs again, or is gone; harmless when it was not blocked. */
void diskfull_end(struct vm *vm);

#endif
