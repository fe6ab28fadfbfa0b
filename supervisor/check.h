/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks across keys and devices of one VM; they touch no file. */
#ifndef SUPERVISOR_CHECK_H
#define SUPERVISOR_CHECK_H

#include "base/paths.h"
#include "supervisor/remark.h"
#include "supervisor/spec.h"

/*
 * Works out what one key decides for others (user mode, the clock of
 * Windows) and says what does not fit together.
 */
void check_spec(
	struct vm_spec *spec, enum paths_scope scope, const struct remarks *to);
/*
 * The same for the nics of one spec that are to join those of another, which
 * runs.
 */
void check_nics_beside(struct vm_spec *spec, const struct vm_spec *beside,
	enum paths_scope scope, const struct remarks *to);

#endif
