/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the record says of a start: before QEMU is there, and after. */
#ifndef SUPERVISOR_INTENT_H
#define SUPERVISOR_INTENT_H

#include "supervisor/vm.h"

/* It is to run, as a new generation; not written yet. */
void intent_fill(struct vm *vm);
/* QEMU was started: who it is, and what it was told; written. */
void intent_launched(struct vm *vm);
/* QEMU has got all that follows its start; written. */
void intent_finished(struct vm *vm);

#endif
