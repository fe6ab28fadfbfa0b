/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -H HOST[,HOST...]: the same command line on other hosts, by ssh. */
#ifndef CTL_REMOTE_H
#define CTL_REMOTE_H

#include "ctl/call.h"

/*
 * With one host becomes ssh; with several, and for list, runs all in
 * parallel, puts the host in front of each line (or in a column, or in a
 * member of each object).  Returns the highest exit status.
 */
int remote_run(const struct call *call);

#endif
