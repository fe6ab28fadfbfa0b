/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nics of a VM on networks and bridges: ports, rules, taps, in that
 * order, before QEMU starts; or what of it a QEMU that was adopted lacks.
 */
#ifndef SUPERVISOR_OP_NICS_H
#define SUPERVISOR_OP_NICS_H

#include "base/job.h"
#include "supervisor/taps.h"
#include "supervisor/vm.h"

/*
 * Makes the taps of what vm->running says; NULL if it has none.  They are
 * the caller's, closed or not, at the end.  parent is woken at the end and
 * is on_end's arg.
 */
struct job *op_nics_begin(struct vm *vm, struct taps *taps, struct job *parent,
	void (*on_end)(struct job *job, void *arg));
/* The same for one nic that is to be plugged in; parent is woken. */
struct job *op_nics_plug_begin(struct vm *vm, const struct spec_nic *nic,
	struct taps *taps, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg);
/* The same for a QEMU that has its taps; NULL if it has none. */
struct job *op_nics_adopt_begin(
	struct vm *vm, void (*on_end)(struct job *job, void *arg), void *arg);

/*
 * The port of a nic that is plugged in has the VLANs, isolate and forwards
 * of this one; done at once.
 */
MUST_CHECK int op_nics_change(
	const struct vm *vm, const struct spec_nic *nic, struct err *err);

#endif
