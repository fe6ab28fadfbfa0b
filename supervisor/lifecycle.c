/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a VM; see supervisor/lifecycle.h. */
#include "supervisor/lifecycle.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/actions.h"
#include "supervisor/config.h"
#include "supervisor/ephemeral.h"
#include "supervisor/events.h"
#include "supervisor/halt.h"
#include "supervisor/limits.h"
#include "supervisor/lowspace.h"
#include "supervisor/op_snapshot.h"
#include "supervisor/passt.h"
#include "supervisor/policy.h"
#include "supervisor/reboot.h"
#include "supervisor/saved.h"
#include "supervisor/settle.h"
#include "supervisor/tidy.h"

#define EVENT_NAME_MAX   64
#define RECOVER_AGAIN_MS 5000
#define EVENT_DATA_MAX   2048 /* bytes of a QEMU event that clients are sent */

/* ---- the matrix ---- */

struct cell {
	enum vm_state next;
	void (*act)(struct vm *vm);
};

/* One cell a line. */
/* clang-format off */
static const struct cell matrix[VM_NSTATES][VM_NEVENTS] = {
	[VM_STOPPED] = {
		[EV_START] = { VM_STARTING, act_start },
		[EV_FOUND] = { VM_ADOPTING, act_adopt },
		[EV_END_STOPPED] = { VM_STOPPED, act_rest },
		[EV_END_SAVED] = { VM_SAVED, act_rest },
		[EV_END_RESTART] = { VM_STARTING, act_retry },
		[EV_END_BACKOFF] = { VM_WAITING, act_wait },
		[EV_END_FAILED] = { VM_FAILED, act_give_up },
		[EV_STOP] = { VM_STOPPED, act_rest },
		[EV_KILL] = { VM_STOPPED, act_rest },
		[EV_RESET_FAILED] = { VM_STOPPED, act_forgive },
	},
	[VM_STARTING] = {
		[EV_GUEST_PAUSED] = { VM_STARTING, act_nothing },
		[EV_GUEST_RESUMED] = { VM_STARTING, act_nothing },
		[EV_GUEST_OFF] = { VM_STARTING, act_nothing },
		[EV_STARTED] = { VM_RUNNING, act_running },
		[EV_STARTED_PAUSED] = { VM_PAUSED, act_paused_start },
		[EV_START_FAILED] = { VM_STARTING, act_start_failed },
		[EV_FOUND] = { VM_ADOPTING, act_adopt },
		[EV_STOP] = { VM_STARTING, act_cancel_start },
		[EV_KILL] = { VM_STARTING, act_kill_start },
		[EV_END_STOPPED] = { VM_STOPPED, act_rest },
		[EV_END_SAVED] = { VM_SAVED, act_rest },
		[EV_END_RESTART] = { VM_STARTING, act_retry },
		[EV_END_BACKOFF] = { VM_WAITING, act_wait },
		[EV_END_FAILED] = { VM_FAILED, act_give_up },
		[EV_RESET_FAILED] = { VM_STARTING, act_forgive },
	},
	[VM_RUNNING] = {
		[EV_STOP] = { VM_STOPPING, act_stop },
		[EV_KILL] = { VM_STOPPING, act_kill },
		[EV_SAVE] = { VM_SAVING, act_save },
		[EV_GUEST_PAUSED] = { VM_PAUSED, act_paused },
		[EV_GUEST_RESUMED] = { VM_RUNNING, act_resumed },
		[EV_GUEST_OFF] = { VM_ENDED, act_quit },
		[EV_LOST] = { VM_ADOPTING, act_adopt },
		[EV_RESET_FAILED] = { VM_RUNNING, act_forgive },
		[EV_END_STOPPED] = { VM_STOPPED, act_rest },
		[EV_END_SAVED] = { VM_SAVED, act_rest },
		[EV_END_RESTART] = { VM_STARTING, act_retry },
		[EV_END_BACKOFF] = { VM_WAITING, act_wait },
		[EV_END_FAILED] = { VM_FAILED, act_give_up },
	},
	[VM_PAUSED] = {
		[EV_STOP] = { VM_STOPPING, act_stop },
		[EV_KILL] = { VM_STOPPING, act_kill },
		[EV_SAVE] = { VM_SAVING, act_save },
		[EV_GUEST_PAUSED] = { VM_PAUSED, act_paused },
		[EV_GUEST_RESUMED] = { VM_RUNNING, act_resumed },
		[EV_GUEST_OFF] = { VM_ENDED, act_quit },
		[EV_LOST] = { VM_ADOPTING, act_adopt },
		[EV_RESET_FAILED] = { VM_PAUSED, act_forgive },
		[EV_END_STOPPED] = { VM_STOPPED, act_rest },
		[EV_END_SAVED] = { VM_SAVED, act_rest },
		[EV_END_RESTART] = { VM_STARTING, act_retry },
		[EV_END_BACKOFF] = { VM_WAITING, act_wait },
		[EV_END_FAILED] = { VM_FAILED, act_give_up },
	},
	[VM_STOPPING] = {
		[EV_STOP_CANCELLED] = { VM_RUNNING, act_stop_cancelled },
		[EV_STUCK] = { VM_UNREACHABLE, act_retry_adoption },
		[EV_KILL] = { VM_STOPPING, act_kill },
		[EV_GUEST_PAUSED] = { VM_STOPPING, act_nothing },
		[EV_GUEST_RESUMED] = { VM_STOPPING, act_nothing },
		[EV_GUEST_OFF] = { VM_STOPPING, act_nothing },
		[EV_LOST] = { VM_STOPPING, act_nothing },
		[EV_END_STOPPED] = { VM_STOPPED, act_rest },
		[EV_END_SAVED] = { VM_SAVED, act_rest },
		[EV_END_RESTART] = { VM_STARTING, act_retry },
		[EV_END_BACKOFF] = { VM_WAITING, act_wait },
		[EV_END_FAILED] = { VM_FAILED, act_give_up },
		[EV_RESET_FAILED] = { VM_STOPPING, act_forgive },
	},
	[VM_ENDED] = {
		[EV_STOP] = { VM_ENDED, act_stop_more },
		[EV_STOP_CANCELLED] = { VM_ENDED, act_quit },
		[EV_STUCK] = { VM_UNREACHABLE, act_retry_adoption },
		[EV_KILL] = { VM_ENDED, act_kill },
		[EV_GUEST_PAUSED] = { VM_ENDED, act_nothing },
		[EV_GUEST_OFF] = { VM_ENDED, act_nothing },
		[EV_LOST] = { VM_ENDED, act_nothing },
		[EV_END_STOPPED] = { VM_STOPPED, act_rest },
		[EV_END_SAVED] = { VM_SAVED, act_rest },
		[EV_END_RESTART] = { VM_STARTING, act_retry },
		[EV_END_BACKOFF] = { VM_WAITING, act_wait },
		[EV_END_FAILED] = { VM_FAILED, act_give_up },
		[EV_RESET_FAILED] = { VM_ENDED, act_forgive },
	},
	[VM_SAVING] = {
		[EV_SAVE_FAILED] = { VM_RUNNING, act_save_failed },
		[EV_KILL] = { VM_SAVING, act_kill },
		[EV_GUEST_PAUSED] = { VM_SAVING, act_nothing },
		[EV_GUEST_RESUMED] = { VM_SAVING, act_nothing },
		[EV_GUEST_OFF] = { VM_SAVING, act_nothing },
		[EV_LOST] = { VM_SAVING, act_nothing },
		[EV_END_SAVED] = { VM_SAVED, act_rest },
		[EV_END_STOPPED] = { VM_STOPPED, act_rest },
		[EV_END_RESTART] = { VM_STARTING, act_retry },
		[EV_END_BACKOFF] = { VM_WAITING, act_wait },
		[EV_END_FAILED] = { VM_FAILED, act_give_up },
		[EV_RESET_FAILED] = { VM_SAVING, act_forgive },
	},
	[VM_SAVED] = {
		[EV_START] = { VM_STARTING, act_start },
		[EV_FOUND] = { VM_ADOPTING, act_adopt },
		[EV_STOP] = { VM_SAVED, act_rest },
		[EV_KILL] = { VM_SAVED, act_rest },
		[EV_RESET_FAILED] = { VM_SAVED, act_forgive },
	},
	[VM_WAITING] = {
		[EV_RETRY] = { VM_STARTING, act_retry },
		[EV_START] = { VM_STARTING, act_start },
		[EV_FOUND] = { VM_ADOPTING, act_adopt },
		[EV_STOP] = { VM_STOPPED, act_rest },
		[EV_KILL] = { VM_STOPPED, act_rest },
		[EV_RESET_FAILED] = { VM_WAITING, act_forgive },
	},
	[VM_FAILED] = {
		[EV_START] = { VM_STARTING, act_start },
		[EV_FOUND] = { VM_ADOPTING, act_adopt },
		[EV_STOP] = { VM_STOPPED, act_forgive },
		[EV_KILL] = { VM_STOPPED, act_forgive },
		[EV_RESET_FAILED] = { VM_STOPPED, act_forgive },
	},
	[VM_ADOPTING] = {
		[EV_STARTED] = { VM_RUNNING, act_running },
		[EV_STARTED_PAUSED] = { VM_PAUSED, act_paused_start },
		[EV_GUEST_OFF] = { VM_ADOPTING, act_nothing },
		[EV_UNWANTED] = { VM_STOPPING, act_stop },
		[EV_UNREACHABLE] = { VM_UNREACHABLE, act_retry_adoption },
		[EV_KILL] = { VM_ADOPTING, act_kill },
		[EV_GUEST_PAUSED] = { VM_ADOPTING, act_nothing },
		[EV_GUEST_RESUMED] = { VM_ADOPTING, act_nothing },
		[EV_LOST] = { VM_ADOPTING, act_nothing },
		[EV_END_STOPPED] = { VM_STOPPED, act_rest },
		[EV_END_SAVED] = { VM_SAVED, act_rest },
		[EV_END_RESTART] = { VM_STARTING, act_retry },
		[EV_END_BACKOFF] = { VM_WAITING, act_wait },
		[EV_END_FAILED] = { VM_FAILED, act_give_up },
		[EV_RESET_FAILED] = { VM_ADOPTING, act_forgive },
	},
	[VM_UNREACHABLE] = {
		[EV_FOUND] = { VM_ADOPTING, act_adopt },
		[EV_STOP] = { VM_STOPPING, act_stop },
		[EV_KILL] = { VM_STOPPING, act_kill },
		[EV_LOST] = { VM_UNREACHABLE, act_nothing },
		[EV_GUEST_PAUSED] = { VM_UNREACHABLE, act_nothing },
		[EV_GUEST_RESUMED] = { VM_UNREACHABLE, act_nothing },
		[EV_GUEST_OFF] = { VM_UNREACHABLE, act_nothing },
		[EV_END_STOPPED] = { VM_STOPPED, act_rest },
		[EV_END_SAVED] = { VM_SAVED, act_rest },
		[EV_END_RESTART] = { VM_STARTING, act_retry },
		[EV_END_BACKOFF] = { VM_WAITING, act_wait },
		[EV_END_FAILED] = { VM_FAILED, act_give_up },
		[EV_RESET_FAILED] = { VM_UNREACHABLE, act_forgive },
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

/* Events are kept: one with much in it goes on without its data. */
static json_t *kept_data(json_t *data)
{
	return json_dumpb(data, NULL, 0, JSON_COMPACT) <= EVENT_DATA_MAX ? data
									 : NULL;
}

/* Loading one also resets the guest; it goes on by itself. */
static bool is_of_snapshot(struct vm *vm, const struct qmp_event *ev)
{
	if (vm->in_snapshot && ev->type == QMP_EV_STOP)
		vm->stopped_us = ev->time_us;
	return vm->in_snapshot &&
	       (ev->type == QMP_EV_STOP || ev->type == QMP_EV_RESUME ||
		       ev->type == QMP_EV_RESET);
}

/* A SHUTDOWN that QEMU survived (-no-shutdown), a panic that paused it. */
static void on_event(struct machine *m, const struct qmp_event *ev)
{
	struct vm *vm = m->owner;

	if (is_of_snapshot(vm, ev))
		; /* nobody's doing but ours */
	else if (halt_on_event(vm, ev) || ev->type == QMP_EV_SHUTDOWN)
		vm_post(vm, EV_GUEST_OFF);
	else if (ev->type == QMP_EV_RESET)
		reboot_on_reset(vm);
	else if (ev->type == QMP_EV_STOP)
		vm_post(vm, EV_GUEST_PAUSED);
	else if (ev->type == QMP_EV_RESUME)
		vm_post(vm, EV_GUEST_RESUMED);
	else if (ev->type == QMP_EV_BLOCK_WRITE_THRESHOLD && vm->running)
		lowspace_crossed(vm, qmp_event_string(ev, "node-name"));
	else if (ev->type == QMP_EV_DEVICE_DELETED && !vm_busy(vm))
		act_reap(vm);
	else if (ev->type == QMP_EV_NETDEV_STREAM_DISCONNECTED && vm->running)
		passt_lost(vm, qmp_event_string(ev, "netdev-id"));
	if (vm->op)
		job_wake(vm->op);
	if (strlen(ev->name) > EVENT_NAME_MAX)
		return;
	events_emit("VM_QMP_EVENT",
		json_pack("{s:s,s:s,s:O?}", "vm", vm->name, "event", ev->name,
			"data", kept_data(ev->data)));
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
	vm_wake_jobs(vm);
	if (!vm->op)
		vm_post(vm, EV_LOST);
}

static void on_end(struct machine *m)
{
	struct vm *vm = m->owner;

	m->dead = true;
	vm_wake_jobs(vm);
	if (!vm->op) /* else its end settles the rest */
		settle(vm);
}

static const struct machine_hooks machine_hooks = { on_event, on_ready, on_lost,
	on_end };

struct vm *lifecycle_new(const struct env *env, const char *name)
{
	return vm_new(env, name, &machine_hooks, post);
}

/* ---- recovery ---- */

enum found { FOUND, NOT_FOUND, NOT_SEEN };

/* NOT_SEEN: there may be a good one, but it cannot be read now. */
static enum found read_record(struct vm *vm)
{
	struct err err = ERR_INIT;
	int rc;

	record_fini(&vm->record);
	rc = store_read(vm->env->store, vm->name, &vm->record, &err);
	vm->newer_record = false;
	if (rc < 0) {
		vm->newer_record = vm->record.version > STORE_VERSION;
		vmlog_line(&vm->log, LOG_WARN, "record: %s", err.text);
		if (!vm->newer_record)
			record_fini(&vm->record);
	}
	accel_recall(vm->record.accel, &vm->accel);
	vm->last.cause = vm->record.last_cause;
	snprintf(vm->last.detail, sizeof(vm->last.detail), "%s",
		vm->record.last_detail);
	if (rc < 0 && err.os) {
		vm_set_note(vm, "%s", err.text);
		return NOT_SEEN;
	}
	return rc == 0 ? FOUND : NOT_FOUND;
}

/* Another boot of the host: monotonic times and the process mean nothing. */
static bool same_boot(const struct vm *vm)
{
	return !vm->record.left && str_eq(vm->record.boot_id, store_boot_id());
}

/* Its memory is on disk; it goes on if it was about to, or should now. */
static void stay_saved(struct vm *vm, bool boot)
{
	bool here = same_boot(vm);
	bool was_restored = here && vm->record.desired == DESIRED_UP &&
			    vm->record.generation > saved_generation(vm);

	vm->state = VM_SAVED;
	vm->record.pid = 0;
	if (boot && (was_restored || (!here && settle_starts_at_boot(vm)))) {
		vm->boot = true;
		vm_post(vm, EV_START);
	} else if (here) {
		vm->record.desired = DESIRED_DOWN;
	}
}

static void start_by_itself(struct vm *vm)
{
	bool up = vm->record.desired == DESIRED_UP;
	bool starts = settle_starts_at_boot(vm);

	if (vm->record.failed && same_boot(vm)) {
		vm->state = VM_FAILED;
		vm_set_note(vm, "failed: vmward log %s", vm->name);
		return;
	}
	if (up && same_boot(vm) && vm->record.pid == 0 && vm->spec &&
		!vm->findings.errors) { /* its start was cut short: no end */
		vm->boot = true;
		vm_post(vm, EV_START);
		return;
	}
	if (same_boot(vm) && (up || vm->record.pid)) { /* an end to be told */
		vm->machine.seen = (struct cause_inputs){ .started = true,
			.adopted = true,
			.oom_killed = vm->machine.seen.oom_killed };
		vm->intent_stop = !up; /* the order outlived who gave it */
		vm->intent_kill = !up && vm->record.killed;
		settle(vm);
		return;
	}
	if (same_boot(vm) && up) { /* cut short, and its file broke since */
		settle(vm);
		return;
	}
	if (same_boot(vm)) /* it was down: only we began anew */
		return;
	policy_forgive(&vm->record.history);
	vm->record.left = false;
	vm->record.fallback = false;
	vm->record.revert = REVERT_NONE;
	vm->record.desired = DESIRED_DOWN; /* the next write is of this boot */
	if (!starts)
		return;
	vm->boot = true;
	vm_post(vm, EV_START);
}

/* Nothing of it lives: what a crash left goes. */
static void sweep(struct vm *vm)
{
	if (vm->spec)
		ephemeral_sweep(vm->spec, vm->env, vm->record.ephemeral);
	tidy_rest(vm);
}

static void on_recover_timer(struct loop_timer *timer)
{
	struct vm *vm = container_of(timer, struct vm, retry_timer);

	if (vm->state != VM_UNREACHABLE || vm->op)
		return; /* somebody took a decision meanwhile */
	vm->state = VM_STOPPED;
	vm_set_note(vm, "%s", "");
	lifecycle_recover(vm, vm->recover_boot);
	vm_changed(vm);
}

/* Whether it is to run is not known: nothing is done until it is. */
static void recover_later(struct vm *vm, bool boot)
{
	vm->state = VM_UNREACHABLE;
	vm->recover_boot = boot;
	loop_timer_start(&vm->retry_timer, RECOVER_AGAIN_MS, on_recover_timer);
}

void lifecycle_recover(struct vm *vm, bool boot)
{
	enum found found = read_record(vm);

	vm->once_ephemeral = vm->record.ephemeral &&
			     vm->record.desired == DESIRED_UP && same_boot(vm);
	config_sweep(&vm->env->paths, vm->name);
	if (!vm->spec)
		vm_load_running(vm);
	if (!vm->spec)
		vm->spec = vm->running;
	if (vm->newer_record) {
		vm->state = VM_UNREACHABLE;
		vm_set_note(vm, "newer format of its record: left alone");
		return;
	}
	if (found == NOT_SEEN) {
		recover_later(vm, boot);
		return;
	}
	/* without its locks' files it may yet listen on its sockets */
	if (!vm_is_locked(vm) && !machine_find(&vm->machine)) {
		/* its groups tell, until they are gone */
		vm->machine.seen.oom_killed = limits_ran_out(vm);
		sweep(vm);
		if (saved_was_used(vm))
			saved_put_back(vm); /* good, if nobody wrote since */
		if (saved_is_there(vm))
			stay_saved(vm, boot);
		else if (boot)
			start_by_itself(vm);
		if (!vm->op)
			op_snapshot_recover(vm);
		return;
	}
	if (found != FOUND) { /* a lost record is no order to stop, or to run */
		vm->record.desired = DESIRED_UP;
		vm->record.paused = true;
	}
	vm_post(vm, EV_FOUND);
}
