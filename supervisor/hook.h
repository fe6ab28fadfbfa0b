/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hooks: programs of the admin's that are run when something happened to a
 * VM.  No shell; facts in the environment; output into the VM's log, 20
 * lines of it; a session of its own, all of which is killed at the end or
 * at the deadline.  Four run at a time; of one VM and one occasion one waits
 * at most, the newest.  Nothing ever waits for a hook.
 */
#ifndef SUPERVISOR_HOOK_H
#define SUPERVISOR_HOOK_H

#include "supervisor/vm.h"

enum hook_event { HOOK_STARTED, HOOK_STOPPED, HOOK_INCIDENT, HOOK_CRASH_LOOP };

struct hook;

/* One run, with the facts of now; NULL if no hook is written for it. */
struct hook *hook_prepare(const struct vm *vm, enum hook_event event);
/* Adds NAME=VALUE to its environment; hook may be NULL. */
void hook_add(struct hook *hook, const char *name, const char *value);
/* Runs it now or soon; taken over, NULL is fine. */
void hook_start(struct hook *hook);
/* One that is not to be run after all; accepts NULL. */
void hook_free(struct hook *hook);
/* The VM of one that runs or waits, and its occasion; NULL: there is none. */
const char *hook_busy_with(const char **event);
/* Forgets all that run or wait.  For a simulated crash. */
void hook_forget_all(void);

#endif
