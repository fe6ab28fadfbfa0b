/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a QEMU: its cause, and what policy makes of it; see settle.h. */
#include "supervisor/settle.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/config.h"
#include "supervisor/diskfull.h"
#include "supervisor/ephemeral.h"
#include "supervisor/events.h"
#include "supervisor/frozen.h"
#include "supervisor/hang.h"
#include "supervisor/hook.h"
#include "supervisor/incident.h"
#include "supervisor/install.h"
#include "supervisor/lastgood.h"
#include "supervisor/limits.h"
#include "supervisor/policy.h"
#include "supervisor/ready.h"
#include "supervisor/saved.h"
#include "supervisor/snapshots.h"

static void forget_orders(struct vm *vm)
{
	vm->stop = (struct vm_stop_order){ 0 };
	vm->intent_stop = vm->intent_kill = false;
	vm->ordered = false;
	vm->boot = vm->alone = vm->pulled = vm->refused = false;
	vm->slot_ms = 0;
	vm->start_paused = false; /* it held for the start it came with */
	vm->kept_paused = false;
}

/* Without one the delays are only not spread. */
static uint32_t any_number(void)
{
	uint32_t number = 0;

	return sys_random(&number, sizeof(number)) ? 0 : number;
}

bool settle_starts_at_boot(const struct vm *vm)
{
	int wish = vm->spec ? vm->spec->start.autostart : AUTOSTART_NO;

	if (!vm->spec || vm->findings.errors)
		return false;
	if (wish != AUTOSTART_LAST)
		return wish == AUTOSTART_YES;
	/* one without a boot was not read: what it wished is not known */
	return vm->record.boot_id[0] && vm->record.desired == DESIRED_UP &&
	       !vm->record.ephemeral; /* that was for once */
}

/* We could not see whether it lives, or it ended before we could ask it. */
static enum vm_event decide_unseen(struct vm *vm)
{
	if (str_eq(vm->record.boot_id, store_boot_id()))
		return EV_END_STOPPED;
	policy_forgive(&vm->record.history);
	return settle_starts_at_boot(vm) ? EV_END_RESTART : EV_END_STOPPED;
}

static bool is_unseen(const struct vm *vm)
{
	return vm->state == VM_ADOPTING &&
	       (vm->record.desired == DESIRED_DOWN ||
		       !str_eq(vm->record.boot_id, store_boot_id()));
}

/* A crash loop; on-crash-loop may know of something better. */
static enum vm_event give_up(struct vm *vm)
{
	if (!lastgood_fall_back(vm) && !snapshots_fall_back(vm))
		return EV_END_FAILED;
	vm->record.history.n = 0; /* it gets a burst of its own */
	vm->record.history.restarts++;
	vm->record.tally.restarts++;
	return EV_END_RESTART;
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
	if (is_unseen(vm))
		return decide_unseen(vm);
	if (vm->last.cause == CAUSE_START_FAILED &&
		(vm->ordered || vm->refused))
		return EV_END_STOPPED; /* the person was told */
	d = policy_decide(&spec->restart, vm->last.cause, &vm->record.history,
		(int64_t)(vm->last_end_us / 1000), any_number());
	vm->retry_at_ms = loop_now_ms() + d.delay_ms;
	switch (d.action) {
	case POLICY_RESTART_NOW:
		vm->record.tally.restarts++;
		return EV_END_RESTART;
	case POLICY_RESTART_LATER:
		vm->record.tally.restarts++;
		return EV_END_BACKOFF;
	case POLICY_FAILED:
		return give_up(vm);
	case POLICY_STAY_STOPPED:
	case POLICY_KEEP_PAUSED:
		break;
	}
	return EV_END_STOPPED;
}

void settle(struct vm *vm)
{
	struct cause_inputs in = vm->machine.seen;
	struct incident *incident;
	enum vm_event next;

	in.intent_stop |= vm->intent_stop && !vm->stop.host_shutdown;
	in.intent_kill |= vm->intent_kill && !vm->stop.host_shutdown;
	in.intent_host |= vm->env->stopping || vm->stop.host_shutdown;
	in.oom_killed |= limits_ran_out(vm);
	cause_classify(&in, &vm->last);
	if (vm->stop.runtime && vm->last.cause == CAUSE_ADMIN_STOP)
		snprintf(vm->last.detail, sizeof(vm->last.detail),
			"runtime-max");
	if (vm->state == VM_SAVING && saved_is_there(vm))
		snprintf(vm->last.detail, sizeof(vm->last.detail), "saved");
	loop_timer_stop(&vm->runtime_timer);
	loop_timer_stop(&vm->reboot_timer);
	vm->reboot_held = false;
	diskfull_end(vm);
	hang_end(vm);
	lastgood_stop(vm);
	vm->last_end_us = (int64_t)sys_now_us();
	vm->record.last_cause = vm->last.cause;
	vm->record.tally.ends[vm->last.cause]++;
	snprintf(vm->record.last_detail, sizeof(vm->record.last_detail), "%s",
		vm->last.detail);
	vm->record.last_end_real_us = sys_realtime_us();
	install_ended(vm);
	incident = incident_take(vm);
	vm->record.pid = 0;
	ready_stop(vm); /* its probe looks at what runs */
	if (vm->running)
		ephemeral_sweep(vm->running, vm->env, vm->once_ephemeral);
	if (!vm->spec) /* its file is broken: the last good version stays */
		vm->spec = vm->running;
	vm_drop_running(vm);
	frozen_forget(vm);
	free(TAKE(vm->left_sets));
	vmlog_line(&vm->log, LOG_INFO, "ended: %s%s%s",
		cause_name(vm->last.cause), *vm->last.detail ? " " : "",
		vm->last.detail);
	events_emit("VM_ENDED",
		json_pack("{s:s,s:s,s:s}", "vm", vm->name, "cause",
			cause_name(vm->last.cause), "detail", vm->last.detail));
	vm_set_ready(vm, VM_READY_NONE);
	next = decide(vm);
	if (next != EV_END_RESTART && saved_is_there(vm))
		next = EV_END_SAVED;
	forget_orders(vm);
	vm_post(vm, next);
	if (vm->order && vm->spec && config_has_runtime(vm->spec))
		vm->order->reread(vm); /* that file went with its life */
	hook_start(hook_prepare(vm, HOOK_STOPPED));
	incident_write(incident, vm);
}
