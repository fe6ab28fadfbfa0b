/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the cells of the life cycle's matrix do; see actions.h. */
#include "supervisor/actions.h"

#include <signal.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/diskfull.h"
#include "supervisor/fdset_sweep.h"
#include "supervisor/frozen.h"
#include "supervisor/halt.h"
#include "supervisor/hang.h"
#include "supervisor/hook.h"
#include "supervisor/lastgood.h"
#include "supervisor/live_copy.h"
#include "supervisor/live_settle.h"
#include "supervisor/lowspace.h"
#include "supervisor/op.h"
#include "supervisor/op_agent.h"
#include "supervisor/op_device.h"
#include "supervisor/op_nics.h"
#include "supervisor/op_save.h"
#include "supervisor/policy.h"
#include "supervisor/ready.h"
#include "supervisor/reboot.h"
#include "supervisor/saved.h"
#include "supervisor/schedule.h"
#include "supervisor/settle.h"
#include "supervisor/tidy.h"
#include "supervisor/unplug.h"

#define ADOPT_FIRST_MS 500
#define ADOPT_MAX_MS   30000

/* ---- operations and their ends ---- */

static void end_op(struct vm *vm, struct job *job)
{
	vm->op = NULL;
	vm_job_end(vm, job);
}

/* What the events said, which nobody heeded while the VM came up. */
static bool guest_is_over(const struct vm *vm)
{
	return vm->machine.seen.shutdown_seen || halt_is_over(vm);
}

/* The guest of a start that went on from saved memory has slept. */
static void set_clock(struct vm *vm)
{
	if (vm->clock_is_late && !vm->start_paused)
		vm_job_add(vm, op_clock_begin(vm, vm_job_over, vm));
	vm->clock_is_late = false;
}

static void keep_err(struct err **at, const struct err *err)
{
	if (!*at)
		*at = NEW(struct err);
	**at = *err;
}

static void on_start_end(struct job *job, void *arg)
{
	struct vm *vm = arg;

	end_op(vm, job);
	if (!job->err.code) {
		vm_post(vm, vm->start_paused ? EV_STARTED_PAUSED : EV_STARTED);
		hook_start(hook_prepare(vm, HOOK_STARTED));
		if (guest_is_over(vm)) /* already */
			vm_post(vm, EV_GUEST_OFF);
		else
			set_clock(vm);
		return;
	}
	keep_err(&vm->start_err, &job->err);
	if (job->err.code == ERR_EXISTS) {
		vm_drop_running(vm); /* it runs what it was started with */
		vm_post(vm, EV_FOUND);
		return;
	}
	vmlog_line(&vm->log, LOG_ERROR, "start failed: %s", job->err.text);
	vm->machine.seen = (struct cause_inputs){ 0 };
	vm_post(vm, EV_START_FAILED);
}

void act_start(struct vm *vm)
{
	loop_timer_stop(&vm->retry_timer);
	free(TAKE(vm->start_err));
	vm_set_note(vm, "%s", "");
	vm->asked_ms = loop_now_ms();
	vm->ready_ms = 0;
	vm->restarted_us = (int64_t)sys_now_us();
	vm->op = op_start_begin(vm, on_start_end, vm);
	vm_job_add(vm, vm->op);
}

void act_retry(struct vm *vm)
{
	act_start(vm);
}

static void on_stop_end(struct job *job, void *arg)
{
	struct vm *vm = arg;

	end_op(vm, job);
	if (!job->err.code || machine_is_ended(&vm->machine)) {
		settle(vm);
		return;
	}
	vmlog_line(&vm->log, LOG_ERROR, "stop: %s", job->err.text);
	vm_set_note(vm, "stop: %s", job->err.text);
	vm_post(vm,
		job->err.code == ERR_CANCELLED ? EV_STOP_CANCELLED : EV_STUCK);
}

/* It goes on: what nobody heeded meanwhile. */
static void catch_up(struct vm *vm)
{
	if (!vm->machine.ready)
		vm_post(vm, EV_LOST); /* nobody heeded it meanwhile */
	else if (guest_is_over(vm))
		vm_post(vm, EV_GUEST_OFF);
	else if (vm->ready != VM_READY_YES)
		ready_begin(vm);
	if (vm->machine.ready && vm->machine.seen.io_error) {
		vm_post(vm, EV_GUEST_PAUSED); /* by a disk, all the while */
		if (!vm->full.path)
			diskfull_look(vm);
	}
}

void act_stop_cancelled(struct vm *vm)
{
	vm->stop = (struct vm_stop_order){ 0 };
	vm->intent_stop = false;
	vm->record.desired = DESIRED_UP;
	vm->record.killed = vm->record.left = false;
	vm_record_order(vm);
	vm_set_note(vm, "%s", "");
	catch_up(vm);
}

