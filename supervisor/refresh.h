/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A running VM moves into a new QEMU of the same host.  The new one shares
 * the locks of the old one, its taps and its images, and waits beside it;
 * the guest's memory goes from one to the other; then, as part of the
 * adoption that follows, the old one ends and the new one's files in priv
 * get their names.  Until the memory is over, whole, the old one counts.
 */
#ifndef SUPERVISOR_REFRESH_H
#define SUPERVISOR_REFRESH_H

#include "supervisor/op.h"

/* 0 if what runs can move; else why not. */
MUST_CHECK int refresh_check(const struct vm *vm, struct err *err);
/* Ends when the new one was adopted; a failure leaves the old one. */
struct job *refresh_begin(struct vm *vm, op_end_fn *on_end, void *arg);
/* How long the guest stood still, in ms. */
int64_t refresh_pause_ms(const struct job *job);

/*
 * For an adoption: decides between two QEMUs, if there are two, whoever was
 * moving from one to the other; ends with one.  NULL: there is one at most.
 * Fails when that cannot be told so far.
 */
struct job *refresh_settle_begin(
	struct vm *vm, struct job *parent, op_end_fn *on_end);

#endif
