/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a QEMU: its cause, and what policy makes of it. */
#ifndef SUPERVISOR_SETTLE_H
#define SUPERVISOR_SETTLE_H

#include "supervisor/vm.h"

/*
 * Nothing runs any more and no operation is under way: classifies the end,
 * records it, tells of it, and posts EV_END_* by orders and policy.
 */
void settle(struct vm *vm);

/* What its file and its record wish at a boot of the host. */
bool settle_starts_at_boot(const struct vm *vm);

#endif
