/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A backup of a VM: all its disks as of one instant, by QEMU's own jobs while
 * it runs and by qemu-img while it is down (it cannot be started meanwhile).
 * It counts once its manifest is on disk; before that a failure, a cancel or
 * a death leaves the old ones, and the bitmaps they go by.
 */
#ifndef SUPERVISOR_OP_BACKUP_H
#define SUPERVISOR_OP_BACKUP_H

#include "supervisor/freeze.h"
#include "supervisor/op.h"

struct backup_wish {
	const char *target; /* absolute */
	const char *id;     /* ""; or the name it gets */
	bool full;
	bool scheduled;
	uint64_t rate; /* bytes a second of each disk; 0: any */
	enum freeze freeze;
};

/* Its own wishes: the VM's [backup]. */
struct backup_wish backup_wish_of(const struct vm_spec *spec);
/* 0 if a backup could begin now; else why not. */
MUST_CHECK int op_backup_check(
	const struct vm *vm, const struct backup_wish *wish, struct err *err);
struct job *op_backup_begin(struct vm *vm, const struct backup_wish *wish,
	op_end_fn *on_end, void *arg);
/*
 * What it made: {"id", "kind", "parent", "why", "path", "bytes", ...}, the
 * manifest without the configuration; new.
 */
json_t *op_backup_result(const struct job *job);

#endif
