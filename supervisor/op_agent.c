/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to the guest agent; see op_agent.h. */
#include "supervisor/op_agent.h"

#include "base/mem.h"
#include "base/sys.h"
#include "qmp/call.h"
#include "supervisor/agent_ask.h"
#include "supervisor/guest.h"

#define PING_MS  3000
#define ASK_MS   10000
#define TRIM_MS  600000 /* of large disks */
#define AGAIN_MS 500

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

/* ---- an agent that answers ---- */

struct reach {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	struct agent_ask ask;
	int64_t until_ms;
};

static enum job_state reach_run(struct job *job)
{
	struct reach *op = container_of(job, struct reach, job);

	JOB_BEGIN(job);
	for (;;) {
		QMP_CALL(job, &op->call, QMP_OF(op), "query-chardev", NULL);
		if (!guest_agent_is_open(op->call.result)) {
			err_set(&op->ask.err, ERR_GUEST,
				"its guest has no agent: install "
				"qemu-guest-agent in it, or --wait for it");
		} else {
			AGENT_ASK(job, &op->ask, "guest-ping", NULL, PING_MS);
			if (!op->ask.err.code)
				return JOB_ENDS;
		}
		if (loop_now_ms() >= op->until_ms)
			return job_fail_err(job, &op->ask.err);
		JOB_AWAIT_OR_TIMEOUT(job, !op->vm->machine.ready, AGAIN_MS);
	}
	JOB_END(job);
}

static void reach_cleanup(struct job *job)
{
	struct reach *op = container_of(job, struct reach, job);

	agent_ask_fini(&op->ask);
	qmp_call_fini(&op->call);
	free(op);
}

struct job *op_agent_reach_begin(struct vm *vm, int64_t wait_ms,
	struct job *parent, op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "agent", reach_run, NULL,
		reach_cleanup };
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "agent");
	struct reach *op = NEW(struct reach);

	op->vm = vm;
	op->until_ms = loop_now_ms() + wait_ms;
	job_start(&op->job, &kind, vm->name, on_end, arg);
	op->job.parent = parent;
	agent_ask_init(&op->ask, &vm->agent, path, &op->job);
	return &op->job;
}

/* ---- the questions ---- */

struct step {
	const char *command; /* NULL: no more */
	const char *member;  /* its answer's name; NULL: an object's members */
	bool may_fail;       /* not every guest knows it */
};

/* In the order of enum op_agent. */
static enum job_state ask_run(struct job *job);
static void ask_cleanup(struct job *job);

#define KIND(name)                               \
	{                                        \
		name, ask_run, NULL, ask_cleanup \
	}

static const struct question {
	struct job_kind kind;
	int64_t deadline_ms;
	bool no_reply;
	struct step steps[8];
} questions[] = {
	[AGENT_PING] = { KIND("agent-ping"), ASK_MS, false,
		{ { "guest-ping", NULL, false } } },
	[AGENT_INFO] = { KIND("agent-info"), ASK_MS, false,
		{ { "guest-info", "agent", false },
			{ "guest-get-osinfo", "os", true },
			{ "guest-get-host-name", NULL, true },
			{ "guest-get-timezone", "timezone", true },
			{ "guest-get-users", "users", true },
			{ "guest-get-fsinfo", "filesystems", true },
			{ "guest-network-get-interfaces", "interfaces",
				true } } },
	[AGENT_TRIM] = { KIND("agent-fstrim"), TRIM_MS, false,
		{ { "guest-fstrim", NULL, false } } },
	[AGENT_SET_TIME] = { KIND("agent-set-time"), ASK_MS, false,
		{ { "guest-set-time", NULL, false } } },
	[AGENT_SET_PASSWORD] = { KIND("agent-set-password"), ASK_MS, false,
		{ { "guest-set-user-password", NULL, false } } },
	[AGENT_KEYS] = { KIND("agent-ssh-keys"), ASK_MS, false,
		{ { "guest-ssh-get-authorized-keys", NULL, false } } },
	[AGENT_KEYS_ADD] = { KIND("agent-ssh-keys"), ASK_MS, false,
		{ { "guest-ssh-add-authorized-keys", NULL, false } } },
	[AGENT_KEYS_REMOVE] = { KIND("agent-ssh-keys"), ASK_MS, false,
		{ { "guest-ssh-remove-authorized-keys", NULL, false } } },
	[AGENT_SHUTDOWN] = { KIND("agent-shutdown"), ASK_MS, true,
		{ { "guest-shutdown", NULL, false } } },
};

