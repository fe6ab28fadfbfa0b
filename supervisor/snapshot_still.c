/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests stand still together; see snapshot_still.h. */
#include "supervisor/snapshot_still.h"

#include "qmp/call.h"
#include "supervisor/live_copy.h"

enum { HOLD_MS = 20000 }; /* so long a guest waits for the others at most */

struct still {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	struct gate_member *member;
	bool frozen;
	bool ran;
};

/* Whoever takes it away, us or a successor, lets it go on. */
static bool mark(struct still *op)
{
	struct err err = ERR_INIT;
	const char *text = op->frozen ? LIVE_COPY_FROZEN " " LIVE_COPY_STOPPED
				      : LIVE_COPY_STOPPED;

	if (!op->ran)
		text = op->frozen ? LIVE_COPY_FROZEN : "";
	if (!live_copy_mark(op->vm, text, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

static enum job_state still_run(struct job *job)
{
	struct still *op = container_of(job, struct still, job);

	JOB_BEGIN(job);
	op->ran = op->vm->state == VM_RUNNING;
	if (!mark(op))
		return JOB_ENDS;
	JOB_AWAIT(
		job, snapshot_gate_pass(op->member, GATE_READY, job), HOLD_MS);
	op->vm->in_snapshot = true;
	op->vm->stopped_us = 0;
	if (op->ran)
		QMP_CALL(job, &op->call, machine_qmp(&op->vm->machine), "stop",
			NULL);
	op->member->stopped_us = op->vm->stopped_us;
	JOB_AWAIT(job, snapshot_gate_pass(op->member, GATE_STOPPED, job),
		HOLD_MS);
	JOB_END(job);
}

static void still_cleanup(struct job *job)
{
	struct still *op = container_of(job, struct still, job);

	snapshot_gate_forget(op->member, job);
	qmp_call_fini(&op->call);
	free(op);
}

struct job *snapshot_still_begin(struct vm *vm, struct gate_member *member,
	bool frozen, op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "standstill", still_run, NULL,
		still_cleanup };
	struct still *op = NEW(struct still);

	op->vm = vm;
	op->member = member;
	op->frozen = frozen;
	job_start(&op->job, &kind, vm->name, on_end, arg);
	return &op->job;
}
