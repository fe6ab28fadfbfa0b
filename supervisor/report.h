/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VM as JSON for list and status; from memory, never asks QEMU. */
#ifndef SUPERVISOR_REPORT_H
#define SUPERVISOR_REPORT_H

#include <jansson.h>

#include "supervisor/vm.h"

/* The object of `list --json` (REFERENCE 2.3); new. */
json_t *report_list(const struct vm *vm);
/* The same with the keys that only status has; new. */
json_t *report_status(const struct vm *vm);
/* The disks of the running or written spec; new. */
json_t *report_disks(const struct vm *vm);
/* A job; new. */
json_t *report_job(const struct job *job);
/* Findings as an array of {file, line, level, text}; new. */
json_t *report_findings(const struct findings *findings);

#endif
