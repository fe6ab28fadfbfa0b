/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a VM; see supervisor/lifecycle.h. */
#include "supervisor/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/console.h"
#include "supervisor/ephemeral.h"
#include "supervisor/events.h"
#include "supervisor/lock.h"
#include "supervisor/op.h"
#include "supervisor/policy.h"
#include "supervisor/ready.h"

#define ADOPT_FIRST_MS 500
#define ADOPT_MAX_MS   30000

/* ---- the end of a QEMU: cause, policy, next event ---- */

static void forget_orders(struct vm *vm)
{
	vm->stop = (struct vm_stop_order){ 0 };
	vm->intent_stop = vm->intent_kill = false;
	vm->ordered = false;
	vm->kept_paused = false;
}

static enum vm_event decide(struct vm *vm)
{
	const struct vm_spec *spec = vm->spec ? vm->spec : vm->running;
	struct policy_decision d;

	if (vm->stop.restart && !vm->intent_kill)
		return EV_END_RESTART;
	if (vm->intent_stop || vm->intent_kill || !spec || vm->gone ||
		vm->env->stopping)
		return EV_END_STOPPED;
	if (vm->last.cause == CAUSE_START_FAILED && vm->ordered)
		return EV_END_STOPPED; /* the person was told */
	d = policy_decide(&spec->restart, vm->last.cause, &vm->record.history,
		(int64_t)(vm->last_end_us / 1000));
	vm->retry_at_ms = loop_now_ms() + d.delay_ms;
	switch (d.action) {
	case POLICY_RESTART_NOW:
		return EV_END_RESTART;
	case POLICY_RESTART_LATER:
		return EV_END_BACKOFF;
	case POLICY_FAILED:
		return EV_END_FAILED;
	case POLICY_STAY_STOPPED:
	case POLICY_KEEP_PAUSED:
		break;
	}
	return EV_END_STOPPED;
}

/* Nothing runs any more and no operation is under way: what now? */
static void settle(struct vm *vm)
{
	struct cause_inputs in = vm->machine.seen;
	enum vm_event next;

	in.intent_stop |= vm->intent_stop;
	in.intent_kill |= vm->intent_kill;
	in.intent_host |= vm->env->stopping || vm->stop.host_shutdown;
	cause_classify(&in, &vm->last);
	vm->last_end_us = (int64_t)sys_now_us();
	vm->record.last_cause = vm->last.cause;
	snprintf(vm->record.last_detail, sizeof(vm->record.last_detail), "%s",
		vm->last.detail);
	vm->record.last_end_real_us = sys_realtime_us();
	vm->record.pid = 0;
	if (vm->running)
		ephemeral_sweep(vm->running, vm->env);
	if (!vm->spec) /* its file is broken: the last good version stays */
		vm->spec = vm->running;
	vm_drop_running(vm);
	vmlog_line(&vm->log, LOG_INFO, "ended: %s%s%s",
		cause_name(vm->last.cause), *vm->last.detail ? " " : "",
		vm->last.detail);
	events_emit("VM_ENDED",
		json_pack("{s:s,s:s,s:s}", "vm", vm->name, "cause",
			cause_name(vm->last.cause), "detail", vm->last.detail));
	ready_stop(vm);
	vm_set_ready(vm, VM_READY_NONE);
	next = decide(vm);
	forget_orders(vm);
	vm_post(vm, next);
}

/* ---- operations and their ends ---- */

static void end_op(struct vm *vm, struct job *job)
{
	vm->op = NULL;
	vm_job_end(vm, job);
}

static void on_start_end(struct job *job, void *arg)
{
	struct vm *vm = arg;

	end_op(vm, job);
	vm->start_err = job->err;
	if (!job->err.code) {
		vm_post(vm, vm->start_paused ? EV_STARTED_PAUSED : EV_STARTED);
		return;
	}
	if (job->err.code == ERR_EXISTS) {
		vm_post(vm, EV_FOUND);
		return;
	}
	vmlog_line(&vm->log, LOG_ERROR, "start failed: %s", job->err.text);
	vm->machine.seen = (struct cause_inputs){ 0 };
	vm_post(vm, EV_START_FAILED);
}

