/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readiness: the probe of [start] ready =, from the moment the guest runs
 * until it passes or its time is over.  A probe that passed before the
 * supervisor was restarted stays passed.
 */
#ifndef SUPERVISOR_READY_H
#define SUPERVISOR_READY_H

#include "supervisor/vm.h"

/* Starts the VM's probe (at once `ready` for kind running). */
void ready_begin(struct vm *vm);
/* Ends a probe under way; harmless without one. */
void ready_stop(struct vm *vm);
/* "waiting for agent, 4 s of 2 min", or "" without a probe. */
void ready_describe(const struct vm *vm, struct str *out);
/*
 * True if slirp (the text of `info usernet`) holds connections to our port
 * that the guest has not answered, and none that it has.
 */
bool ready_waits_for_guest(const char *usernet, uint16_t host_port);

#endif
