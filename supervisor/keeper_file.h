/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the keeper about files: what the admin named is opened, and
 * files of VMs are made, removed and renamed below vms.
 */
#ifndef SUPERVISOR_KEEPER_FILE_H
#define SUPERVISOR_KEEPER_FILE_H

#include "supervisor/keeper_call.h"

/* rq.path with rq.flags: one descriptor. */
void keeper_do_open(struct keeper_call *call);
/* A new file rq.name of the brain's below vms: one descriptor. */
void keeper_do_create(struct keeper_call *call);
/* A directory of the brain's. */
void keeper_do_make_dir(struct keeper_call *call);
/* rq.name goes; rq.flags of unlinkat(2). */
void keeper_do_remove(struct keeper_call *call);
/* rq.name becomes rq.other. */
void keeper_do_rename(struct keeper_call *call);

/*
 * What the brain or a user of VMs owns becomes that of the user rq.number,
 * the brain or one of VMs, and the brain's group has it, too.
 */
void keeper_do_give(struct keeper_call *call);

#endif