static void begin_start(struct vm *vm)
{
	vm->start_err = (struct err)ERR_INIT;
	vm_set_note(vm, "%s", "");
	vm->restarted_us = (int64_t)sys_now_us();
	vm->op = op_start_begin(vm, on_start_end, vm);
	vm_job_add(vm, vm->op);
}

static void begin_retry(struct vm *vm)
{
	loop_timer_stop(&vm->retry_timer);
	begin_start(vm);
}

static void on_stop_end(struct job *job, void *arg)
{
	struct vm *vm = arg;

	end_op(vm, job);
	if (!machine_is_alive(&vm->machine)) {
		settle(vm);
		return;
	}
	vmlog_line(&vm->log, LOG_ERROR, "stop: %s", job->err.text);
	vm_post(vm, EV_LOST);
}

static void begin_stop(struct vm *vm)
{
	vm->intent_stop = true;
	ready_stop(vm);
	vm->op = op_stop_begin(vm, on_stop_end, vm);
	vm_job_add(vm, vm->op);
}

/* A stop while QEMU starts: the start is undone, then the end is ours. */
static void cancel_start(struct vm *vm)
{
	vm->intent_stop = true;
	if (!vm->stop.restart) {
		vm->record.desired = DESIRED_DOWN;
		vm_record(vm, NULL);
	}
	if (vm->op)
		job_cancel(vm->op);
}

static void begin_quit(struct vm *vm)
{
	ready_stop(vm);
	vm->op = op_quit_begin(vm, on_stop_end, vm);
	vm_job_add(vm, vm->op);
}

static void kill_now(struct vm *vm)
{
	struct err err = ERR_INIT;

	vm->intent_kill = true;
	vm->record.desired = DESIRED_DOWN;
	vm_record(vm, NULL);
	if (machine_signal(&vm->machine, SIGKILL, &err))
		vmlog_line(&vm->log, LOG_ERROR, "kill: %s", err.text);
}

static void kill_start(struct vm *vm)
{
	vm->intent_kill = true;
	cancel_start(vm);
}

/* ---- adoption ---- */

static void on_adopt_timer(struct loop_timer *timer)
{
	vm_post(container_of(timer, struct vm, retry_timer), EV_FOUND);
}

static void retry_adoption(struct vm *vm)
{
	int64_t ms = ADOPT_FIRST_MS;

	for (unsigned i = 0; i < vm->adopt_tries && ms < ADOPT_MAX_MS; i++)
		ms *= 2;
	vm->adopt_tries++;
	loop_timer_start(&vm->retry_timer,
		ms < ADOPT_MAX_MS ? ms : ADOPT_MAX_MS, on_adopt_timer);
}

/* What a run state found means; EV_GUEST_OFF when the guest is over. */
static enum vm_event found_state(struct vm *vm, const char *status)
{
	struct cause_inputs *seen = &vm->machine.seen;

	if (str_eq(status, "shutdown") || str_eq(status, "guest-panicked")) {
		seen->panicked |= str_eq(status, "guest-panicked");
		seen->shutdown_seen = true;
		return EV_GUEST_OFF;
	}
	if (str_eq(status, "running") || str_eq(status, "suspended"))
		return EV_STARTED;
	if (str_eq(status, "io-error")) {
		seen->io_error = true;
		vm_set_note(vm, "stopped by a disk error");
	}
	return EV_STARTED_PAUSED;
}

static void on_adopt_end(struct job *job, void *arg)
{
	struct vm *vm = arg;
	const char *status = op_adopt_status(job);
	enum vm_event next;

	end_op(vm, job);
	if (job->err.code) {
		if (!machine_is_alive(&vm->machine) && vm->machine.dead) {
			settle(vm);
			return;
		}
		vm_set_note(vm, "%s", job->err.text);
		vm_post(vm, EV_UNREACHABLE);
		return;
	}
	vm->adopt_tries = 0;
	vm_set_note(vm, "%s", "");
	vmlog_line(&vm->log, LOG_INFO, "adopted pid %d (%s)",
		(int)vm->machine.pid, status);
	vm->start_paused = false;
	if (vm->record.desired == DESIRED_DOWN) {
		vm->intent_stop = true; /* we died in the middle of a stop */
		vm_post(vm, EV_STARTED_PAUSED);
		vm_post(vm, EV_STOP);
		return;
	}
	next = found_state(vm, status);
	if (str_eq(status, "prelaunch") && !vm->record.paused)
		next = EV_STARTED; /* we died before its cont */
	vm_post(vm, next);
	if (str_eq(status, "prelaunch") && !vm->record.paused)
		vm_job_add(vm,
			op_ask_begin(vm, ASK_RESUME, lifecycle_job_end, vm));
}

