/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan: for a stopped VM what start would do, exactly and doing nothing; for
 * a running one what differs between the file and what runs.
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
/* {"actions":["web.ini:3: [vm] memory 1G -> 2G (hot)", ...]}. */
json_t *plan_changes(const struct vm_spec *spec, const struct vm_spec *running);

#endif
