/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stop ladder: agent, acpi, ctrl-alt-del, quit, SIGTERM, SIGKILL, each
 * with its budget, cut to fit the time limit.  The intent is on disk before
 * the first step; where it cannot be, we act all the same and say so.
 */
#include "supervisor/op.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "qmp/call.h"
#include "supervisor/guest.h"

#define STORED_MS     2000
#define EXIT_MS       5000
#define KILL_MS       30000
#define AGENT_SYNC_MS 5000

struct op_stop {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	struct store_wait stored;
	bool stored_done;
	bool ended_before; /* op_quit: the guest is off already */
	struct spec_stop_steps steps;
	unsigned at; /* step in progress */
	int64_t step_started_ms;
	bool agent_done, agent_failed;
	bool noted;          /* stop_step is written */
	int64_t deadline_ms; /* for those that go down before it too; 0: none */
	bool hurry;          /* begin anew with the hard steps */
};

static bool is_dead(const struct op_stop *op)
{
	/* one that is not known may live all the same */
	return machine_is_ended(&op->vm->machine);
}

static bool is_off(const struct op_stop *op)
{
	return is_dead(op) || op->vm->machine.seen.shutdown_seen;
}

static void on_stored(struct store_wait *wait, const struct err *err)
{
	struct op_stop *op = container_of(wait, struct op_stop, stored);

	op->stored_done = true;
	if (err && err->code)
		vm_record_lost(op->vm);
	job_wake(&op->job);
}

/* ---- the ladder's shape ---- */

static const struct spec_stop_steps hard_steps = { 3,
	{ { STEP_QUIT, 3000 }, { STEP_TERM, 2000 }, { STEP_KILL, 0 } } };

static int64_t sum_of(const struct spec_stop_steps *steps)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < steps->n; i++)
		sum += steps->at[i].budget_ms;
	return sum;
}

/* Cuts all budgets alike so that they fit the limit. */
static void plan_steps(struct op_stop *op)
{
	const struct vm_spec *spec =
		op->vm->spec ? op->vm->spec : op->vm->running;
	int64_t own = spec ? spec->stop.timeout_ms : 60000;
	int64_t limit = op->vm->stop.timeout_ms;
	int64_t sum;

	op->steps = hard_steps;
	if (!op->vm->stop.now && !op->ended_before && spec &&
		spec->stop.steps.n)
		op->steps = spec->stop.steps;
	if (op->steps.at[op->steps.n - 1].step != STEP_KILL &&
		op->steps.n < STOP_STEPS_MAX)
		op->steps.at[op->steps.n++].step = STEP_KILL;
	if (!limit || (op->vm->stop.shared && limit > own))
		limit = own;
	sum = sum_of(&op->steps);
	for (unsigned i = 0; sum > limit && i < op->steps.n; i++)
		op->steps.at[i].budget_ms =
			op->steps.at[i].budget_ms * limit / sum;
}

static enum stop_step step_of(const struct op_stop *op)
{
	return op->steps.at[op->at].step;
}

static int64_t budget_of(const struct op_stop *op)
{
	int64_t ms = op->steps.at[op->at].budget_ms;

	return ms > 0 ? ms : 1;
}

/* ---- single steps ---- */

static void on_agent(
	struct agent *agent, json_t *result UNUSED, const struct err *err)
{
	struct op_stop *op = agent->owner;

	op->agent_done = true;
	op->agent_failed = err && err->code != ERR_GONE;
	job_wake(&op->job);
}

static void ask_agent(struct op_stop *op)
{
	struct vm *vm = op->vm;
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "agent");
	struct err err = ERR_INIT;
	struct agent_command command = { "{\"execute\":\"guest-shutdown\"}",
		true, budget_of(op) };

	if (command.deadline_ms > AGENT_SYNC_MS)
		command.deadline_ms = AGENT_SYNC_MS;
	op->agent_done = op->agent_failed = false;
	if (agent_call(&vm->agent, path, &command, on_agent, op, &err))
		op->agent_done = op->agent_failed = true;
}

