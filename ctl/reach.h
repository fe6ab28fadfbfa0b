/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which supervisor is meant, and the VMs that patterns stand for. */
#ifndef CTL_REACH_H
#define CTL_REACH_H

#include <jansson.h>

#include "base/err.h"
#include "base/paths.h"
#include "ctl/call.h"
#include "ctl/wire.h"

/* The paths of the supervisor meant: system, --user or -f FILE. */
MUST_CHECK int reach_paths(
	const struct call *call, struct paths *paths, struct err *err);
/* Connects to it.  Fails with ERR_UNREACHABLE or ERR_DENIED. */
MUST_CHECK int reach_open(
	const struct call *call, bool events, struct wire *w, struct err *err);
/*
 * The VMs that call->names and --all stand for, as a new array of strings.
 * Asks the supervisor only when a pattern is among them.
 */
json_t *reach_names(const struct call *call, struct wire *w, struct err *err);
/* Whether the names are patterns, so that they must be resolved. */
bool reach_has_patterns(const struct call *call);

#endif
