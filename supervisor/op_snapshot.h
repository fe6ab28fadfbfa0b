/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work on the snapshots of a VM, as jobs.  All its disks or none: what was
 * half done is undone by the job itself, or, if we died in the middle, by the
 * next job or start (snapshot_step_mend).
 */
#ifndef SUPERVISOR_OP_SNAPSHOT_H
#define SUPERVISOR_OP_SNAPSHOT_H

#include "supervisor/snapshot_step.h"

/* Work can begin: it is down or runs, and nobody is at work on it. */
MUST_CHECK int op_snapshot_check(const struct vm *vm, struct err *err);
/*
 * Of the images of all disks as they are now.  While a job works the VM does
 * not start.  At the end op_snapshot_name() tells the name.
 */
struct job *op_snapshot_create(struct vm *vm,
	const struct op_snapshot_wish *wish, op_snapshot_end *on_end,
	void *arg);
/* All disks hold again what they held then. */
struct job *op_snapshot_revert(struct vm *vm,
	const struct op_snapshot_wish *wish, op_snapshot_end *on_end,
	void *arg);
struct job *op_snapshot_delete(struct vm *vm,
	const struct op_snapshot_wish *wish, op_snapshot_end *on_end,
	void *arg);
struct job *op_snapshot_rename(struct vm *vm,
	const struct op_snapshot_wish *wish, op_snapshot_end *on_end,
	void *arg);
/* One that no image has: it tells people where it came from; new. */
char *op_snapshot_tag(const char *name);
/* What a tree is to get of a create that is done to the disks; borrowed. */
json_t *op_snapshot_made(const struct job *job);
/* The name that a job made, or worked on; valid until it is freed. */
const char *op_snapshot_name(const struct job *job);
/* "created", or what it did; "" as long as it did nothing. */
const char *op_snapshot_action(const struct job *job);

/*
 * Before a start: reverts if a crash loop made that due, or mends what was
 * cut short; a child of parent (arg of on_end).  NULL: nothing is to be done.
 */
struct job *op_snapshot_before_start(
	struct vm *vm, struct job *parent, op_snapshot_end *on_end);
/* A VM that is down became known: what was cut short is mended. */
void op_snapshot_recover(struct vm *vm);

#endif
