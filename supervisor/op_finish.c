/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the start of a predecessor left undone in a QEMU that was adopted. */
#include "supervisor/op.h"

#include "base/mem.h"
#include "supervisor/intent.h"
#include "supervisor/setup.h"

struct op_finish {
	struct job job;
	struct vm *vm;
	struct setup setup;
	struct qmp_call call;
};

/* Mostly it got that line already. */
static void log_refusal(const struct op_finish *op)
{
	if (op->setup.call.err.code)
		vmlog_line(
			&op->vm->log, LOG_WARN, "%s", op->setup.call.err.text);
}

static enum job_state finish_run(struct job *job)
{
	struct op_finish *op = container_of(job, struct op_finish, job);

	JOB_BEGIN(job);
	while (setup_next(&op->setup, job)) {
		JOB_AWAIT(job, op->setup.call.replied, JOB_FOREVER); /* same */
		log_refusal(op);
	}
	if (job->err.code)
		return JOB_ENDS;
	if (!op->vm->machine.ready)
		return job_fail(job, ERR_GONE, "QEMU is gone");
	intent_finished(op->vm);
	if (!op->vm->record.paused)
		QMP_CALL(job, &op->call, machine_qmp(&op->vm->machine), "cont",
			NULL);
	JOB_END(job);
}

static void finish_cleanup(struct job *job)
{
	struct op_finish *op = container_of(job, struct op_finish, job);

	setup_fini(&op->setup);
	qmp_call_fini(&op->call);
	free(op);
}

struct job *op_finish_begin(struct vm *vm, op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "finish", finish_run, NULL,
		finish_cleanup };
	struct op_finish *op = NEW(struct op_finish);

	op->vm = vm;
	setup_init(&op->setup, vm, true);
	job_start(&op->job, &kind, vm->name, on_end, arg);
	return &op->job;
}
