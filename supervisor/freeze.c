/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file systems of a guest stand still; see freeze.h. */
#include "supervisor/freeze.h"

#include "base/mem.h"
#include "qmp/call.h"
#include "supervisor/agent_ask.h"
#include "supervisor/guest.h"

#define AGENT_MS 10000
#define TRIES    3 /* a guest that is frozen for good is lost */

struct freeze_job {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	struct agent_ask ask;
	bool freeze;
	unsigned tries;
	json_int_t count; /* of file systems */
};

static enum job_state freeze_run(struct job *job)
{
	struct freeze_job *op = container_of(job, struct freeze_job, job);

	JOB_BEGIN(job);
	QMP_CALL(job, &op->call, machine_qmp(&op->vm->machine), "query-chardev",
		NULL);
	if (!guest_agent_is_open(op->call.result))
		return job_fail(job, ERR_GUEST, "its guest has no agent");
	do {
		AGENT_ASK(job, &op->ask,
			op->freeze ? "guest-fsfreeze-freeze"
				   : "guest-fsfreeze-thaw",
			NULL, AGENT_MS);
	} while (!op->freeze && op->ask.err.code && ++op->tries < TRIES);
	if (op->ask.err.code)
		return job_fail_err(job, &op->ask.err);
	op->count = json_integer_value(op->ask.result);
	JOB_END(job);
}

static void freeze_cleanup(struct job *job)
{
	struct freeze_job *op = container_of(job, struct freeze_job, job);

	agent_ask_fini(&op->ask);
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
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "agent");
	struct freeze_job *op = NEW(struct freeze_job);

	op->vm = vm;
	op->freeze = freeze;
	job_start(&op->job, &kinds[freeze], vm->name, on_end, arg);
	op->job.parent = parent;
	agent_ask_init(&op->ask, &vm->agent, path, &op->job);
	return &op->job;
}

json_int_t freeze_count(const struct job *job)
{
	return container_of(job, struct freeze_job, job)->count;
}
