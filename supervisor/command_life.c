/* SPDX-License-Identifier: GPL-2.0-or-later */
/* start, stop, kill, restart, pause, resume, reset, reboot, wait. */
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "supervisor/chain_record.h"
#include "supervisor/commands.h"
#include "supervisor/config.h"
#include "supervisor/install.h"
#include "supervisor/lifecycle.h"
#include "supervisor/op.h"
#include "supervisor/op_agent.h"
#include "supervisor/order.h"
#include "supervisor/plan.h"
#include "supervisor/saved.h"
#include "supervisor/settings.h"

/* What a waiting request waits for. */
enum goal { GOAL_NONE, GOAL_RUNNING, GOAL_READY, GOAL_AGENT, GOAL_DOWN };

/* stage: the goal, and for restart whether the old QEMU is gone yet */
#define GOAL_OF(rq) ((enum goal)((rq)->stage & 15))
#define KILL_MS     10000
#define AWAITS_END  16 /* restart: the successor has not begun yet */
#define UNCHANGED   32 /* it was down: only the order must reach the disk */

static bool vm_runs(const struct vm *vm)
{
	return vm->state == VM_RUNNING || vm->state == VM_PAUSED;
}

static bool reached(const struct vm *vm, enum goal goal)
{
	bool runs = vm_runs(vm) && !vm->order_pending;

	switch (goal) {
	case GOAL_RUNNING:
		return runs;
	case GOAL_READY:
		return runs && vm->ready == VM_READY_YES;
	case GOAL_AGENT:
		return runs && vm->ready == VM_READY_YES;
	case GOAL_DOWN:
		return !vm_is_up(vm) && !vm->order_pending;
	case GOAL_NONE:
		break;
	}
	return false;
}

static const char *message_of(const struct vm *vm, enum goal goal)
{
	return goal == GOAL_DOWN && *vm->stop_step &&
			       vm->last.cause == CAUSE_ADMIN_STOP
		       ? vm->stop_step
		       : NULL;
}

/* What was started without KVM though nobody asked for that says so. */
static void reply_reached(
	struct request *rq, const struct vm *vm, enum goal goal)
{
	bool changed = !(rq->stage & UNCHANGED);
	json_t *result = command_result(
		vm, changed, changed ? message_of(vm, goal) : NULL);
	char warning[160];

	if (changed && goal != GOAL_DOWN && accel_warning(&vm->accel, warning))
		json_object_set_new(result, "warning", json_string(warning));
	request_reply_steal(rq, result);
}

static void fail_ended(struct request *rq, const struct vm *vm)
{
	if (vm->start_err)
		request_fail(rq, vm->start_err);
	else
		request_failf(rq, ERR_STATE, "it ended: %s%s%s",
			cause_name(vm->last.cause), *vm->last.detail ? " " : "",
			vm->last.detail);
}

/* By somebody else, while we waited for its end to reach the disk. */
static bool started_again(const struct vm *vm)
{
	return vm->state == VM_STARTING && !vm->intent_stop && !vm->intent_kill;
}

/* The probe is over and did not pass, or waits for somebody to resume. */
static bool never_ready(const struct vm *vm, enum goal goal)
{
	if ((goal != GOAL_READY && goal != GOAL_AGENT) || vm->probe || vm->op)
		return false;
	return (vm->state == VM_RUNNING && vm->ready == VM_READY_NO) ||
	       (vm->state == VM_PAUSED && vm->ready != VM_READY_YES);
}

static void fail_stuck(struct request *rq, const struct vm *vm)
{
	request_failf(rq, ERR_TIMEOUT, "QEMU does not die (pid %d)",
		(int)vm->machine.pid);
}

/* On its way down, or to be: answers if it will not get there. */
static void check_descent(struct request *rq, const struct vm *vm)
{
	if (vm->state == VM_RUNNING && !vm->op)
		request_failf(rq, ERR_CANCELLED, "the stop was cancelled");
	else if (vm->state == VM_UNREACHABLE)
		fail_stuck(rq, vm);
	else if (started_again(vm))
		request_failf(rq, ERR_CANCELLED, "it was started again");
}

static void on_change(struct vm_watch *watch, struct vm *vm)
{
	struct request *rq = container_of(watch, struct request, watch);
	enum goal goal = GOAL_OF(rq);

	if ((rq->stage & AWAITS_END) && vm->state == VM_STARTING)
		rq->stage &= ~AWAITS_END;
	if ((rq->stage & AWAITS_END) && vm_is_up(vm))
		check_descent(rq, vm);
	else if (reached(vm, goal))
		reply_reached(rq, vm, goal);
	else if (goal == GOAL_DOWN)
		check_descent(rq, vm);
	else if (!vm_is_up(vm))
		fail_ended(rq, vm);
	else if (vm->state == VM_UNREACHABLE)
		request_failf(rq, ERR_STATE, "it is unreachable: %s", vm->note);
	else if (never_ready(vm, goal))
		request_failf(rq, ERR_TIMEOUT, "it runs, but is %s",
			*vm->note ? vm->note : "not ready");
}

