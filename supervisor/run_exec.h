/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `run --exec CMD ARGS`: the command in the guest with its output on ours,
 * and the exit status that follows from how it went.
 */
#ifndef SUPERVISOR_RUN_EXEC_H
#define SUPERVISOR_RUN_EXEC_H

#include "supervisor/vm.h"

struct run_exec;

/* Begins in a VM that is ready, or waits for its agent; on_end comes once. */
struct run_exec *run_exec_begin(
	struct vm *vm, char *const *argv, void (*on_end)(void *arg), void *arg);
/* The guest goes away: ends what runs.  Harmless when it is over. */
void run_exec_lose(struct run_exec *exec);
/*
 * The command's own status; 125 if it never ran (exec may be NULL), else
 * that of the VM's end, which is no success.
 */
int run_exec_status(const struct run_exec *exec, int vm_status);
/* Writes what is left of the output; accepts NULL. */
void run_exec_free(struct run_exec *exec);

#endif
