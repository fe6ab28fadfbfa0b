/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The images of a disk into a running QEMU: password, descriptors, block
 * nodes.  supervisor/disk_close takes them out again.
 */
#ifndef SUPERVISOR_DISK_OPEN_H
#define SUPERVISOR_DISK_OPEN_H

#include "base/job.h"
#include "storage/chain.h"
#include "supervisor/vm.h"

/*
 * Gives QEMU the open chain of a disk; both are borrowed until the job has
 * ended, and the chain's descriptors are closed as QEMU gets them.  A child
 * of `parent`, which calls disk_close_start() when it fails.
 */
struct job *disk_open_start(struct vm *vm, const struct spec_disk *disk,
	struct chain *chain, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg);

#endif