static void on_deadline(struct loop_timer *timer)
{
	struct request *rq = container_of(timer, struct request, deadline);

	request_failf(rq, ERR_TIMEOUT, "it is %s after the time limit",
		vm_state_word(rq->vm));
}

/* Answers once the goal is reached, or cannot be any more. */
static void await_goal(struct request *rq, struct vm *vm, int stage, int64_t ms)
{
	rq->stage = stage;
	rq->vm = vm;
	vm_watch(vm, &rq->watch, on_change);
	if (ms > 0)
		loop_timer_start(&rq->deadline, ms, on_deadline);
	on_change(&rq->watch, vm);
}

/* 0 if the lifecycle takes the event; else the request was answered. */
static int accepts(struct request *rq, const struct vm *vm, enum vm_event event)
{
	struct err err = ERR_INIT;

	if (!lifecycle_accepts(vm, event, &err))
		return 0;
	request_fail(rq, &err);
	return -1;
}

static enum goal goal_named(const char *wait)
{
	if (str_eq(wait, "ready"))
		return GOAL_READY;
	if (str_eq(wait, "agent") || str_eq(wait, "ip"))
		return GOAL_AGENT;
	return GOAL_RUNNING;
}

/* A fresh look at the files; a broken one is not started. */
static int load_for_start(struct request *rq, struct vm *vm)
{
	struct err err = ERR_INIT;

	registry_load(request_registry(rq), vm);
	if (!vm_check_files(vm, &err))
		return 0;
	request_fail(rq, &err);
	return -1;
}

static int check_protect(
	struct request *rq, const struct vm *vm, const char *verb)
{
	if (!order_protects(vm, verb))
		return 0;
	request_failf(rq, ERR_DENIED,
		"[vm] protect = %s: take it out of the file first", verb);
	return -1;
}

/* Nothing can be done to a QEMU that holds its locks and hides. */
static int check_known(struct request *rq, const struct vm *vm)
{
	if (machine_is_alive(&vm->machine) ||
		(vm->state != VM_ADOPTING && vm->state != VM_UNREACHABLE))
		return 0;
	request_failf(rq, ERR_STATE,
		"QEMU's process is not known; its lock is held: %s", vm->note);
	return -1;
}

/* In front of its own actions: whom it starts as well. */
static int add_pulls(
	struct request *rq, struct vm *vm, json_t *actions, struct err *err)
{
	char **names;

	if (request_bool(rq, "no-deps") || vm->env->file)
		return 0;
	names = order_pulls(vm, err);
	if (!names)
		return -1;
	for (size_t i = 0; names[i]; i++) {
		AUTO_FREE char *text = xasprintf("start %s", names[i]);

		json_array_insert_new(actions, i, json_string(text));
	}
	config_names_free(names);
	return 0;
}

/* It goes on from saved memory, or that is forgotten; else answered. */
static bool decide_saved(struct request *rq, struct vm *vm)
{
	bool once =
		request_bool(rq, "ephemeral") || *request_string(rq, "cdrom");

	if (vm->state != VM_SAVED)
		return true;
	if (request_bool(rq, "fresh")) {
		if (!request_bool(rq, "dry-run"))
			saved_forget(vm);
		return true;
	}
	if (once)
		request_failf(rq, ERR_STATE,
			"it is saved: --fresh forgets its memory");
	else if (request_bool(rq, "dry-run"))
		request_reply_steal(
			rq, json_pack("{s:[o]}", "actions",
				    json_sprintf("restore %s from its saved "
						 "memory",
					    vm->name)));
	else
		return true;
	return false;
}

/* What `plan` says; true if that was all that was asked for. */
static bool start_dry_run(struct request *rq, struct vm *vm)
{
	AUTO_JSON json_t *plan = NULL;
	struct err err = ERR_INIT;

	if (!request_bool(rq, "dry-run"))
		return false;
	plan = plan_start(
		vm->spec, vm->env, &vm->record, chain_record(vm), &err);
	if (plan && !add_pulls(rq, vm, json_object_get(plan, "actions"), &err))
		request_reply_steal(
			rq, json_pack("{s:O}", "actions",
				    json_object_get(plan, "actions")));
	else
		request_fail(rq, &err);
	return true;
}

/* What the guest runs: not for those who may only operate; else answered. */
static bool may_have_disc(
	struct request *rq, const struct vm *vm, const char *disc)
{
	struct err err = ERR_INIT;
	struct stat st;

