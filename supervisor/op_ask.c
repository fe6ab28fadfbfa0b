/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short jobs: pause, resume, reset, reboot, and a user's QMP command. */
#include "supervisor/op.h"

#include <string.h>

#include "base/mem.h"
#include "qmp/call.h"
#include "supervisor/guest.h"

#define AGENT_MS    5000
#define QMP_USER_MS 60000

struct op_ask_job {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	enum op_ask what;
	bool agent_done;
	struct err agent_err;
	char *command; /* op_qmp */
	json_t *arguments;
};

static void on_agent(
	struct agent *agent, json_t *result UNUSED, const struct err *err)
{
	struct op_ask_job *op = agent->owner;

	op->agent_done = true;
	if (err)
		op->agent_err = *err;
	job_wake(&op->job);
}

static void ask_agent(struct op_ask_job *op)
{
	static const struct agent_command reboot = {
		"{\"execute\":\"guest-shutdown\","
		"\"arguments\":{\"mode\":\"reboot\"}}",
		true, AGENT_MS
	};
	AUTO_FREE char *path = machine_priv_path(&op->vm->machine, "agent");

	if (agent_call(&op->vm->agent, path, &reboot, on_agent, op,
		    &op->agent_err))
		op->agent_done = true;
}

static json_t *action(const char *reboot)
{
	return json_pack("{s:s}", "reboot", reboot);
}

/*
 * Under reboot=shutdown the host's own reset would end the VM; of one that
 * was adopted paused nobody has asked so far.
 */
static bool reboot_may_end(const struct op_ask_job *op)
{
	return !op->vm->reboot_known || op->vm->reboot_ends;
}

static const char *plain_command(enum op_ask what)
{
	return what == ASK_PAUSE ? "stop" : "cont";
}

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

static enum job_state ask_run(struct job *job)
{
	struct op_ask_job *op = container_of(job, struct op_ask_job, job);

	JOB_BEGIN(job);
	if (op->what == ASK_PAUSE || op->what == ASK_RESUME) {
		QMP_CALL(job, &op->call, QMP_OF(op), plain_command(op->what),
			NULL);
		return JOB_ENDS;
	}
	if (op->what == ASK_RESET) {
		if (reboot_may_end(op)) {
			QMP_CALL(job, &op->call, QMP_OF(op), "set-action",
				action("reset"));
			/* the firmware resets again, some time later */
			op->vm->reboot_known = true;
			op->vm->reboot_ends = false;
			op->vm->reboot_held = true;
		}
		QMP_CALL(job, &op->call, QMP_OF(op), "system_reset", NULL);
		return JOB_ENDS;
	}
	QMP_CALL(job, &op->call, QMP_OF(op), "query-chardev", NULL);
	if (guest_agent_is_open(op->call.result)) {
		ask_agent(op);
		JOB_AWAIT(job, op->agent_done, AGENT_MS * 2);
		if (!op->agent_err.code || op->agent_err.code == ERR_GONE)
			return JOB_ENDS;
	}
	QMP_CALL(job, &op->call, QMP_OF(op), "send-key", guest_ctrl_alt_del());
	JOB_END(job);
}

static enum job_state qmp_run(struct job *job)
{
	struct op_ask_job *op = container_of(job, struct op_ask_job, job);

	JOB_BEGIN(job);
	qmp_call_start(&op->call, job, QMP_OF(op),
		QMP_COMMAND_IN(QMP_USER_MS, op->command, TAKE(op->arguments)),
		false);
	JOB_AWAIT(job, op->call.replied, JOB_FOREVER); /* has a deadline */
	JOB_END(job);
}

static void ask_cleanup(struct job *job)
{
	struct op_ask_job *op = container_of(job, struct op_ask_job, job);

	if (op->vm->agent.busy && op->vm->agent.owner == op)
		agent_cancel(&op->vm->agent);
	qmp_call_fini(&op->call);
	json_decref(op->arguments);
	free(op->command);
	free(op);
}

static const struct job_kind ask_kinds[] = {
	[ASK_PAUSE] = { "pause", ask_run, NULL, ask_cleanup },
	[ASK_RESUME] = { "resume", ask_run, NULL, ask_cleanup },
	[ASK_RESET] = { "reset", ask_run, NULL, ask_cleanup },
	[ASK_REBOOT] = { "reboot", ask_run, NULL, ask_cleanup },
};

static const struct job_kind qmp_kind = { "qmp", qmp_run, NULL, ask_cleanup };

struct job *op_ask_begin(
	struct vm *vm, enum op_ask what, op_end_fn *on_end, void *arg)
{
	struct op_ask_job *op = NEW(struct op_ask_job);

	op->vm = vm;
	op->what = what;
	job_start(&op->job, &ask_kinds[what], vm->name, on_end, arg);
	return &op->job;
}

struct job *op_qmp_begin_steal(struct vm *vm, const char *command,
	json_t *arguments, op_end_fn *on_end, void *arg)
{
	struct op_ask_job *op = NEW(struct op_ask_job);

	op->vm = vm;
	op->command = xstrdup(command);
	op->arguments = arguments;
	job_start(&op->job, &qmp_kind, vm->name, on_end, arg);
	return &op->job;
}

json_t *op_qmp_result(const struct job *job)
{
	return container_of(job, struct op_ask_job, job)->call.result;
}
