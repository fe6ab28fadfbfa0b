/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a snapshot holds is for others to read: served over NBD (mounts.h), or
 * copied into a directory as images of their own, with the VM's file of then.
 */
#ifndef SUPERVISOR_OP_MOUNT_H
#define SUPERVISOR_OP_MOUNT_H

#include <jansson.h>

#include "supervisor/op.h"

/*
 * Serves the disks of a snapshot (borrowed: of a tree), or the one that is
 * named; ends when they can be connected to.  On failure none is.
 */
struct job *op_mount_begin(struct vm *vm, const json_t *snapshot,
	const char *disk, op_end_fn *on_end, void *arg);
/*
 * DIR/VM-DISK.qcow2 of each disk and DIR/VM.ini; nothing of them may be there.
 * On failure nothing of them is.
 */
struct job *op_export_begin(struct vm *vm, const json_t *snapshot,
	const char *dir, op_end_fn *on_end, void *arg);
/* What it made: [PATH, ...]; borrowed. */
const json_t *op_export_made(const struct job *job);

#endif
