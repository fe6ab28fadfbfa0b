/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tidies up behind a VM: what is down leaves nothing in the run directory.
 * Whoever holds the lock lives, so nothing goes unless it is seen to be
 * free; what cannot be seen or removed now is tried again.
 */
#ifndef SUPERVISOR_TIDY_H
#define SUPERVISOR_TIDY_H

#include "supervisor/vm.h"

/* The VM is down: its consoles, sockets, lock and directory go. */
void tidy_up(struct vm *vm);
/* The same where there is anything left. */
void tidy_rest(struct vm *vm);

#endif