static void send_signal(struct op_stop *op, int signal)
{
	struct err err = ERR_INIT;

	if (machine_signal(&op->vm->machine, signal, &err))
		vmlog_line(&op->vm->log, LOG_WARN, "%s", err.text);
}

static const char *step_result(const struct op_stop *op)
{
	switch (step_of(op)) {
	case STEP_AGENT:
	case STEP_ACPI:
	case STEP_CTRL_ALT_DEL:
		return "powered off";
	case STEP_QUIT:
		return "QEMU quit";
	case STEP_TERM:
		return "QEMU ended by SIGTERM";
	case STEP_KILL:
		return "QEMU killed";
	}
	return "";
}

/* "agent 0.4 s: powered off (step 1 of 6)" */
static void note_step(struct op_stop *op)
{
	int64_t ms = loop_now_ms() - op->step_started_ms;
	struct vm *vm = op->vm;

	if (op->noted) /* the step that worked is not the one that cleans up */
		return;
	op->noted = true;
	text_set(&vm->stop_step, "%s %lld.%lld s: %s (step %u of %u)%s%s",
		spec_step_names[step_of(op)], (long long)(ms / 1000),
		(long long)(ms % 1000 / 100), step_result(op), op->at + 1,
		op->steps.n, *vm->stop.first ? "; before it " : "",
		vm->stop.first);
	if (!op->ended_before)
		vmlog_line(&vm->log, LOG_INFO, "stop: %s", vm->stop_step);
}

static bool has_monitor(const struct op_stop *op)
{
	return op->vm->machine.ready;
}

static void begin_step(struct op_stop *op)
{
	op->step_started_ms = loop_now_ms();
	vm_job_phase(op->vm, &op->job, spec_step_names[step_of(op)]);
	if (step_of(op) == STEP_TERM)
		send_signal(op, SIGTERM);
	if (step_of(op) == STEP_KILL)
		send_signal(op, SIGKILL);
}

static bool step_asks_guest(const struct op_stop *op)
{
	return step_of(op) == STEP_AGENT || step_of(op) == STEP_ACPI ||
	       step_of(op) == STEP_CTRL_ALT_DEL;
}

/* What the step sends over QMP; a monitor that is not there skips it. */
static bool send_step(struct op_stop *op)
{
	static const char *const commands[] = { [STEP_AGENT] = "query-chardev",
		[STEP_ACPI] = "system_powerdown",
		[STEP_CTRL_ALT_DEL] = "send-key",
		[STEP_QUIT] = "quit" };
	enum stop_step step = step_of(op);

	if (step > STEP_QUIT || !has_monitor(op))
		return false;
	qmp_call_start(&op->call, &op->job, machine_qmp(&op->vm->machine),
		QMP_COMMAND_IN(budget_of(op), commands[step],
			step == STEP_CTRL_ALT_DEL ? guest_ctrl_alt_del()
						  : NULL),
		true);
	return true;
}

/* True when there is something to wait for in this step. */
static bool step_waits(struct op_stop *op)
{
	if (step_of(op) >= STEP_TERM)
		return true;
	if (!has_monitor(op) && !is_dead(op))
		return false;
	if (step_of(op) == STEP_AGENT) {
		if (op->call.err.code || !guest_agent_is_open(op->call.result))
			return false;
		ask_agent(op);
	}
	return true;
}

static bool step_done(const struct op_stop *op)
{
	if (op->hurry)
		return true;
	if (step_asks_guest(op))
		return is_off(op) ||
		       (step_of(op) == STEP_AGENT && op->agent_failed);
	return is_dead(op);
}

/* ---- the job ---- */

/* Those that follow it go down first. */
static bool is_its_turn(const struct op_stop *op)
{
	struct vm *vm = op->vm;

	if (!vm->order || is_dead(op) || op->ended_before)
		vm->waits = false;
	else
		vm->waits = !vm->order->may_stop(vm);
	return !vm->waits;
}

