/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handlers of the commands, bound to base/verbs by their wire names.  One
 * file per group; commands.c has the table.
 */
#ifndef SUPERVISOR_COMMANDS_H
#define SUPERVISOR_COMMANDS_H

#include "supervisor/control.h"

extern const struct handler command_handlers[];

/* The VM that the request names; NULL: the request was answered. */
struct vm *command_vm(struct request *request);
/* {"changed":.., "state":..} of a VM, with "message" when not NULL. */
json_t *command_result(const struct vm *vm, bool changed, const char *message);
/* Answers a dry run with what would be done; false: it is none. */
bool command_dry_run(struct request *request, const struct vm *vm);
/*
 * Answers with the job's id when the request asked for that, else remembers
 * the job and goes on (false).
 */
bool command_job(struct request *request, struct vm *vm, struct job *job);

#define COMMAND(name) void command_##name(struct request *request)
COMMAND(start);
COMMAND(stop);
COMMAND(kill);
COMMAND(restart);
COMMAND(pause);
COMMAND(resume);
COMMAND(reset);
COMMAND(reboot);
COMMAND(wait);
COMMAND(reset_failed);
COMMAND(show);
COMMAND(check);
COMMAND(plan);
COMMAND(set);
COMMAND(unset);
COMMAND(enable);
COMMAND(disable);
COMMAND(reload);
COMMAND(disk_list);
COMMAND(disk_attach);
COMMAND(disk_detach);
COMMAND(qmp);
COMMAND(console);
COMMAND(log);
COMMAND(job_list);
COMMAND(job_wait);
COMMAND(job_cancel);
#undef COMMAND

#endif
