/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs jobs.  Every run starts in run_ready(), from one kick after all
 * callbacks of the turn, so no job runs inside another's stack or inside the
 * call that woke it.
 */
#include "base/job.h"

#include "base/log.h"

static struct list ready = LIST_INIT(ready);
static struct list alive = LIST_INIT(alive);
static struct loop_kick kick;
static unsigned last_id;

bool job_has_failed(const struct job *job)
{
	const struct err *err = job->undoing ? &job->undo_err : &job->err;

	return err->code != ERR_NONE;
}

/* Children that still run; cancels them if asked. */
static bool has_children(const struct job *parent, bool cancel)
{
	bool found = false;

	list_each(&alive, at, next) {
		struct job *job = list_entry(at, struct job, alive);
		if (job->parent != parent)
			continue;
		found = true;
		if (cancel)
			job_cancel(job);
	}
	return found;
}

static void start_undo(struct job *job)
{
	job->undoing = true;
	job->finished = false;
	job->line = 0;
	job_wake(job);
}

static void end(struct job *job)
{
	struct job *parent = job->parent;

	job->ended = true;
	loop_timer_stop(&job->timer);
	list_del(&job->ready);
	list_del(&job->alive);
	job->queued = false;
	if (job->on_end)
		job->on_end(job, job->arg);
	if (job->kind->cleanup)
		job->kind->cleanup(job);
	if (parent)
		job_wake(parent);
}

/* Enters the body where it slept; true when it has come to its end. */
static bool run_body(struct job *job)
{
	if (job->finished || job_has_failed(job))
		return true;
	if (job->undoing)
		return job->kind->undo(job) == JOB_ENDS;
	return job->kind->run(job) == JOB_ENDS;
}

static void run(struct job *job)
{
	if (!run_body(job))
		return;
	job->finished = true;
	loop_timer_stop(&job->timer);
	if (has_children(job, job_has_failed(job)))
		return;
	if (job->err.code != ERR_NONE && job->kind->undo && !job->undoing)
		start_undo(job);
	else
		end(job);
}

static void run_ready(struct loop_kick *from UNUSED)
{
	while (!list_is_empty(&ready)) {
		struct job *job = list_entry(ready.next, struct job, ready);
		list_del(&job->ready);
		job->queued = false;
		run(job);
	}
}

const struct job *job_any(const struct job *but)
{
	list_each(&alive, at, next) {
		const struct job *job = list_entry(at, struct job, alive);

		if (job != but)
			return job;
	}
	return NULL;
}

void job_start(struct job *job, const struct job_kind *kind, const char *target,
	void (*on_end)(struct job *job, void *arg), void *arg)
{
	*job = (struct job){
		.kind = kind,
		.id = ++last_id,
		.err = ERR_INIT,
		.undo_err = ERR_INIT,
		.target = target,
		.started_ms = loop_now_ms(),
		.on_end = on_end,
		.arg = arg,
	};
	list_init(&job->ready);
	list_init(&job->link);
	list_add(&alive, &job->alive);
	job_wake(job);
}

void job_wake(struct job *job)
{
	if (job->ended || job->queued)
		return;
	job->queued = true;
	list_add(&ready, &job->ready);
	loop_kick(&kick, run_ready);
}

/* Where a failure of the present body goes; NULL if one is there. */
static struct err *free_slot(struct job *job)
{
	if (job->ended || job_has_failed(job))
		return NULL;
	return job->undoing ? &job->undo_err : &job->err;
}

enum job_state job_fail(
	struct job *job, enum err_code code, const char *fmt, ...)
{
	struct err *slot = free_slot(job);
	va_list ap;

	if (!slot)
		return JOB_ENDS;
	va_start(ap, fmt);
	err_vset(slot, code, fmt, ap);
	va_end(ap);
	return JOB_ENDS;
}

enum job_state job_fail_err(struct job *job, const struct err *err)
{
	struct err *slot = free_slot(job);

	if (slot)
		*slot = *err;
	return JOB_ENDS;
}

void job_cancel(struct job *job)
{
	if (job->ended || job->undoing)
		return;
	job_fail(job, ERR_CANCELLED, "%s was cancelled", job->kind->name);
	job_wake(job);
}

static void hard_end(struct loop_timer *timer)
{
	struct job *job = container_of(timer, struct job, timer);

	job_fail(job, ERR_TIMEOUT, "%s timed out", job->kind->name);
	job_wake(job);
}

static void soft_end(struct loop_timer *timer)
{
	job_wake(container_of(timer, struct job, timer));
}

void job_patience(struct job *job, int64_t ms)
{
	if (ms > 0)
		loop_timer_start(&job->timer, ms, hard_end);
	else
		loop_timer_stop(&job->timer);
}

void job_patience_soft(struct job *job, int64_t ms)
{
	BUG_ON(ms < 0);
	if (ms > 0)
		loop_timer_start(&job->timer, ms, soft_end);
	else
		loop_timer_stop(&job->timer);
}

void job_forget_all(void)
{
	list_init(&ready);
	list_init(&alive);
	loop_kick_stop(&kick);
}

void job_bug(const struct job *job)
{
	log_error(job->target, "bug: %s resumed at line %d", job->kind->name,
		job->line);
	abort();
}