	if (!*disc)
		return true;
	if (rq->role < ROLE_ADMIN)
		err_set(&err, ERR_DENIED,
			"only the role admin may bring a disc");
	else if (!request_look_at_file(rq, "cdrom", &st, &err) &&
		 !install_check(vm->spec, disc, &st, &err))
		return true;
	request_fail(rq, &err);
	return false;
}

void command_start(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	const char *disc = request_string(rq, "cdrom");
	enum goal goal = goal_named(request_string(rq, "wait"));

	if (!vm)
		return;
	if (vm->state == VM_ADOPTING || vm->state == VM_STARTING) {
		await_goal(rq, vm, (int)goal, request_ms(rq, "timeout"));
		return;
	}
	if (vm_runs(vm)) {
		if (goal == GOAL_RUNNING || reached(vm, goal))
			await_goal(rq, vm, (int)goal | UNCHANGED,
				request_ms(rq, "timeout"));
		else
			await_goal(
				rq, vm, (int)goal, request_ms(rq, "timeout"));
		return;
	}
	if (vm->env->stopping) {
		request_failf(rq, ERR_STATE, "all VMs are being stopped");
		return;
	}
	if (accepts(rq, vm, EV_START) || check_protect(rq, vm, "start") ||
		load_for_start(rq, vm) || !may_have_disc(rq, vm, disc) ||
		!decide_saved(rq, vm) || start_dry_run(rq, vm))
		return;
	loop_timer_stop(&vm->retry_timer);
	vm->ordered = true;
	vm->alone = request_bool(rq, "no-deps");
	vm->start_paused = request_bool(rq, "paused");
	vm->once_ephemeral = request_bool(rq, "ephemeral");
	vm_forget_disc(vm);
	if (*disc)
		install_keep(vm, disc, TAKE_FD(rq->opened));
	vm->record.history.restarts = 0;
	vm->record.fallback = false;
	vm->record.revert = REVERT_NONE;
	vm_post(vm, EV_START);
	if (vm->op && command_job(rq, vm, vm->op))
		return;
	await_goal(rq, vm, (int)goal, request_ms(rq, "timeout"));
}

/* It is on its way down; no restart follows, whoever wanted one. */
static void stop_for_good(struct vm *vm)
{
	if (vm->record.desired == DESIRED_DOWN)
		return;
	vm->intent_stop = true;
	vm->stop.restart = false;
	vm->record.desired = DESIRED_DOWN;
	vm_record_order(vm);
}

/* Also to those that go down with it; false: answered. */
static bool order_stop(struct request *rq, struct vm *vm, bool restart)
{
	struct vm_stop_order stop = { .restart = restart,
		.now = request_bool(rq, "now"),
		.alone = request_bool(rq, "no-deps"),
		.timeout_ms = request_ms(rq, "timeout") };
	const struct env *env = registry_env(request_registry(rq));
	struct err err = ERR_INIT;

	stop.shared = !stop.timeout_ms && request_bool(rq, "together");
	if (stop.shared)
		stop.timeout_ms = settings_of(env)->vmward.shutdown_timeout;

	if (!stop.alone && vm_is_up(vm) &&
		order_stop_dependents(vm, &stop, &err)) {
		request_fail(rq, &err);
		return false;
	}
	vm->stop = stop;
	vm_post(vm, EV_STOP);
	return true;
}

void command_stop(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	bool was_up;

	if (!vm)
		return;
	was_up = vm_is_up(vm);
	if (check_protect(rq, vm, "stop"))
		return;
	if (vm->state == VM_STOPPING || vm->state == VM_ENDED) {
		if (command_dry_run(rq, vm))
			return;
		stop_for_good(vm);
		if (request_bool(rq, "now"))
			op_stop_hurry(vm);
		await_goal(rq, vm, GOAL_DOWN, 0);
		return;
	}
	if (accepts(rq, vm, EV_STOP) || check_known(rq, vm) ||
		command_dry_run(rq, vm))
		return;
	if (!order_stop(rq, vm, false))
		return;
	if (was_up && vm->op && command_job(rq, vm, vm->op))
		return;
	await_goal(rq, vm, was_up ? GOAL_DOWN : GOAL_DOWN | UNCHANGED, 0);
}

void command_kill(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	bool was_up;

	if (!vm || accepts(rq, vm, EV_KILL) || check_known(rq, vm) ||
		command_dry_run(rq, vm))
		return;
	was_up = vm_is_up(vm);
	vm_post(vm, EV_KILL);
	await_goal(rq, vm, was_up ? GOAL_DOWN : GOAL_DOWN | UNCHANGED, KILL_MS);
}

