/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between what is written and what runs; pure. */
#ifndef SUPERVISOR_DIFF_H
#define SUPERVISOR_DIFF_H

#include "supervisor/spec.h"

/*
 * Calls each() for every key whose value differs: new is NULL for one that
 * is no longer written, old NULL for one that is new.  Keys of policy are
 * left out: they are in force as soon as they are read.  The saved copy of
 * a running spec holds the uuid in any case; that is no difference.
 */
void diff_specs(const struct vm_spec *spec, const struct vm_spec *running,
	void (*each)(void *arg, const struct ini_entry *old,
		const struct ini_entry *new),
	void *arg);
/* The number of them. */
unsigned diff_count(const struct vm_spec *spec, const struct vm_spec *running);

#endif