static void begin_adopt(struct vm *vm)
{
	loop_timer_stop(&vm->retry_timer);
	if (!vm->running)
		vm_load_running(vm);
	if (vm->running)
		vm_make_consoles(vm, vm->running);
	vm->op = op_adopt_begin(vm, on_adopt_end, vm);
	vm_job_add(vm, vm->op);
}

void lifecycle_job_end(struct job *job, void *arg)
{
	struct vm *vm = arg;

	if (job->err.code)
		vmlog_line(&vm->log, LOG_WARN, "%s: %s", job->kind->name,
			job->err.text);
	vm_job_end(vm, job);
}

/* ---- the other actions ---- */

static void now_running(struct vm *vm)
{
	vm->kept_paused = false;
	vm->machine.seen.started = true;
	ready_begin(vm);
}

static void now_paused(struct vm *vm)
{
	vm->kept_paused = true;
	vm->machine.seen.started = true;
}

static void resumed(struct vm *vm)
{
	vm->kept_paused = false;
	vm_set_note(vm, "%s", "");
	if (vm->ready != VM_READY_YES && !vm->probe)
		ready_begin(vm);
}

static void paused(struct vm *vm)
{
	vm->kept_paused = true;
}

static void start_failed(struct vm *vm)
{
	if (vm->ordered || vm->intent_stop) {
		vm->record.desired = DESIRED_DOWN;
		vm_record(vm, NULL);
	}
	settle(vm);
}

static void rest(struct vm *vm)
{
	loop_timer_stop(&vm->retry_timer);
	vm_clean(vm);
	if (vm->record.desired == DESIRED_UP && !vm->env->stopping)
		vm->record.desired = DESIRED_DOWN;
	vm_record(vm, NULL);
}

static void on_retry_timer(struct loop_timer *timer)
{
	vm_post(container_of(timer, struct vm, retry_timer), EV_RETRY);
}

static void wait_backoff(struct vm *vm)
{
	int64_t ms = vm->retry_at_ms - loop_now_ms();

	vm_set_note(vm, "next try in %lld.%lld s", (long long)(ms / 1000),
		(long long)(ms % 1000 / 100));
	loop_timer_start(&vm->retry_timer, ms > 0 ? ms : 0, on_retry_timer);
	vm_record(vm, NULL);
}

static void give_up(struct vm *vm)
{
	vm_clean(vm);
	vm->record.failed = true;
	vm->record.desired = DESIRED_DOWN;
	vm_set_note(vm, "%u failures in a row: vmward log %s",
		vm->record.history.n, vm->name);
	vm_record(vm, NULL);
}

static void forgive(struct vm *vm)
{
	vm->record.failed = false;
	policy_forgive(&vm->record.history);
	vm_set_note(vm, "%s", "");
	vm_record(vm, NULL);
}

static void nothing(struct vm *vm UNUSED) {}

/* ---- the matrix ---- */

struct cell {
	enum vm_state next;
	void (*act)(struct vm *vm);
};

