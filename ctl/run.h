/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs that vmwardd does itself, without a daemon. */
#ifndef CTL_RUN_H
#define CTL_RUN_H

#include "base/err.h"
#include "ctl/call.h"

/*
 * Becomes `vmwardd [--root DIR] [--user] [--json] [--quiet] VERB WORDS...`
 * with the words behind the verb as typed.  Returns only on failure, with
 * an exit status.
 */
int run_daemon(const struct call *call);
/* The path of vmwardd: beside us, where it was installed, PATH; new. */
char *run_find_daemon(void);
/* Runs a program and waits for it; its exit status, or 127. */
int run_program(const char *const *argv);
/* execvp(); returns only when it failed. */
void run_exec(const char *const *argv);

#endif
