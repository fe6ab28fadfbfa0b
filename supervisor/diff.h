/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between what is written and what runs, by their files alone;
 * pure.  What of it can be done now, and what QEMU itself has: delta.h.
 */
#ifndef SUPERVISOR_DIFF_H
#define SUPERVISOR_DIFF_H

#include "supervisor/spec.h"

struct difference {
	const char *section; /* "disk.data" */
	const char *key;     /* NULL: the section is new, or gone */
	/* new: NULL for what is no longer written, old: for what is new */
	const struct ini_entry *old, *new;
};

typedef void diff_fn(void *arg, const struct difference *d);

/*
 * Calls each() for every key whose value differs, and once for a section
 * whose device only one of them has.  Keys of policy are left out: they are
 * in force as soon as they are read.  The saved copy of a running spec holds
 * the uuid in any case; that is no difference.
 */
void diff_specs(const struct vm_spec *spec, const struct vm_spec *running,
	diff_fn *each, void *arg);
/* The number of them. */
unsigned diff_count(const struct vm_spec *spec, const struct vm_spec *running);

#endif
