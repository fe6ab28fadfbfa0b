/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verb of the keeper about control groups: those of VMs, below the
 * directory of this supervisor alone, with QEMUs in them and nobody else.
 */
#ifndef SUPERVISOR_KEEPER_GROUP_H
#define SUPERVISOR_KEEPER_GROUP_H

#include "supervisor/keeper_call.h"

/* A struct keeper_group, and of SET and SCORE the pidfd of a QEMU. */
void keeper_do_group(struct keeper_call *call);
/* True for what a VM may be called: no path, and no dot first. */
bool keeper_name_is_vm(const char *name);

#endif
