/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two QEMUs of a VM become one.  The new one counts if it has all of the
 * memory and the old one has given its own up ("postmigrate"), or is dead;
 * else the old one does.
 */
#include "supervisor/refresh.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/sys.h"
#include "qmp/call.h"
#include "supervisor/op_save.h"

#define ANSWER_MS 3000
#define KILL_MS   10000

struct op_settle {
	struct job job;
	struct vm *vm;
	struct machine next;
	struct qmp_call call;
	struct loop_child old; /* on its way out */
	int old_pidfd;
	bool old_dead;
	bool whole; /* the new one has it all, and alone */
	bool ran;   /* the guest, before */
};

#define OLD_OF(op) machine_qmp(&(op)->vm->machine)
#define NEW_OF(op) machine_qmp(&(op)->next)

static bool is_there(const struct vm *vm)
{
	AUTO_FREE char *path =
		machine_priv_path(&vm->machine, HOST_NEXT "monitor");
	struct stat st;

	return sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- the new one ---- */

static bool next_settled(const struct op_settle *op)
{
	return op->next.ready || !op->next.attached;
}

static bool next_is_dead(const struct op_settle *op)
{
	return !machine_is_alive(&op->next);
}

/* 1 it listens, 0 nobody does, -1 the job failed. */
static int knock(struct op_settle *op)
{
	struct err err = ERR_INIT;

	if (!machine_adopt(&op->next, &err))
		return 1;
	if (err.os == ECONNREFUSED || err.os == ENOENT) {
		machine_sweep(&op->next);
		return 0;
	}
	job_fail_err(&op->job, &err);
	return -1;
}

static bool has_memory(const struct op_settle *op)
{
	const char *status = member_text(op->call.result, "status");

	return *status && !str_eq(status, "inmigrate");
}

/* ---- the old one ---- */

static bool old_is_alive(const struct op_settle *op)
{
	const struct machine *old = &op->vm->machine;

	return machine_is_alive(old) && old->pid != op->next.pid;
}

static bool old_settled(const struct op_settle *op)
{
	const struct machine *old = &op->vm->machine;

	return old->ready || !old->attached || !machine_is_alive(old);
}

static void old_knock(struct op_settle *op)
{
	struct machine *old = &op->vm->machine;
	struct err err = ERR_INIT;

	if (!old->attached && machine_adopt(old, &err))
		job_fail_err(&op->job, &err);
}

static bool old_gave_up(const struct op_settle *op)
{
	return str_eq(member_text(op->call.result, "status"), "postmigrate");
}

static void on_old_exit(
	struct loop_child *child, const struct sys_exit *how UNUSED)
{
	struct op_settle *op = container_of(child, struct op_settle, old);

	op->old_dead = true;
	job_wake(&op->job);
}

/* Nobody is told of its end: the VM goes on. */
static void end_old(struct op_settle *op)
{
	op->old_pidfd = machine_let_go(&op->vm->machine);
	op->old_dead = op->old_pidfd < 0;
	if (op->old_dead)
		return;
	loop_child_start(&op->old, op->old_pidfd, on_old_exit);
	if (sys_pidfd_kill(op->old_pidfd, SIGKILL) && errno != ESRCH)
		job_fail(&op->job, ERR_OS,
			"the old QEMU cannot be killed: errno %d", errno);
}

/* ---- one is left ---- */

/* The monitor is the last: while it is there, this is not over. */
static bool rename_files(struct op_settle *op)
{
	static const char *const leaves[] = { "yank", "agent", "serial0",
		"serial1", "serial2", "serial3", "stderr", "argv", "monitor" };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < NELEMS(leaves); i++) {
		AUTO_FREE char *to =
			machine_priv_path(&op->vm->machine, leaves[i]);
		AUTO_FREE char *from = machine_priv_path(&op->next, leaves[i]);

		if (!sys_renameat(AT_FDCWD, from, AT_FDCWD, to) ||
			errno == ENOENT)
			continue;
		err_os(&err, "cannot rename '%s'", from);
		job_fail_err(&op->job, &err);
		return false;
	}
	return true;
}

static enum job_state settle_run(struct job *job)
{
	struct op_settle *op = container_of(job, struct op_settle, job);

	JOB_BEGIN(job);
	if (knock(op) <= 0)
		return JOB_ENDS;
	JOB_AWAIT_OR_TIMEOUT(
		job, next_settled(op) || next_is_dead(op), ANSWER_MS);
	if (next_is_dead(op))
		return JOB_ENDS; /* and its files are gone */
	if (!op->next.ready)
		return job_fail(job, ERR_UNREACHABLE,
			"the QEMU that it moves to does not answer");
	QMP_CALL(job, &op->call, NEW_OF(op), "query-status", NULL);
	op->whole = has_memory(op);
	if (op->whole && old_is_alive(op)) {
		old_knock(op);
		JOB_AWAIT_OR_TIMEOUT(job, old_settled(op), ANSWER_MS);
	}
	if (op->whole && old_is_alive(op)) {
		QMP_TRY(job, &op->call, OLD_OF(op), "query-status", NULL);
		JOB_AWAIT_OR_TIMEOUT(job,
			!op->call.err.code || !old_is_alive(op), ANSWER_MS);
		if (op->call.err.code && old_is_alive(op))
			return job_fail_err(job, &op->call.err);
		op->whole = !old_is_alive(op) || old_gave_up(op);
	}
	if (!op->whole) {
		if (machine_signal(&op->next, SIGKILL, &job->err))
			return JOB_ENDS;
		JOB_AWAIT(job, next_is_dead(op), KILL_MS);
		return JOB_ENDS;
	}
	if (op_save_marked(op->vm, &op->ran) && op->ran)
		QMP_TRY(job, &op->call, NEW_OF(op), "cont", NULL);
	if (old_is_alive(op)) {
		end_old(op);
		JOB_AWAIT(job, op->old_dead, KILL_MS);
	} else {
		op->old_pidfd = machine_let_go(&op->vm->machine);
	}
	if (!rename_files(op))
		return JOB_ENDS;
	op_save_unmark(op->vm);
	JOB_END(job);
}

static void settle_cleanup(struct job *job)
{
	struct op_settle *op = container_of(job, struct op_settle, job);

	loop_child_stop(&op->old);
	fd_close(&op->old_pidfd);
	qmp_call_fini(&op->call);
	machine_fini(&op->next);
	free(op);
}

/* ---- the new one's machine ---- */

static void wake(struct machine *m)
{
	job_wake(&((struct op_settle *)m->owner)->job);
}

static void on_event(
	struct machine *m UNUSED, const struct qmp_event *ev UNUSED)
{
}

static void on_lost(struct machine *m, const struct err *err UNUSED)
{
	wake(m);
}

struct job *refresh_settle_begin(
	struct vm *vm, struct job *parent, op_end_fn *on_end)
{
	static const struct job_kind kind = { "settle", settle_run, NULL,
		settle_cleanup };
	static const struct machine_hooks hooks = { on_event, wake, on_lost,
		wake };
	struct op_settle *op;

	if (!is_there(vm))
		return NULL;
	op = NEW(struct op_settle);
	op->vm = vm;
	op->old_pidfd = -1;
	machine_init(&op->next, vm->env, vm->name, &vm->log, &hooks, op);
	op->next.side = HOST_NEXT;
	job_start(&op->job, &kind, vm->name, on_end, parent);
	op->job.parent = parent;
	return &op->job;
}
