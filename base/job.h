/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs: multi-step work that reads from top to bottom (stackless coroutine).
 * A job function is entered again at the line where it slept; it keeps
 * nothing on its stack across a JOB_AWAIT (tests/lint/jobs.awk proves it).
 *
 * A wake only queues the job; it runs from one place after all callbacks of
 * the turn.  A job ends exactly once: timer stopped, on_end, cleanup.
 * When `run` ends with an error and the kind has an `undo`, that second body
 * runs from its top with the first error kept in job->err; errors inside it
 * are put into job->undo_err.
 *
 * A child job is one whose `parent` was set right after job_start().  No job
 * ends (and frees what its children live in) before its children did: one
 * that failed cancels them, and its undo runs after their end.
 */
#ifndef BASE_JOB_H
#define BASE_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"

enum job_state { JOB_SLEEPS, JOB_ENDS };

struct job;

struct job_kind {
	const char *name; /* "disk-attach" */
	enum job_state (*run)(struct job *job);
	enum job_state (*undo)(struct job *job); /* or NULL */
	void (*cleanup)(struct job *job); /* frees the operation; or NULL */
};

struct job_progress {
	uint64_t done;     /* bytes, or steps */
	uint64_t total;    /* 0: unknown */
	const char *phase; /* static text, or NULL */
};

struct job {
	const struct job_kind *kind;
	struct list ready; /* jobs.ready */
	struct list alive; /* jobs.alive, from start to end */
	struct list link;  /* the owner's list of jobs */
	struct loop_timer timer;
	int line;    /* resume point */
	unsigned id; /* j12 */
	bool queued;
	bool undoing;
	bool finished; /* its body is done, its children are not */
	bool ended;
	struct err err;      /* first failure; code NONE while all is well */
	struct err undo_err; /* what undo could not undo */
	struct job *parent;  /* woken at our end, or NULL */
	const char *target;  /* name of the VM; borrowed for the job's life */
	int64_t started_ms;
	struct job_progress progress;
	void (*on_end)(
		struct job *job, void *arg); /* before cleanup; or NULL */
	void *arg;
};

/* Fills in a job and queues its first run; it never runs inside this call. */
void job_start(struct job *job, const struct job_kind *kind, const char *target,
	void (*on_end)(struct job *job, void *arg), void *arg);
/* Queues a run; idempotent, harmless on an ended job. */
void job_wake(struct job *job);
/* Records the first failure; `return job_fail(...)` ends the body. */
enum job_state job_fail(struct job *job, enum err_code code, const char *fmt,
	...) __attribute__((format(printf, 3, 4)));
/* The same from an error value. */
enum job_state job_fail_err(struct job *job, const struct err *err);
/*
 * Asks the job to end with ERR_CANCELLED; its undo runs.  No effect on one
 * that failed already: an undo is not cancelled.
 */
void job_cancel(struct job *job);
/* Arms the deadline of the present wait; 0 disarms; JOB_FOREVER has none. */
#define JOB_FOREVER (-1)
void job_patience(struct job *job, int64_t ms);
/* Some job that is under way, besides one; NULL if there is none. */
const struct job *job_any(const struct job *but);
/* Forgets every job without ending it.  For a simulated crash. */
void job_forget_all(void);
_Noreturn void job_bug(const struct job *job);

#define JOB_BEGIN(j)         \
	switch ((j)->line) { \
	default:             \
		job_bug(j);  \
	case 0:

#define JOB_END(j) \
	}          \
	return JOB_ENDS

/*
 * Sleeps until cond holds; ends the body when the job failed meanwhile, or
 * with ERR_TIMEOUT after ms milliseconds (JOB_FOREVER: named on purpose).
 */
#define JOB_AWAIT(j, cond, ms)             \
	do {                               \
		job_patience((j), (ms));   \
		(j)->line = __LINE__;      \
		FALLTHROUGH;               \
	case __LINE__:                     \
		if (job_has_failed(j))     \
			return JOB_ENDS;   \
		if (!(cond))               \
			return JOB_SLEEPS; \
		job_patience((j), 0);      \
	} while (0)

/* Sleeps until cond holds or ms passed; never fails the job by itself. */
#define JOB_AWAIT_OR_TIMEOUT(j, cond, ms)                         \
	do {                                                      \
		job_patience_soft((j), (ms));                     \
		(j)->line = __LINE__;                             \
		FALLTHROUGH;                                      \
	case __LINE__:                                            \
		if (job_has_failed(j))                            \
			return JOB_ENDS;                          \
		if (!(cond) && loop_timer_is_active(&(j)->timer)) \
			return JOB_SLEEPS;                        \
		job_patience((j), 0);                             \
	} while (0)

/* The same deadline, but its end only wakes the job. */
void job_patience_soft(struct job *job, int64_t ms);
/* In the body: job->err is set; in undo: job->undo_err is. */
bool job_has_failed(const struct job *job);

#endif
