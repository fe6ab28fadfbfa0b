/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file systems of a guest stand still, and go on, by its agent. */
#ifndef SUPERVISOR_FREEZE_H
#define SUPERVISOR_FREEZE_H

#include "supervisor/op.h"

/* As [backup] freeze says. */
enum freeze { FREEZE_NO, FREEZE_IF_AGENT, FREEZE_YES };

/*
 * Freezes, or thaws with some patience.  Fails with ERR_GUEST where there is
 * no agent, or what it says.
 */
struct job *freeze_begin(struct vm *vm, bool freeze, struct job *parent,
	op_end_fn *on_end, void *arg);
/* How many file systems it froze or thawed, as the agent says. */
json_int_t freeze_count(const struct job *job);

#endif
