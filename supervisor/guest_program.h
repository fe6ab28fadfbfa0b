/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small program in the guest, run to its end by the agent: its exit status
 * and the little that it says.  What people run is supervisor/guest_exec's.
 */
#ifndef SUPERVISOR_GUEST_PROGRAM_H
#define SUPERVISOR_GUEST_PROGRAM_H

#include "supervisor/op.h"

/*
 * argv: NULL-terminated words, copied.  Fails with what the agent says, or
 * ERR_TIMEOUT when it does not end.
 */
struct job *guest_program_begin(struct vm *vm, const char *const *argv,
	struct job *parent, op_end_fn *on_end, void *arg);
/* Its exit status, or 128 + the signal. */
int guest_program_status(const struct job *job);
/* What it wrote to its stdout; borrowed. */
const char *guest_program_said(const struct job *job);

#endif
