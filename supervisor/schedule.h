/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backups at their times: [backup] schedule by the wall clock.  When the last
 * one was is in STATE/schedules/NAME.json, so that one that was missed while
 * we were not there is made once, soon after our start.
 */
#ifndef SUPERVISOR_SCHEDULE_H
#define SUPERVISOR_SCHEDULE_H

#include "supervisor/vm.h"

/* The VM's files were read, or a time has come: arms its timer anew. */
void schedule_follow(struct vm *vm);
/* When the next one is, in us of the wall clock; INT64_MAX: there is none. */
int64_t schedule_next(const struct vm *vm);
/* The VM is deleted. */
void schedule_remove(const struct env *env, const char *name);

#endif
