/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Closing the images of a disk in a running QEMU: the nodes of its chain
 * from the top down, then their fd sets.  QEMU itself is asked which there
 * are, so it works after any crash, and for a half-made attach.
 */
#ifndef SUPERVISOR_DISK_CLOSE_H
#define SUPERVISOR_DISK_CLOSE_H

#include "base/job.h"
#include "supervisor/vm.h"

/*
 * A child job: the parent is woken at its end, after on_end.  Fails if the
 * node on top stays; sets that are left are QEMU's to drop.  No node at all
 * is fine, too.
 */
struct job *disk_close_start(struct vm *vm, const char *disk,
	struct job *parent, void (*on_end)(struct job *job, void *arg),
	void *arg);

#endif
