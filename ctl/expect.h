/* SPDX-License-Identifier: GPL-2.0-or-later */
/* console --expect RE --send TEXT: a dialogue for scripts. */
#ifndef CTL_EXPECT_H
#define CTL_EXPECT_H

#include "ctl/call.h"

/*
 * Plays the --expect and --send options of the call in the order typed on a
 * console; prints what the guest writes.  Exit status 0, 5 when an
 * expectation was not met in time, 1 when the console closed before.
 */
int expect_run(const struct call *call, const char *vm, int fd);

#endif
