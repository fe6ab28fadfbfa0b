/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A step of a job: a file or a directory becomes durable without anybody
 * waiting for it but the job.
 *
 *	JOB_DURABLE(job, &op->durable, durable_above(&op->durable, job, path));
 *
 * goes on when it is on disk, or ends the body with "cannot make '/x'
 * durable: why".
 */
#ifndef BASE_DURABLE_H
#define BASE_DURABLE_H

#include <stdbool.h>

#include "base/aio.h"
#include "base/job.h"

/* Embed it, zeroed. */
struct durable {
	struct aio_sync sync;
	struct job *job;
	char *path; /* as errors name it */
	int fd;     /* ours, if opened */
	bool opened;
	bool done;
};

/* Syncs fd, which stays the caller's and open; path: its name in errors. */
void durable_fd(
	struct durable *durable, struct job *job, int fd, const char *path);
/* Syncs the file or directory at path; a FIFO does not hold it up. */
void durable_path(struct durable *durable, struct job *job, const char *path);
/* Syncs the directory that holds path. */
void durable_above(struct durable *durable, struct job *job, const char *path);
/* Forgets a sync that is under way; for the job's cleanup. */
void durable_stop(struct durable *durable);

/* A sync always ends: the kernel answers, if only with an error. */
#define JOB_DURABLE(job, durable, begin)                        \
	do {                                                    \
		begin;                                          \
		JOB_AWAIT((job), (durable)->done, JOB_FOREVER); \
	} while (0)

#endif
