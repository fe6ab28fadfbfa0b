/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper becomes the program on disk, as the brain did before: same
 * process, same children, same socket.
 */
#ifndef SUPERVISOR_KEEPER_RENEW_H
#define SUPERVISOR_KEEPER_RENEW_H

#include "supervisor/keeper_call.h"

/* Returns with err and all as it was, or not at all. */
MUST_CHECK int keeper_renew(struct keeper *k, struct err *err);
/* In the new image: what the old one left in that descriptor. */
MUST_CHECK int keeper_resume(struct keeper *k, int state, struct err *err);

#endif
