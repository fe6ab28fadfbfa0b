/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SHA-256 of a file by sha256sum, as a job: we never read gigabytes. */
#ifndef SUPERVISOR_SUM_H
#define SUPERVISOR_SUM_H

#include "base/job.h"

#define SUM_SIZE 65 /* of the text, with its end */

/*
 * out is there until on_end, which tells of failures; it has the sum then.
 * NULL with err where sha256sum is not installed.
 */
struct job *sum_begin(const char *path, char out[SUM_SIZE], struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg, struct err *err);

#endif