/* Who goes down after it needs time too. */
static void take_share(const struct op_stop *op)
{
	struct vm *vm = op->vm;
	int64_t left = op->deadline_ms - loop_now_ms();

	if (!op->deadline_ms)
		return;
	vm->stop.timeout_ms = vm->order  ? vm->order->stop_share(vm, left)
			      : left > 0 ? left
					 : 1;
}

static unsigned next_step(struct op_stop *op)
{
	if (!op->hurry)
		return op->at + 1;
	op->hurry = false;
	op->steps = hard_steps;
	return 0;
}

static bool must_wake_guest(const struct op_stop *op)
{
	return op->vm->kept_paused && has_monitor(op) && !op->vm->stop.now &&
	       !op->ended_before;
}

static enum job_state stop_run(struct job *job)
{
	struct op_stop *op = container_of(job, struct op_stop, job);

	JOB_BEGIN(job);
	JOB_AWAIT_OR_TIMEOUT(job, op->stored_done, STORED_MS);
	if (!op->stored_done)
		op->vm->recorded = false;
	JOB_AWAIT(job, is_its_turn(op), JOB_FOREVER); /* ladders have ends */
	take_share(op);
	plan_steps(op);
	if (must_wake_guest(op))
		QMP_TRY(job, &op->call, machine_qmp(&op->vm->machine), "cont",
			NULL);
	for (op->at = 0; op->at < op->steps.n; op->at = next_step(op)) {
		if (is_off(op) && step_asks_guest(op))
			continue;
		begin_step(op);
		if (send_step(op))
			JOB_AWAIT(job,
				op->call.replied || is_dead(op) || op->hurry,
				JOB_FOREVER); /* the call has a deadline */
		if (!step_waits(op))
			continue;
		JOB_AWAIT_OR_TIMEOUT(job, step_done(op),
			step_of(op) == STEP_KILL ? KILL_MS : budget_of(op));
		agent_cancel(&op->vm->agent);
		if (!is_off(op))
			continue;
		if (step_asks_guest(op) || is_dead(op))
			note_step(op);
		if (is_dead(op))
			return JOB_ENDS;
	}
	return job_fail(job, ERR_TIMEOUT, "QEMU does not die of SIGKILL");
	JOB_END(job);
}

static void stop_cleanup(struct job *job)
{
	struct op_stop *op = container_of(job, struct op_stop, job);

	if (op->vm->agent.busy && op->vm->agent.owner == op)
		agent_cancel(&op->vm->agent);
	store_cancel(&op->stored);
	qmp_call_fini(&op->call);
	op->vm->waits = false;
	free(op);
}

static const struct job_kind stop_kind = { "stop", stop_run, NULL,
	stop_cleanup };

static struct op_stop *new_stop(struct vm *vm)
{
	struct op_stop *op = NEW(struct op_stop);

	op->vm = vm;
	op->stored.on_stored = on_stored;
	op->stored_done = true;
	return op;
}

struct job *op_stop_begin(struct vm *vm, op_end_fn *on_end, void *arg)
{
	struct op_stop *op = new_stop(vm);

	text_clear(&vm->stop_step);
	if (vm->stop.timeout_ms)
		op->deadline_ms = loop_now_ms() + vm->stop.timeout_ms;
	if (!vm->stop.restart) {
		if (!vm->stop.host_shutdown)
			vm->record.desired = DESIRED_DOWN;
		op->stored_done = vm_record(vm, &op->stored) != 0;
	}
	job_start(&op->job, &stop_kind, vm->name, on_end, arg);
	return &op->job;
}

void op_stop_hurry(struct vm *vm)
{
	struct op_stop *op;

	if (!vm->op || vm->op->kind != &stop_kind || vm->stop.now)
		return;
	op = container_of(vm->op, struct op_stop, job);
	vm->stop.now = true;
	op->hurry = op->steps.n > 0; /* else it has yet to plan */
	job_wake(vm->op);
}

struct job *op_quit_begin(struct vm *vm, op_end_fn *on_end, void *arg)
{
	struct op_stop *op = new_stop(vm);

	op->ended_before = true;
	job_start(&op->job, &stop_kind, vm->name, on_end, arg);
	return &op->job;
}
