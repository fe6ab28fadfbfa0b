/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VM on its way to the next image of this process: what an adoption would
 * have to ask or guess, its connections included.
 */
#ifndef SUPERVISOR_VM_HANDOVER_H
#define SUPERVISOR_VM_HANDOVER_H

#include "base/handover.h"
#include "supervisor/vm.h"

/* What keeps the VM from moving now ("start"), or NULL. */
const char *vm_busy_with(const struct vm *vm);
/* The VM as an object; new. */
json_t *vm_put(struct handover *h, const struct vm *vm);
/* 0 if it can be gone on with. */
MUST_CHECK int vm_check_moved(const json_t *from, struct err *err);
/*
 * Goes on with it; the VM is known, and its files were read.  False: it
 * must be recovered like any other, its consoles are there already.
 */
bool vm_get(const json_t *from, struct vm *vm);

#endif
