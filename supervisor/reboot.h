/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which way a guest's own reboot goes ([restart] on-guest-reboot): warm in
 * the same QEMU, or as an end, so that pending edits arrive with it.
 */
#ifndef SUPERVISOR_REBOOT_H
#define SUPERVISOR_REBOOT_H

#include "supervisor/vm.h"

/* Tells QEMU when the way changed: after start, adoption and each reload. */
void reboot_follow(struct vm *vm);
/* A reset was seen: the host's own is over once no more have come. */
void reboot_on_reset(struct vm *vm);
/* True if a reboot of the guest is to end its QEMU. */
bool reboot_is_end(const struct vm *vm);

#endif