/* clang-format off: one cell a line */
static const struct cell matrix[VM_NSTATES][VM_NEVENTS] = {
	[VM_STOPPED] = {
		[EV_START] = { VM_STARTING, begin_start },
		[EV_FOUND] = { VM_ADOPTING, begin_adopt },
		[EV_END_STOPPED] = { VM_STOPPED, rest },
		[EV_END_RESTART] = { VM_STARTING, begin_retry },
		[EV_END_BACKOFF] = { VM_WAITING, wait_backoff },
		[EV_END_FAILED] = { VM_FAILED, give_up },
		[EV_STOP] = { VM_STOPPED, rest },
		[EV_KILL] = { VM_STOPPED, rest },
		[EV_RESET_FAILED] = { VM_STOPPED, forgive },
	},
	[VM_STARTING] = {
		[EV_GUEST_PAUSED] = { VM_STARTING, nothing },
		[EV_GUEST_RESUMED] = { VM_STARTING, nothing },
		[EV_GUEST_OFF] = { VM_STARTING, nothing },
		[EV_STARTED] = { VM_RUNNING, now_running },
		[EV_STARTED_PAUSED] = { VM_PAUSED, now_paused },
		[EV_START_FAILED] = { VM_STARTING, start_failed },
		[EV_FOUND] = { VM_ADOPTING, begin_adopt },
		[EV_STOP] = { VM_STARTING, cancel_start },
		[EV_KILL] = { VM_STARTING, kill_start },
		[EV_END_STOPPED] = { VM_STOPPED, rest },
		[EV_END_RESTART] = { VM_STARTING, begin_retry },
		[EV_END_BACKOFF] = { VM_WAITING, wait_backoff },
		[EV_END_FAILED] = { VM_FAILED, give_up },
	},
	[VM_RUNNING] = {
		[EV_STOP] = { VM_STOPPING, begin_stop },
		[EV_KILL] = { VM_STOPPING, kill_now },
		[EV_GUEST_PAUSED] = { VM_PAUSED, paused },
		[EV_GUEST_RESUMED] = { VM_RUNNING, resumed },
		[EV_GUEST_OFF] = { VM_ENDED, begin_quit },
		[EV_LOST] = { VM_ADOPTING, begin_adopt },
		[EV_END_STOPPED] = { VM_STOPPED, rest },
		[EV_END_RESTART] = { VM_STARTING, begin_retry },
		[EV_END_BACKOFF] = { VM_WAITING, wait_backoff },
		[EV_END_FAILED] = { VM_FAILED, give_up },
	},
	[VM_PAUSED] = {
		[EV_STOP] = { VM_STOPPING, begin_stop },
		[EV_KILL] = { VM_STOPPING, kill_now },
		[EV_GUEST_PAUSED] = { VM_PAUSED, paused },
		[EV_GUEST_RESUMED] = { VM_RUNNING, resumed },
		[EV_GUEST_OFF] = { VM_ENDED, begin_quit },
		[EV_LOST] = { VM_ADOPTING, begin_adopt },
		[EV_END_STOPPED] = { VM_STOPPED, rest },
		[EV_END_RESTART] = { VM_STARTING, begin_retry },
		[EV_END_BACKOFF] = { VM_WAITING, wait_backoff },
		[EV_END_FAILED] = { VM_FAILED, give_up },
	},
	[VM_STOPPING] = {
		[EV_KILL] = { VM_STOPPING, kill_now },
		[EV_GUEST_PAUSED] = { VM_STOPPING, nothing },
		[EV_GUEST_RESUMED] = { VM_STOPPING, nothing },
		[EV_GUEST_OFF] = { VM_STOPPING, nothing },
		[EV_LOST] = { VM_STOPPING, nothing },
		[EV_END_STOPPED] = { VM_STOPPED, rest },
		[EV_END_RESTART] = { VM_STARTING, begin_retry },
		[EV_END_BACKOFF] = { VM_WAITING, wait_backoff },
		[EV_END_FAILED] = { VM_FAILED, give_up },
	},
	[VM_ENDED] = {
		[EV_KILL] = { VM_ENDED, kill_now },
		[EV_GUEST_PAUSED] = { VM_ENDED, nothing },
		[EV_GUEST_OFF] = { VM_ENDED, nothing },
		[EV_LOST] = { VM_ENDED, nothing },
		[EV_END_STOPPED] = { VM_STOPPED, rest },
		[EV_END_RESTART] = { VM_STARTING, begin_retry },
		[EV_END_BACKOFF] = { VM_WAITING, wait_backoff },
		[EV_END_FAILED] = { VM_FAILED, give_up },
	},
	[VM_WAITING] = {
		[EV_RETRY] = { VM_STARTING, begin_retry },
		[EV_START] = { VM_STARTING, begin_start },
		[EV_FOUND] = { VM_ADOPTING, begin_adopt },
		[EV_STOP] = { VM_STOPPED, rest },
		[EV_KILL] = { VM_STOPPED, rest },
		[EV_RESET_FAILED] = { VM_WAITING, forgive },
	},
	[VM_FAILED] = {
		[EV_START] = { VM_STARTING, begin_start },
		[EV_FOUND] = { VM_ADOPTING, begin_adopt },
		[EV_STOP] = { VM_STOPPED, forgive },
		[EV_KILL] = { VM_STOPPED, forgive },
		[EV_RESET_FAILED] = { VM_STOPPED, forgive },
	},
	[VM_ADOPTING] = {
		[EV_STARTED] = { VM_RUNNING, now_running },
		[EV_STARTED_PAUSED] = { VM_PAUSED, now_paused },
		[EV_GUEST_OFF] = { VM_ENDED, begin_quit },
		[EV_UNREACHABLE] = { VM_UNREACHABLE, retry_adoption },
		[EV_KILL] = { VM_ADOPTING, kill_now },
		[EV_GUEST_PAUSED] = { VM_ADOPTING, nothing },
		[EV_GUEST_RESUMED] = { VM_ADOPTING, nothing },
		[EV_LOST] = { VM_ADOPTING, nothing },
		[EV_END_STOPPED] = { VM_STOPPED, rest },
		[EV_END_RESTART] = { VM_STARTING, begin_retry },
		[EV_END_BACKOFF] = { VM_WAITING, wait_backoff },
		[EV_END_FAILED] = { VM_FAILED, give_up },
	},
	[VM_UNREACHABLE] = {
		[EV_FOUND] = { VM_ADOPTING, begin_adopt },
		[EV_STOP] = { VM_STOPPING, begin_stop },
		[EV_KILL] = { VM_STOPPING, kill_now },
		[EV_LOST] = { VM_UNREACHABLE, nothing },
		[EV_GUEST_PAUSED] = { VM_UNREACHABLE, nothing },
		[EV_GUEST_RESUMED] = { VM_UNREACHABLE, nothing },
		[EV_GUEST_OFF] = { VM_UNREACHABLE, nothing },
		[EV_END_STOPPED] = { VM_STOPPED, rest },
		[EV_END_RESTART] = { VM_STARTING, begin_retry },
		[EV_END_BACKOFF] = { VM_WAITING, wait_backoff },
		[EV_END_FAILED] = { VM_FAILED, give_up },
	},
};
/* clang-format on */

