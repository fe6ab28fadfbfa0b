/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs that belong to no VM: work on images.  They have numbers, JOB_STATUS
 * events and progress like the jobs of VMs; `jobs` lists both.
 */
#ifndef SUPERVISOR_TASKS_H
#define SUPERVISOR_TASKS_H

#include <jansson.h>

#include "base/job.h"

/* Registers a job (job->link) on an image; request: the id of the request
 * that began it (borrowed), or NULL.  Emits JOB_STATUS now, and again while
 * its progress moves. */
void tasks_add(struct job *job, const json_t *request);
/* The job's end: emits JOB_STATUS, takes it off the list. */
void tasks_end(struct job *job);
/* By number, or NULL. */
struct job *tasks_find(uint64_t id);
/* job.link of all of them. */
struct list *tasks_list(void);

#endif
