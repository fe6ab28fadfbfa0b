/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VM as JSON for list and status; from memory, never asks QEMU. */
#ifndef SUPERVISOR_REPORT_H
#define SUPERVISOR_REPORT_H

#include <jansson.h>

#include "supervisor/vm.h"

#define REPORT_FIELDS 64    /* no more members than these */
#define REPORT_BYTES  60000 /* of an array that fills a line */

struct report_field;

/* Which members of a VM are wanted. */
struct report_choice {
	const struct report_field *list[REPORT_FIELDS];
	size_t n;
};

/*
 * The members named by an array of strings, or (NULL) all: of `list --json`
 * (REFERENCE 2.3), with status those that only status has as well.  Fails
 * with ERR_USAGE on a name that is none.
 */
MUST_CHECK int report_choose(struct report_choice *out, const json_t *names,
	bool status, struct err *err);
/* A member by itself; never NULL, new. */
json_t *report_value(const struct vm *vm, const struct report_field *field);
/* Its name. */
const char *report_name(const struct report_field *field);
/* A VM as an object; new. */
json_t *report_vm(const struct vm *vm, const struct report_choice *choice);
/* The disks of the running or written spec; new. */
json_t *report_disks(const struct vm *vm);
/* Its CD-ROM drives, with the disc in each or none; new. */
json_t *report_cdroms(const struct vm *vm);
/* Its nics, with their taps while it runs; new. */
json_t *report_nics(const struct vm *vm);
/*
 * What it uses, by what QEMU said last (supervisor/stats) and /proc says
 * now; new.
 */
json_t *report_stats(const struct vm *vm);
/* The host, and what it promised to VMs that are up (struct vm.link); new. */
json_t *report_host(struct list *vms);
/* An error as a reply of the protocol; new. */
json_t *report_error(const struct err *err);
/* A job; new. */
json_t *report_job(const struct job *job);
/* The same of one that works on an image. */
json_t *report_task(const struct job *job);
/*
 * Appends an item (stolen) unless the array's text would become too long for
 * a line of 64 KiB; *size counts it.  False: the array is full.
 */
bool report_append(json_t *array, json_t *item, size_t *size);
/* Findings as an array of {file, line, level, text}; new. */
json_t *report_findings(const struct findings *findings);
/* Appends them as far as they fit, like report_append. */
bool report_append_findings(
	json_t *array, const struct findings *findings, size_t *size);

#endif
