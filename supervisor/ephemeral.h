/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Throw-away VMs ([vm] ephemeral, run --rm): every writable disk becomes an
 * overlay in STATE/ephemeral that is removed when the VM is down.
 */
#ifndef SUPERVISOR_EPHEMERAL_H
#define SUPERVISOR_EPHEMERAL_H

#include "supervisor/env.h"
#include "supervisor/spec.h"

/* What it writes is thrown away, by its file or the command line. */
bool ephemeral_is(const struct vm_spec *spec, const struct env *env);
/* Turns the disks of an ephemeral spec into overlays; else no effect. */
void ephemeral_apply(struct vm_spec *spec, const struct env *env);
/*
 * Removes the overlays of a spec that is ephemeral, or was for once; harmless
 * if there are none.
 */
void ephemeral_sweep(
	const struct vm_spec *spec, const struct env *env, bool once);

#endif