static void on_save_end(struct job *job, void *arg)
{
	struct vm *vm = arg;

	end_op(vm, job);
	if (machine_is_ended(&vm->machine)) {
		settle(vm);
		return;
	}
	vmlog_line(&vm->log, LOG_ERROR, "save: %s", job->err.text);
	keep_err(&vm->save_err, &job->err);
	vm_post(vm, EV_SAVE_FAILED);
}

void act_save(struct vm *vm)
{
	ready_stop(vm);
	free(TAKE(vm->save_err));
	vm->op = op_save_begin(vm, on_save_end, vm);
	vm_job_add(vm, vm->op);
}

void act_save_failed(struct vm *vm)
{
	bool paused = vm->kept_paused;

	vm->stop = (struct vm_stop_order){ 0 };
	vm->intent_stop = false;
	catch_up(vm);
	if (paused)
		vm_post(vm, EV_GUEST_PAUSED);
}

void act_stop(struct vm *vm)
{
	vm->intent_stop = true;
	ready_stop(vm);
	vm->op = op_stop_begin(vm, on_stop_end, vm);
	vm_job_add(vm, vm->op);
}

void act_stop_more(struct vm *vm)
{
	vm->intent_stop = true;
	if (vm->stop.restart)
		return;
	vm->record.desired = DESIRED_DOWN;
	vm_record_order(vm);
}

/* With all others it goes down as it would with the host. */
static void order_down(struct vm *vm)
{
	if (!vm->stop.host_shutdown)
		vm->record.desired = DESIRED_DOWN;
}

void act_cancel_start(struct vm *vm)
{
	vm->intent_stop = true;
	if (!vm->stop.restart) {
		order_down(vm);
		vm_record_order(vm);
	}
	if (vm->op)
		job_cancel(vm->op);
}

void act_quit(struct vm *vm)
{
	ready_stop(vm);
	vm->op = op_quit_begin(vm, on_stop_end, vm);
	vm_job_add(vm, vm->op);
}

void act_kill(struct vm *vm)
{
	struct err err = ERR_INIT;

	vm->intent_kill = true;
	vm->record.killed = !vm->stop.host_shutdown;
	order_down(vm);
	vm_record_order(vm);
	if (machine_signal(&vm->machine, SIGKILL, &err))
		vmlog_line(&vm->log, LOG_ERROR, "kill: %s", err.text);
}

void act_kill_start(struct vm *vm)
{
	vm->intent_kill = vm->record.killed = true;
	act_cancel_start(vm);
}

/* ---- adoption ---- */

static void on_adopt_timer(struct loop_timer *timer)
{
	vm_post(container_of(timer, struct vm, retry_timer), EV_FOUND);
}

void act_retry_adoption(struct vm *vm)
{
	int64_t ms = ADOPT_FIRST_MS;

	for (unsigned i = 0; i < vm->adopt_tries && ms < ADOPT_MAX_MS; i++)
		ms *= 2;
	vm->adopt_tries++;
	loop_timer_start(&vm->retry_timer,
		ms < ADOPT_MAX_MS ? ms : ADOPT_MAX_MS, on_adopt_timer);
}

/* What a run state found means. */
static enum vm_event found_state(
	struct vm *vm, const char *status, const char *full_node)
{
	struct cause_inputs *seen = &vm->machine.seen;

	if (halt_found(vm, status, full_node))
		return EV_STARTED_PAUSED;
	if (str_eq(status, "shutdown")) {
		seen->shutdown_seen = true;
		if (!seen->shutdown_reason[0]) /* no trace told another */
			snprintf(seen->shutdown_reason,
				sizeof(seen->shutdown_reason), "%s",
				reboot_is_end(vm) && seen->shutdown_silent
					? "guest-reset"
					: "guest-shutdown");
	}
	if (str_eq(status, "running") || str_eq(status, "suspended"))
		return EV_STARTED;
	return EV_STARTED_PAUSED;
}

/* What a lost record would have told; the rest is learned at the next start. */
static void mend_record(struct vm *vm)
{
	struct record *r = &vm->record;

	vm->slots.live = true;
	if (vm->running)
		vm_load_slots(vm);
	if (r->ports) /* QEMU has no more since then */
		vm->slots.n = r->ports;
	if (r->generation >= vm->machine.generation &&
		r->pid == vm->machine.pid)
		return;
	r->generation = vm->machine.generation;
	r->pid = (int32_t)vm->machine.pid;
	r->pid_start = machine_pid_start(vm->machine.pid);
	if (vm->running)
		snprintf(r->uuid, sizeof(r->uuid), "%s", vm->running->uuid);
	if (!r->machine[0] && vm->running)
		snprintf(r->machine, sizeof(r->machine), "%s",
			vm->running->vm.machine);
	vm_record(vm, NULL);
}

