/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the keeper does for the brain, as functions of the modules that have
 * the power in one process: QEMU and helpers under users of VMs, networks,
 * control groups.
 */
#ifndef SUPERVISOR_KEEPER_BRAIN_H
#define SUPERVISOR_KEEPER_BRAIN_H

/* From now on they ask. */
void keeper_brain_open(void);

#endif
