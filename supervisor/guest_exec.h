/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One command in the guest, by its agent: run, its output streamed, its exit
 * status.  Linux guests write their output into two files that are read while
 * they grow, so that none of it has a limit; Windows guests give it at the
 * end, up to 256 KiB.
 */
#ifndef SUPERVISOR_GUEST_EXEC_H
#define SUPERVISOR_GUEST_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/job.h"

struct agent;

struct guest_exec_wish {
	struct agent *agent; /* outlives the job */
	const char *path;    /* of the agent's socket; copied */
	char *const *argv;   /* NULL-terminated; outlives the job */
	bool windows;        /* no shell, no files */
	int64_t patience_ms; /* for an agent that does not answer yet */
	/* Bytes of stdout (1) or stderr (2). */
	void (*on_output)(void *arg, int fd, const char *bytes, size_t len);
	bool (*is_full)(void *arg); /* what was put out is not written yet */
	void *arg;
	bool guest_ends; /* with it: a cancel does not tell it to end */
};

/* What came of it. */
struct guest_exec_end {
	bool began;  /* false: it never ran */
	bool exited; /* status is known */
	int status;  /* 128 + N after signal N */
};

/* A job; on_end may ask guest_exec_end(). */
struct job *guest_exec_start(const struct guest_exec_wish *wish,
	const char *target, void (*on_end)(struct job *job, void *arg),
	void *arg);
const struct guest_exec_end *guest_exec_end(const struct job *job);

#endif