static void on_reap_end(struct job *job, void *arg)
{
	struct vm *vm = arg;

	vm_job_over(job, vm);
	vm_changed(vm);
}

/* After the disks: a nic that is gone, or whose end is to be written. */
static void reap_nics(struct job *job, void *arg)
{
	struct vm *vm = arg;

	on_reap_end(job, vm);
	if (vm->running && vm->machine.ready &&
		(!list_is_empty(&vm->running->nics) || unplug_is_marked(vm)))
		vm_job_add(vm, op_device_reap_begin(
				       &op_device_nic, vm, on_reap_end, vm));
}

void act_reap(struct vm *vm)
{
	if (vm->running && vm->machine.ready)
		vm_job_add(vm, op_device_reap_begin(
				       &op_device_disk, vm, reap_nics, vm));
}

/* Its ports, where what was known of them is lost. */
static void find_nics(struct vm *vm)
{
	struct job *job =
		vm->running ? op_nics_adopt_begin(vm, vm_job_over, vm) : NULL;

	if (job)
		vm_job_add(vm, job);
}

/* Its memory is on disk: this QEMU was saved, or had not gone on from it. */
static void end_copy(struct vm *vm)
{
	bool restored = vm->machine.generation > saved_generation(vm);

	vmlog_line(&vm->log, LOG_INFO, "its memory is on disk: ends pid %d",
		(int)vm->machine.pid);
	vm->stop = (struct vm_stop_order){ .now = true,
		.alone = true,
		.restart = restored && vm->record.desired == DESIRED_UP };
	vm_post(vm, EV_UNWANTED);
}

/* Those that a dead supervisor was at. */
static void end_clones(struct vm *vm)
{
	frozen_thaw_if_marked(vm);
	if (live_copy_was_begun(vm))
		vm_job_add(vm, live_copy_reap_begin(vm, vm_job_over, vm));
	if (live_settle_is_marked(vm))
		vm_job_add(vm, live_settle_begin(vm, vm_job_over, vm));
}

static void on_adopt_end(struct job *job, void *arg)
{
	struct vm *vm = arg;
	const char *status = op_adopt_status(job);
	enum vm_event next;
	bool unstarted;

	end_op(vm, job);
	if (job->err.code) {
		if (machine_is_ended(&vm->machine)) {
			settle(vm);
			return;
		}
		vm_set_note(vm, "%s", job->err.text);
		vm_post(vm, EV_UNREACHABLE);
		return;
	}
	vm->adopt_tries = 0;
	vm_set_note(vm, "%s", "");
	if (saved_is_there(vm)) {
		end_copy(vm);
		return;
	}
	vmlog_line(&vm->log, LOG_INFO, "adopted pid %d (%s)",
		(int)vm->machine.pid, status);
	vm->start_paused = false;
	mend_record(vm);
	if (vm->record.desired == DESIRED_DOWN) {
		found_state(vm, status, op_adopt_full_node(job));
		vm->intent_stop = true; /* we died in the middle of a stop */
		vm->intent_kill = vm->record.killed;
		vm_post(vm, EV_UNWANTED);
		return;
	}
	vm->record.left = false;
	vm_record_order(vm); /* what we read may not be on disk so far */
	next = found_state(vm, status, op_adopt_full_node(job));
	unstarted = str_eq(status, "prelaunch") ||
		    (str_eq(status, "paused") && saved_was_used(vm));
	saved_forget(vm); /* it has that in its memory */
	if (unstarted && !vm->record.paused)
		next = EV_STARTED; /* we died before its cont */
	vm_post(vm, next);
	if (guest_is_over(vm))
		vm_post(vm, EV_GUEST_OFF);
	else if (str_eq(status, "prelaunch") && vm->record.unfinished &&
		 vm->running)
		vm_job_add(vm, op_finish_begin(vm, vm_job_over, vm));
	else if (unstarted && !vm->record.paused)
		vm_job_add(vm, op_ask_begin(vm, ASK_RESUME, vm_job_over, vm));
	if (vm->machine.seen.io_error && !vm->full.path)
		diskfull_look(vm);
	if (unplug_is_marked(vm))
		act_reap(vm);
	find_nics(vm);
	if (op_save_was_begun(vm))
		vm_job_add(vm, op_save_reap_begin(vm, vm_job_over, vm));
	end_clones(vm);
}

void act_adopt(struct vm *vm)
{
	loop_timer_stop(&vm->retry_timer);
	if (!machine_is_alive(&vm->machine))
		vm->machine.dead = false; /* that was another one */
	if (!vm->running)
		vm_load_running(vm);
	if (vm->running)
		vm_make_consoles(vm, vm->running);
	hang_follow(vm);
	vm->op = op_adopt_begin(vm, on_adopt_end, vm);
	vm_job_add(vm, vm->op);
}

