/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which disks of a VM its snapshots are of: those that it
 * runs with or that its files name, but
 * for what is only read or has snapshot = no.  Pure, but for a look at
 * whether the images are there.
 */
#ifndef SUPERVISOR_SNAPSHOT_DISKS_H
#define SUPERVISOR_SNAPSHOT_DISKS_H

#include <jansson.h>

#include "supervisor/vm.h"

/* They can all have snapshots, and there is one; else says why not. */
MUST_CHECK int snapshot_disks_check(const struct vm *vm, struct err *err);
/* Appends {"disk", "path"} of each to disks, its path to images. */
void snapshot_disks_list(const struct vm *vm, json_t *disks, json_t *images);
/* Those of them whose images are among these; new. */
json_t *snapshot_disks_of(const struct vm *vm, const json_t *images);
/* The VM has the disks of a snapshot, with the same images, and no others. */
MUST_CHECK int snapshot_disks_compare(
	const struct vm *vm, const json_t *then, struct err *err);

#endif
