/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plugging a nic in and out of a running VM.  Attach is undone wholly when
 * any step fails: no port, no tap, no backend, no slot stays.  Detach waits
 * for the guest as that of a disk does (supervisor/op_disk).
 */
#ifndef SUPERVISOR_OP_NIC_H
#define SUPERVISOR_OP_NIC_H

#include <jansson.h>

#include "supervisor/op.h"

/* Plugs a nic (stolen, with the pairs it was made of) in. */
struct job *op_nic_attach_begin_steal(struct vm *vm, struct spec_nic *nic,
	json_t *pairs, op_end_fn *on_end, void *arg);
/* As op_disk_detach_begin(). */
struct job *op_nic_detach_begin(struct vm *vm, const char *name,
	int64_t timeout_ms, op_detach_pending_fn *on_pending, op_end_fn *on_end,
	void *arg);
/*
 * Takes away what nics left behind that the guest let go when no detach
 * waited for it, and writes what that detach was to write.
 */
struct job *op_nic_reap_begin(struct vm *vm, op_end_fn *on_end, void *arg);

#endif
