/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest stands still together with those of other VMs, for a snapshot of
 * all of them: they are stopped in one burst, once everything is prepared.
 * Taking away what a snapshot has in QEMU (live_copy_reap_begin) lets it go
 * on, by us or by a successor.
 */
#ifndef SUPERVISOR_SNAPSHOT_STILL_H
#define SUPERVISOR_SNAPSHOT_STILL_H

#include "supervisor/op.h"
#include "supervisor/snapshot_gate.h"

/*
 * Ends when all guests stand still; frozen: it is, by its agent.  From then
 * on vm->in_snapshot is set, for the caller to clear.
 */
struct job *snapshot_still_begin(struct vm *vm, struct gate_member *member,
	bool frozen, op_end_fn *on_end, void *arg);

#endif
