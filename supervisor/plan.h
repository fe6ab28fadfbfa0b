/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan of a stopped VM: what start would do, exactly and doing nothing.  Of a
 * running one: delta.h.
 */
#ifndef SUPERVISOR_PLAN_H
#define SUPERVISOR_PLAN_H

#include <jansson.h>

#include "supervisor/env.h"
#include "supervisor/spec.h"
#include "supervisor/store.h"

/*
 * {"actions":[text], "argv":[text], "qmp":[text]}; NULL with err.  chains is
 * the text of their record, or NULL.
 */
json_t *plan_start(const struct vm_spec *spec, const struct env *env,
	const struct record *record, const char *chains, struct err *err);

#endif