struct asking {
	struct job job;
	struct vm *vm;
	struct agent_ask ask;
	const struct question *question;
	const struct step *step;
	json_t *args;
	json_t *result;
	int64_t wait_ms;
	bool reached;
	struct err reach_err;
};

static void on_reached(struct job *job, void *arg)
{
	struct asking *op = arg;

	op->reached = true;
	op->reach_err = job->err;
}

/* False: it refused what it must know. */
static bool take(struct asking *op)
{
	json_t *answer = op->ask.result;

	if (op->ask.err.code && !op->step->may_fail) {
		job_fail_err(&op->job, &op->ask.err);
		return false;
	}
	if (op->step->member && answer)
		json_object_set(op->result, op->step->member, answer);
	else if (json_is_object(answer))
		json_object_update(op->result, answer);
	return true;
}

static enum job_state ask_run(struct job *job)
{
	struct asking *op = container_of(job, struct asking, job);

	JOB_BEGIN(job);
	op_agent_reach_begin(op->vm, op->wait_ms, job, on_reached, op);
	JOB_AWAIT(job, op->reached, JOB_FOREVER); /* a job of its own */
	if (op->reach_err.code)
		return job_fail_err(job, &op->reach_err);
	for (op->step = op->question->steps; op->step->command; op->step++) {
		AGENT_ASK_AS(job, &op->ask, op->step->command, TAKE(op->args),
			op->question->deadline_ms, op->question->no_reply);
		if (!take(op))
			return JOB_ENDS;
	}
	JOB_END(job);
}

static void ask_cleanup(struct job *job)
{
	struct asking *op = container_of(job, struct asking, job);

	agent_ask_fini(&op->ask);
	json_decref(op->args);
	json_decref(op->result);
	free(op);
}

struct job *op_agent_begin_steal(struct vm *vm, enum op_agent what,
	json_t *args, int64_t wait_ms, op_end_fn *on_end, void *arg)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "agent");
	struct asking *op = NEW(struct asking);

	op->vm = vm;
	op->question = &questions[what];
	op->args = args;
	op->result = json_object();
	op->wait_ms = wait_ms;
	job_start(&op->job, &op->question->kind, vm->name, on_end, arg);
	agent_ask_init(&op->ask, &vm->agent, path, &op->job);
	return &op->job;
}

json_t *op_agent_result(const struct job *job)
{
	return container_of(job, struct asking, job)->result;
}

/* ---- the clock ---- */

static enum job_state clock_run(struct job *job)
{
	struct reach *op = container_of(job, struct reach, job);

	JOB_BEGIN(job);
	QMP_CALL(job, &op->call, QMP_OF(op), "query-chardev", NULL);
	if (!guest_agent_is_open(op->call.result))
		return JOB_ENDS;
	AGENT_ASK(job, &op->ask, "guest-set-time",
		json_pack(
			"{s:I}", "time", (json_int_t)sys_realtime_us() * 1000),
		ASK_MS);
	if (op->ask.err.code)
		vmlog_line(&op->vm->log, LOG_WARN, "its clock was not set: %s",
			op->ask.err.text);
	JOB_END(job);
}

struct job *op_clock_begin(struct vm *vm, op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "clock", clock_run, NULL,
		reach_cleanup };
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "agent");
	struct reach *op = NEW(struct reach);

	op->vm = vm;
	job_start(&op->job, &kind, vm->name, on_end, arg);
	agent_ask_init(&op->ask, &vm->agent, path, &op->job);
	return &op->job;
}
