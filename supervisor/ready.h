/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readiness: the probe of [start] ready =, from the moment the guest runs
 * until it passes or its time is over.  A probe that passed before the
 * supervisor was restarted stays passed.
 */
#ifndef SUPERVISOR_READY_H
#define SUPERVISOR_READY_H

#include "base/handover.h"
#include "supervisor/vm.h"

/* Starts the VM's probe (at once `ready` for kind running). */
void ready_begin(struct vm *vm);
/* Ends a probe under way; harmless without one. */
void ready_stop(struct vm *vm);
/* False while a probe's tool or question is under way. */
bool ready_can_move(const struct vm *vm);
/* A probe under way, for the next image of this process; NULL without one. */
json_t *ready_save(struct handover *h, const struct vm *vm);
/* Goes on with it; vm NULL: only checks. */
MUST_CHECK int ready_restore(
	const json_t *from, struct vm *vm, struct err *err);
/* "waiting for agent, 4 s of 2 min", or "" without a probe. */
void ready_describe(const struct vm *vm, struct str *out);
/*
 * True if slirp (the text of `info usernet`) holds connections to our port
 * that the guest has not answered, and none that it has.
 */
bool ready_waits_for_guest(const char *usernet, uint16_t host_port);

#endif
