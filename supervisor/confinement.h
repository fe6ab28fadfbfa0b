/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the QEMU of a VM gives up: decided before its start by the host's
 * settings and by what this supervisor may do; remembered for people.
 */
#ifndef SUPERVISOR_CONFINEMENT_H
#define SUPERVISOR_CONFINEMENT_H

#include <jansson.h>

#include "base/err.h"
#include "base/str.h"
#include "supervisor/host.h"
#include "supervisor/vm.h"

/*
 * The confinement of a start, and the VM's uid (kept in its record).  Fails
 * where what must be applied cannot be.
 */
MUST_CHECK int confinement_plan(
	struct vm *vm, struct host_confine *out, struct err *err);
/* The parts that QEMU was started with. */
void confinement_note(struct vm *vm, unsigned parts);
/* "full", "none (tcg)", "partial", "seccomp"; "-" for none that runs. */
const char *confinement_word(const struct vm *vm);
/* {user, lacks: ["own user", ...]} of a QEMU that runs, new; or null. */
json_t *confinement_json(const struct vm *vm);

#endif
