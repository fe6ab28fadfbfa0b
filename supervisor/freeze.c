/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file systems of a guest stand still; see freeze.h. */
#include "supervisor/freeze.h"

#include "base/mem.h"
#include "qmp/call.h"
#include "supervisor/guest.h"

#define AGENT_MS 10000
#define TRIES    3 /* a guest that is frozen for good is lost */

struct freeze_job {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	bool freeze;
	bool answered;
	unsigned tries;
	struct err err;
};

static void on_agent(
	struct agent *agent, json_t *result UNUSED, const struct err *err)
{
	struct freeze_job *op = agent->owner;

	op->answered = true;
	op->err = err ? *err : (struct err)ERR_INIT;
	job_wake(&op->job);
}

static void ask_agent(struct freeze_job *op)
{
	AUTO_FREE char *path = machine_priv_path(&op->vm->machine, "agent");
	const struct agent_command command = {
		op->freeze ? "{\"execute\":\"guest-fsfreeze-freeze\"}"
			   : "{\"execute\":\"guest-fsfreeze-thaw\"}",
		false, AGENT_MS
	};

	op->err = (struct err)ERR_INIT;
	op->answered = agent_call(&op->vm->agent, path, &command, on_agent, op,
			       &op->err) != 0;
}

static enum job_state freeze_run(struct job *job)
{
	struct freeze_job *op = container_of(job, struct freeze_job, job);

	JOB_BEGIN(job);
	QMP_CALL(job, &op->call, machine_qmp(&op->vm->machine), "query-chardev",
		NULL);
	if (!guest_agent_is_open(op->call.result))
		return job_fail(job, ERR_GUEST, "its guest has no agent");
	do {
		ask_agent(op);
		JOB_AWAIT(job, op->answered, AGENT_MS * 2);
	} while (!op->freeze && op->err.code && ++op->tries < TRIES);
	if (op->err.code)
		return job_fail_err(job, &op->err);
	JOB_END(job);
}

static void freeze_cleanup(struct job *job)
{
	struct freeze_job *op = container_of(job, struct freeze_job, job);

	if (op->vm->agent.busy && op->vm->agent.owner == op)
		agent_cancel(&op->vm->agent);
	qmp_call_fini(&op->call);
	free(op);
}

struct job *freeze_begin(struct vm *vm, bool freeze, struct job *parent,
	op_end_fn *on_end, void *arg)
{
	static const struct job_kind kinds[] = {
		{ "thaw", freeze_run, NULL, freeze_cleanup },
		{ "freeze", freeze_run, NULL, freeze_cleanup },
	};
	struct freeze_job *op = NEW(struct freeze_job);

	op->vm = vm;
	op->freeze = freeze;
	job_start(&op->job, &kinds[freeze], vm->name, on_end, arg);
	op->job.parent = parent;
	return &op->job;
}
