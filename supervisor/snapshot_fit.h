/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a running VM can become what a snapshot with memory holds: QEMU
 * finds out too late, when the disks are back already.  So what it was is
 * written down, and compared before anything moves.
 */
#ifndef SUPERVISOR_SNAPSHOT_FIT_H
#define SUPERVISOR_SNAPSHOT_FIT_H

#include <jansson.h>

#include "supervisor/vm.h"

/* What runs can be kept now: nothing is wrong with it; else says what. */
MUST_CHECK int snapshot_fit_live(const struct vm *vm, struct err *err);
/* Puts what runs, or would, into a snapshot. */
void snapshot_fit_describe(const struct vm *vm, json_t *snapshot);
/* It has memory, and what runs has the same devices; else says what differs. */
MUST_CHECK int snapshot_fit_check(
	const struct vm *vm, const json_t *snapshot, struct err *err);

#endif