/* ---- the other actions ---- */

static void on_runtime(struct loop_timer *timer)
{
	struct vm *vm = container_of(timer, struct vm, runtime_timer);

	vmlog_line(&vm->log, LOG_INFO, "runtime-max is over");
	vm->stop = (struct vm_stop_order){ .runtime = true };
	vm_post(vm, EV_STOP);
}

/* A life has a limit, counted from its start, also after an adoption. */
static void limit_runtime(struct vm *vm)
{
	int64_t max =
		vm->running ? vm->running->stop.runtime_max_ms : STR_FOREVER;
	int64_t left;

	if (max <= 0 || max == STR_FOREVER)
		return;
	left = max - vm_uptime_ms(vm);
	loop_timer_start(&vm->runtime_timer, left > 0 ? left : 0, on_runtime);
}

/* What it said when it came up it does not say again. */
static void begin_ready(struct vm *vm)
{
	if (vm->was_ready)
		vm_set_ready(vm, VM_READY_YES);
	else
		ready_begin(vm);
	vm->was_ready = false;
}

void act_running(struct vm *vm)
{
	limit_runtime(vm);
	reboot_follow(vm);
	hang_follow(vm);
	lowspace_begin(vm);
	vm->kept_paused = false;
	vm->machine.seen.started = true;
	begin_ready(vm);
	lastgood_begin(vm);
}

void act_paused_start(struct vm *vm)
{
	vm->kept_paused = true;
	vm->machine.seen.started = true;
}

void act_resumed(struct vm *vm)
{
	diskfull_end(vm);
	fdset_sweep_begin(vm);
	vm->kept_paused = false;
	vm_set_note(vm, "%s", "");
	if (vm->ready != VM_READY_YES && !vm->probe)
		begin_ready(vm);
}

void act_paused(struct vm *vm)
{
	vm->kept_paused = true;
}

void act_start_failed(struct vm *vm)
{
	if (vm->ordered || vm->intent_stop) {
		order_down(vm);
		vm_record(vm, NULL);
	}
	if (vm->refused)
		vm_set_note(vm, "%s", vm->start_err->text);
	settle(vm);
}

void act_rest(struct vm *vm)
{
	loop_timer_stop(&vm->retry_timer);
	tidy_up(vm);
	if (vm->record.desired == DESIRED_UP && !vm->env->stopping)
		vm->record.desired = DESIRED_DOWN;
	vm_record_order(vm);
}

static void on_retry_timer(struct loop_timer *timer)
{
	struct vm *vm = container_of(timer, struct vm, retry_timer);

	vm_post(vm, vm->gone ? EV_STOP : EV_RETRY);
}

void act_wait(struct vm *vm)
{
	int64_t ms = vm->retry_at_ms - loop_now_ms();

	vm_set_note(vm, "next try in %lld.%lld s", (long long)(ms / 1000),
		(long long)(ms % 1000 / 100));
	loop_timer_start(&vm->retry_timer, ms > 0 ? ms : 0, on_retry_timer);
	vm_record(vm, NULL);
}

void act_go_on(struct vm *vm)
{
	int64_t ms = vm->retry_at_ms - loop_now_ms();

	if (vm->state == VM_WAITING)
		loop_timer_start(
			&vm->retry_timer, ms > 0 ? ms : 0, on_retry_timer);
	else if (!vm_is_up(vm))
		tidy_rest(vm); /* that was to be tried again */
	if (!vm_is_up(vm))
		return;
	limit_runtime(vm);
	reboot_on_reset(vm);
	reboot_follow(vm);
	diskfull_go_on(vm);
	hang_follow(vm);
	lastgood_begin(vm);
}

void act_give_up(struct vm *vm)
{
	loop_timer_stop(&vm->retry_timer); /* of an adoption */
	tidy_up(vm);
	vm->record.failed = true;
	vm->record.desired = DESIRED_DOWN;
	vm_set_note(vm, "%u failures in a row: vmward log %s",
		vm->record.history.n, vm->name);
	vm_record(vm, NULL);
	hook_start(hook_prepare(vm, HOOK_CRASH_LOOP));
}

void act_forgive(struct vm *vm)
{
	vm->record.failed = vm->record.fallback = false;
	vm->record.revert = REVERT_NONE;
	policy_forgive(&vm->record.history);
	/* the note of one that is down tells of the failure */
	if (!vm_is_up(vm) && !machine_is_alive(&vm->machine))
		vm_set_note(vm, "%s", "");
	vm_record_order(vm);
}

void act_follow_files(struct vm *vm)
{
	reboot_follow(vm);
	hang_follow(vm);
	schedule_follow(vm);
}

void act_nothing(struct vm *vm UNUSED) {}
