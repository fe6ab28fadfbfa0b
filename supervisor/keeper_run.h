/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the keeper that start programs: QEMU under a uid of its own,
 * tools of networks with that right alone, hooks as the admin wrote them.
 */
#ifndef SUPERVISOR_KEEPER_RUN_H
#define SUPERVISOR_KEEPER_RUN_H

#include "supervisor/keeper_call.h"

/*
 * rq.path with the words and places of a batch, as rq.shut says, born into
 * the groups of the VM rq.name.  Only a program that is root's.
 */
void keeper_do_qemu(struct keeper_call *call);
/*
 * The helper rq.name of a VM, shut in the same way; rq.number: at which place
 * it gets a directory of its own, or -1.
 */
void keeper_do_helper(struct keeper_call *call);
/* The program rq.name of a short list. */
void keeper_do_tool(struct keeper_call *call);
/* The words of a batch, if a file of root's has just these. */
void keeper_do_hook(struct keeper_call *call);

#endif
