/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of a VM say, until it is known whether that is good: files
 * that are fine one by one can close a cycle together.
 */
#ifndef SUPERVISOR_READING_H
#define SUPERVISOR_READING_H

#include "supervisor/vm.h"

struct reading {
	struct vm *vm;
	struct vm_spec *spec; /* NULL: the files have errors, or are gone */
	struct findings findings;
	bool missing;
};

/* Reads the files; must stay in its place, and be taken over. */
void reading_take(struct reading *r, const struct env *env, struct vm *vm);
/*
 * Refuses those that close a cycle with one another or with what the other
 * VMs (vm.link) say: an error is found, the spec is freed.  The readings are
 * in the order of the VMs.  What did not change its order is not to blame.
 */
void readings_refuse_cycles(
	struct list *vms, struct reading *readings, size_t n);
/* True if the present spec of the VM says another order, or is none. */
bool reading_changes_order(const struct reading *r);

#endif
