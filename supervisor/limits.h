/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [limits] of a VM: its control groups at a start, while it runs and after
 * its end, and what is told of them.  A host that cannot limit something
 * runs the VM without; the log and status say so.
 */
#ifndef SUPERVISOR_LIMITS_H
#define SUPERVISOR_LIMITS_H

#include <jansson.h>

#include "base/err.h"
#include "supervisor/cgroup.h"
#include "supervisor/vm.h"

/* What a spec limits by control groups. */
void limits_of(const struct vm_spec *spec, struct cgroup_limits *out);
/* The leaves for a QEMU that is about to be born; what lacks is logged. */
void limits_prepare(struct vm *vm, struct cgroup_birth *birth);
/* A QEMU of it is born: what is set from outside. */
void limits_born(struct vm *vm, pid_t pid);
/* A QEMU that runs gets the limits of a spec; all of them or none. */
MUST_CHECK int limits_apply(
	struct vm *vm, const struct vm_spec *spec, struct err *err);
/* True if the kernel killed somebody in its group for memory. */
bool limits_ran_out(const struct vm *vm);
/* It runs no more: its groups go; -1: somebody is in one still. */
MUST_CHECK int limits_end(const struct vm *vm, struct err *err);
/*
 * What the kernel has for a knob, and what it should: as the key's text, ""
 * for no limit; NULL: nothing was limited, or nobody can tell.  New.
 */
char *limits_text(const struct vm *vm, enum cgroup_knob knob);
char *limits_wish(const struct vm *vm, enum cgroup_knob knob);
/*
 * {"cpu": "150%", ..., "lacks": [{"key":.., "why":..}]} of a VM that runs with
 * limits, new; else null.
 */
json_t *limits_json(const struct vm *vm);

#endif
