/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How large a running VM is: its vCPUs and its memory. */
#ifndef SUPERVISOR_OP_SIZE_H
#define SUPERVISOR_OP_SIZE_H

#include "supervisor/op.h"

/* So many vCPUs; those that were plugged in before a failure stay. */
struct job *op_cpus_begin(
	struct vm *vm, uint64_t cpus, op_end_fn *on_end, void *arg);
/*
 * So much memory, by its virtio-mem device.  It ends well when QEMU offers
 * it: a guest that has not taken (or given) all of it by then goes on.
 */
struct job *op_memory_begin(
	struct vm *vm, uint64_t bytes, op_end_fn *on_end, void *arg);
/* What the balloon is to leave the guest; as op_memory_begin. */
struct job *op_balloon_begin(struct vm *vm, uint64_t bytes, int64_t timeout_ms,
	op_end_fn *on_end, void *arg);
/* Of an ended op_memory or op_balloon: what the guest has by now. */
uint64_t op_memory_has(const struct job *job);

#endif
