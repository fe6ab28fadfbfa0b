/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper: the half of vmwardd that has root's powers and does nothing
 * with them but the verbs of keeper_wire.h, for the other half, the brain,
 * which it starts under a user of its own without any capability.  Dies of
 * nonsense (the brain with it), starts a new brain when that was killed, and
 * is the parent of QEMUs, so that they outlive it.  Reads no JSON and no INI.
 */
#ifndef SUPERVISOR_KEEPER_H
#define SUPERVISOR_KEEPER_H

#include "supervisor/keeper_call.h"

/*
 * Is the keeper until the brain leaves by itself: the exit status.  `state`:
 * what an earlier image left of itself (keeper_renew.h), or -1.
 */
int keeper_main(struct keeper *k, int state);

#endif