void command_restart(struct request *rq)
{
	struct vm *vm = command_vm(rq);

	if (!vm)
		return;
	if (!vm_is_up(vm)) {
		command_start(rq);
		return;
	}
	if (vm->state == VM_ENDED) { /* it is on its way already */
		request_failf(rq, ERR_STATE, "it is %s", vm_state_word(vm));
		return;
	}
	if (check_protect(rq, vm, "stop") || accepts(rq, vm, EV_STOP) ||
		check_known(rq, vm) || load_for_start(rq, vm) ||
		command_dry_run(rq, vm))
		return;
	if (!order_stop(rq, vm, true))
		return;
	if (vm->op && command_job(rq, vm, vm->op))
		return;
	await_goal(rq, vm, GOAL_RUNNING | AWAITS_END, 0);
}

/* ---- pause, resume, reset, reboot ---- */

static void on_ask_end(struct job *job, void *arg)
{
	struct request *rq = arg;
	struct vm *vm = rq->vm;

	if (!command_ends_well(rq, job))
		return;
	if (str_eq(rq->verb->wire, "vm-pause") ||
		str_eq(rq->verb->wire, "vm-resume")) {
		vm->record.paused = str_eq(rq->verb->wire, "vm-pause");
		vm_record(vm, NULL);
	}
	/* its clock stood still as well */
	if (str_eq(rq->verb->wire, "vm-resume") && vm->running &&
		vm->running->agent.enabled)
		vm_job_add(vm, op_clock_begin(vm, vm_job_over, vm));
	request_reply_steal(rq, command_result(vm, true, NULL));
}

static void ask(struct request *rq, enum op_ask what, enum vm_state already)
{
	struct vm *vm = command_vm(rq);

	if (!vm)
		return;
	if (vm->state == already) {
		request_reply_steal(rq, command_result(vm, false, NULL));
		return;
	}
	if ((vm->state != VM_RUNNING && vm->state != VM_PAUSED) ||
		!vm->machine.ready) {
		request_failf(rq, ERR_STATE, "it is %s", vm_state_word(vm));
		return;
	}
	if (vm->machine.seen.shutdown_seen) {
		request_failf(rq, ERR_STATE, "its guest is off");
		return;
	}
	if (command_dry_run(rq, vm))
		return;
	rq->vm = vm;
	rq->job = op_ask_begin(vm, what, on_ask_end, rq);
	vm_job_add(vm, rq->job);
}

void command_pause(struct request *rq)
{
	ask(rq, ASK_PAUSE, VM_PAUSED);
}

void command_resume(struct request *rq)
{
	ask(rq, ASK_RESUME, VM_RUNNING);
}

void command_reset(struct request *rq)
{
	ask(rq, ASK_RESET, VM_NSTATES);
}

void command_reboot(struct request *rq)
{
	ask(rq, ASK_REBOOT, VM_NSTATES);
}

/* ---- wait, reset-failed ---- */

static bool is_in(const struct vm *vm, const char *state)
{
	if (str_eq(state, "ready") || str_eq(state, "agent") ||
		str_eq(state, "ip"))
		return vm->state == VM_RUNNING && vm->ready == VM_READY_YES;
	return str_eq(state, vm_state_word(vm));
}

static void on_wait_change(struct vm_watch *watch, struct vm *vm)
{
	struct request *rq = container_of(watch, struct request, watch);

	if (is_in(vm, request_string(rq, "state")))
		request_reply_steal(rq, command_result(vm, false, NULL));
	else if (vm->leaves)
		request_failf(rq, ERR_NOT_FOUND,
			"its file is gone and it does not run: it will not be "
			"%s before its file is back",
			request_string(rq, "state"));
}

static bool state_is_known(const char *state)
{
	static const char *const words[] = { "ready", "agent", "ip",
		"migrating", "invalid", NULL };

	for (size_t i = 0; words[i]; i++) {
		if (str_eq(state, words[i]))
			return true;
	}
	for (int s = 0; s < VM_NSTATES; s++) {
		if (str_eq(state, vm_state_name((enum vm_state)s)))
			return true;
	}
	return false;
}

void command_wait(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	int64_t ms = request_ms(rq, "timeout");

	if (!vm)
		return;
	if (!state_is_known(request_string(rq, "state"))) {
		request_failf(rq, ERR_USAGE, "no state '%s'",
			request_string(rq, "state"));
		return;
	}
	rq->vm = vm;
	if (ms > 0)
		loop_timer_start(&rq->deadline, ms, on_deadline);
	vm_watch(vm, &rq->watch, on_wait_change);
	on_wait_change(&rq->watch, vm);
}

void command_reset_failed(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	bool changed;

	if (!vm || command_dry_run(rq, vm))
		return;
	changed = vm->state == VM_FAILED || vm->record.history.n > 0;
	vm_post(vm, EV_RESET_FAILED);
	request_reply_steal(rq, command_result(vm, changed, NULL));
}
