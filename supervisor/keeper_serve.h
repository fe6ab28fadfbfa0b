/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the keeper does for the brain: one function a verb, one table. */
#ifndef SUPERVISOR_KEEPER_SERVE_H
#define SUPERVISOR_KEEPER_SERVE_H

#include "supervisor/keeper_call.h"

/*
 * Does a request that is sane: fills reply and descriptors, or `nonsense`.
 * The descriptors that came stay the caller's.
 */
void keeper_serve(struct keeper_call *call);
#endif
