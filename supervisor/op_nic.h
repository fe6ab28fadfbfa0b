/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plugging a nic into a running VM.  It is undone wholly when any step
 * fails: no port, no tap, no backend, no slot stays.  What takes one out is
 * supervisor/op_device.
 */
#ifndef SUPERVISOR_OP_NIC_H
#define SUPERVISOR_OP_NIC_H

#include <jansson.h>

#include "supervisor/op.h"

/* Plugs a nic (stolen, with the pairs it was made of) in. */
struct job *op_nic_attach_begin_steal(struct vm *vm, struct spec_nic *nic,
	json_t *pairs, op_end_fn *on_end, void *arg);

#endif
