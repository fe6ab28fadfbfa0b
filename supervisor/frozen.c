/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest whose file systems a person froze; see frozen.h. */
#include "supervisor/frozen.h"

#include <fcntl.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/freeze.h"

#define MARK     "frozen"
#define AGAIN_MS 5000
#define TRIES    60 /* then its agent is gone for good */

struct frozen {
	struct job job;
	struct vm *vm;
	int64_t time_ms;
	bool freezes;
	bool step_ended;
	struct err step_err;
	json_int_t count;
};

/* ---- mark and deadline ---- */

static char *mark_of(const struct vm *vm)
{
	return machine_priv_path(&vm->machine, MARK);
}

static int set_mark(const struct vm *vm, struct err *err)
{
	AUTO_FREE char *path = mark_of(vm);
	AUTO_CLOSE int fd = sys_openat(
		AT_FDCWD, path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600);

	return fd < 0 ? err_os(err, "cannot make '%s'", path) : 0;
}

static bool is_marked(const struct vm *vm)
{
	AUTO_FREE char *path = mark_of(vm);
	struct stat st;

	return !sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);
}

static void drop_mark(const struct vm *vm)
{
	AUTO_FREE char *path = mark_of(vm);

	sys_unlinkat(AT_FDCWD, path, 0);
}

static void on_deadline(struct loop_timer *timer);

static void arm(struct vm *vm, int64_t ms)
{
	loop_timer_start(&vm->frozen.timer, ms, on_deadline);
}

/* An agent that does not answer is asked again: nothing else would thaw. */
static void on_late_thaw(struct job *job, void *arg)
{
	struct vm *vm = arg;
	bool again = job->err.code && vm->machine.ready;

	vm_job_over(job, vm);
	if (again && ++vm->frozen.tries < TRIES)
		arm(vm, AGAIN_MS);
}

static void thaw_now(struct vm *vm, const char *why)
{
	vmlog_line(&vm->log, LOG_WARN, "its file systems are thawed: %s", why);
	vm_job_add(vm, frozen_thaw_begin(vm, on_late_thaw, vm));
}

static void on_deadline(struct loop_timer *timer)
{
	struct vm *vm = container_of(timer, struct vm, frozen.timer);

	if (vm->machine.ready)
		thaw_now(vm, "nobody did in time");
	else
		arm(vm, AGAIN_MS); /* its monitor is lost for now */
}

void frozen_thaw_if_marked(struct vm *vm)
{
	if (!is_marked(vm))
		return;
	vm->frozen.tries = 0;
	thaw_now(vm, "vmwardd that was to do it is gone");
}

void frozen_forget(struct vm *vm)
{
	loop_timer_stop(&vm->frozen.timer);
}

/* ---- the jobs ---- */

static void on_step(struct job *job, void *arg)
{
	struct frozen *op = arg;

	op->step_ended = true;
	op->step_err = job->err;
	if (!job->err.code)
		op->count = freeze_count(job);
}

static void start_step(struct frozen *op, bool freezes)
{
	op->step_ended = false;
	freeze_begin(op->vm, freezes, &op->job, on_step, op);
}

static enum job_state frozen_run(struct job *job)
{
	struct frozen *op = container_of(job, struct frozen, job);

	JOB_BEGIN(job);
	if (op->freezes) {
		if (set_mark(op->vm, &op->step_err))
			return job_fail_err(job, &op->step_err);
		op->vm->frozen.tries = 0;
		arm(op->vm, op->time_ms);
	}
	start_step(op, op->freezes);
	JOB_AWAIT(job, op->step_ended, JOB_FOREVER); /* a job of its own */
	if (op->step_err.code)
		return job_fail_err(job, &op->step_err);
	if (!op->freezes) {
		frozen_forget(op->vm);
		drop_mark(op->vm);
	}
	JOB_END(job);
}

/* It may have frozen some of them, whatever came back. */
static enum job_state freeze_undo(struct job *job)
{
	struct frozen *op = container_of(job, struct frozen, job);

	JOB_BEGIN(job);
	start_step(op, false);
	JOB_AWAIT(job, op->step_ended, JOB_FOREVER); /* a job of its own */
	/* else the deadline does it */
	if (!op->step_err.code || op->step_err.code == ERR_GUEST) {
		frozen_forget(op->vm);
		drop_mark(op->vm);
	}
	JOB_END(job);
}

static void frozen_cleanup(struct job *job)
{
	free(container_of(job, struct frozen, job));
}

static struct job *begin(
	struct vm *vm, int64_t time_ms, op_end_fn *on_end, void *arg)
{
	static const struct job_kind kinds[] = {
		{ "agent-thaw", frozen_run, NULL, frozen_cleanup },
		{ "agent-freeze", frozen_run, freeze_undo, frozen_cleanup },
	};
	struct frozen *op = NEW(struct frozen);

	op->vm = vm;
	op->time_ms = time_ms;
	op->freezes = time_ms > 0;
	job_start(&op->job, &kinds[op->freezes], vm->name, on_end, arg);
	return &op->job;
}

struct job *frozen_begin(
	struct vm *vm, int64_t time_ms, op_end_fn *on_end, void *arg)
{
	return begin(vm, time_ms, on_end, arg);
}

struct job *frozen_thaw_begin(struct vm *vm, op_end_fn *on_end, void *arg)
{
	return begin(vm, 0, on_end, arg);
}

json_int_t frozen_count(const struct job *job)
{
	return container_of(job, struct frozen, job)->count;
}