static void post(struct vm *vm, enum vm_event event)
{
	const struct cell *cell = &matrix[vm->state][event];

	if (!cell->act) {
		log_debug(vm->log.object, "%s while %s: ignored",
			vm_event_name(event), vm_state_name(vm->state));
		return;
	}
	vm_set_state(vm, cell->next, event);
	cell->act(vm);
	vm_changed(vm); /* after the action: readiness and jobs are told */
}

int lifecycle_accepts(const struct vm *vm, enum vm_event event, struct err *err)
{
	if (vm->newer_record)
		return err_set(err, ERR_STATE,
			"its record was written by a newer vmward");
	if (matrix[vm->state][event].act)
		return 0;
	return err_set(err, ERR_STATE, "it is %s", vm_state_word(vm));
}

void lifecycle_print(struct str *out)
{
	for (int s = 0; s < VM_NSTATES; s++) {
		for (int e = 0; e < VM_NEVENTS; e++) {
			const struct cell *cell = &matrix[s][e];

			if (cell->act)
				str_addf(out, "%-12s %-16s %s\n",
					vm_state_id((enum vm_state)s),
					vm_event_name((enum vm_event)e),
					vm_state_id(cell->next));
		}
	}
}

/* ---- what the machine tells ---- */

/* A SHUTDOWN that QEMU survived (-no-shutdown), a panic that paused it. */
static void on_event(struct machine *m, const struct qmp_event *ev)
{
	struct vm *vm = m->owner;

	if (ev->type == QMP_EV_SHUTDOWN || ev->type == QMP_EV_GUEST_PANICKED)
		vm_post(vm, EV_GUEST_OFF);
	else if (ev->type == QMP_EV_STOP)
		vm_post(vm, EV_GUEST_PAUSED);
	else if (ev->type == QMP_EV_RESUME)
		vm_post(vm, EV_GUEST_RESUMED);
	else if (ev->type == QMP_EV_BLOCK_IO_ERROR &&
		 str_eq(qmp_event_string(ev, "action"), "stop"))
		vm_set_note(vm,
			qmp_event_bool(ev, "nospace") ? "disk full: %s"
						      : "disk error: %s",
			qmp_event_string(ev, "node-name"));
	if (vm->op)
		job_wake(vm->op);
	events_emit(
		"VM_QMP_EVENT", json_pack("{s:s,s:s,s:O?}", "vm", vm->name,
					"event", ev->name, "data", ev->data));
}

