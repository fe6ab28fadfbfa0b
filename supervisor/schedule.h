/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backups and snapshots at their times: `schedule` of [backup] and [snapshot]
 * by the wall clock.  When the last one of each was is in
 * STATE/schedules/NAME.json, so that one that was missed while we were not
 * there is made once, soon after our start.
 */
#ifndef SUPERVISOR_SCHEDULE_H
#define SUPERVISOR_SCHEDULE_H

#include "supervisor/vm.h"

/* The VM's files were read: arms its timers anew. */
void schedule_follow(struct vm *vm);
/* When the next one is, in us of the wall clock; INT64_MAX: there is none. */
int64_t schedule_next(const struct vm *vm, enum schedule which);
/* "backup", "snapshot". */
const char *schedule_name(enum schedule which);
/* The VM is deleted. */
void schedule_remove(const struct env *env, const char *name);

#endif