static void on_ready(struct machine *m)
{
	struct vm *vm = m->owner;

	if (vm->op)
		job_wake(vm->op);
}

static void on_lost(struct machine *m, const struct err *err)
{
	struct vm *vm = m->owner;

	if (!m->dead && vm->state != VM_STOPPING && vm->state != VM_ENDED)
		vmlog_line(&vm->log, LOG_WARN, "monitor lost: %s", err->text);
	if (vm->op)
		job_wake(vm->op);
	else
		vm_post(vm, EV_LOST);
}

static void on_end(struct machine *m)
{
	struct vm *vm = m->owner;

	m->dead = true;
	if (vm->op)
		job_wake(vm->op); /* its end settles the rest */
	else
		settle(vm);
}

static const struct machine_hooks machine_hooks = { on_event, on_ready, on_lost,
	on_end };

struct vm *lifecycle_new(const struct env *env, const char *name)
{
	return vm_new(env, name, &machine_hooks, post);
}

/* ---- recovery ---- */

static void read_record(struct vm *vm)
{
	struct err err = ERR_INIT;
	int rc = store_read(vm->env->store, vm->name, &vm->record, &err);

	if (rc < 0) {
		vm->newer_record = vm->record.version > STORE_VERSION;
		vmlog_line(&vm->log, LOG_WARN, "record: %s", err.text);
		if (!vm->newer_record)
			vm->record = (struct record){ 0 };
	}
	vm->last.cause = vm->record.last_cause;
	snprintf(vm->last.detail, sizeof(vm->last.detail), "%s",
		vm->record.last_detail);
}

/* Another boot of the host: monotonic times and the process mean nothing. */
static bool same_boot(const struct vm *vm)
{
	return str_eq(vm->record.boot_id, store_boot_id());
}

static void start_by_itself(struct vm *vm)
{
	bool up = vm->record.desired == DESIRED_UP;
	int wish = vm->spec ? vm->spec->start.autostart : AUTOSTART_NO;

	if (vm->record.failed && same_boot(vm)) {
		vm->state = VM_FAILED;
		vm_set_note(vm, "failed: vmward log %s", vm->name);
		return;
	}
	if (up && same_boot(vm)) { /* it died while nobody watched */
		vm->machine.seen = (struct cause_inputs){ .started = true,
			.adopted = true };
		settle(vm);
		return;
	}
	policy_forgive(&vm->record.history);
	if (vm->spec && !vm->findings.errors &&
		(wish == AUTOSTART_YES || (wish == AUTOSTART_LAST && up)))
		vm_post(vm, EV_START);
}

void lifecycle_recover(struct vm *vm, bool boot)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "lock");
	enum lock_state state = LOCK_FREE;
	struct err err = ERR_INIT;
	const char *uuid;

	read_record(vm);
	if (!vm->spec)
		vm_load_running(vm);
	if (!vm->spec)
		vm->spec = vm->running;
	uuid = vm->record.uuid[0] ? vm->record.uuid
	       : vm->spec         ? vm->spec->uuid
				  : "";
	if (vm->newer_record) {
		vm->state = VM_UNREACHABLE;
		vm_set_note(vm, "newer format of its record: left alone");
		return;
	}
	if (*uuid && lock_look(path, vm->env->paths.root, uuid, &state, &err))
		vmlog_line(&vm->log, LOG_WARN, "%s", err.text);
	if (state == LOCK_HELD)
		vm_post(vm, EV_FOUND);
	else if (boot)
		start_by_itself(vm);
}
