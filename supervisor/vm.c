/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One VM: its struct and what every operation needs; see vm.h. */
#include "supervisor/vm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/atom.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/slab.h"
#include "base/sys.h"
#include "base/text.h"
#include "supervisor/console.h"
#include "supervisor/events.h"
#include "supervisor/lock.h"
#include "supervisor/stats.h"

#define RECORD_FIRST_MS (int64_t)1000
#define RECORD_MAX_MS   60000
#define NOTE_MAX        159

static const char *const state_names[] = {
#define X(id, word) word,
	VM_STATES(X)
#undef X
};

static const char *const state_ids[] = {
#define X(id, word) #id,
	VM_STATES(X)
#undef X
};

static const char *const event_names[] = {
#define X(id) #id,
	VM_EVENTS(X)
#undef X
};

const char *vm_state_name(enum vm_state state)
{
	return state_names[state];
}

const char *vm_state_id(enum vm_state state)
{
	return state_ids[state];
}

const char *vm_event_name(enum vm_event event)
{
	return event_names[event];
}

const char *vm_state_word(const struct vm *vm)
{
	bool down = vm->state == VM_STOPPED || vm->state == VM_FAILED;

	if (down && (vm->findings.errors || !vm->spec))
		return "invalid";
	return state_names[vm->state];
}

bool vm_is_up(const struct vm *vm)
{
	switch (vm->state) {
	case VM_STOPPED:
	case VM_WAITING:
	case VM_FAILED:
	case VM_SAVED:
		return false;
	case VM_STARTING:
	case VM_RUNNING:
	case VM_PAUSED:
	case VM_STOPPING:
	case VM_ENDED:
	case VM_SAVING:
	case VM_ADOPTING:
	case VM_UNREACHABLE:
	case VM_NSTATES:
		break;
	}
	return true;
}

struct vm *vm_new(const struct env *env, const char *name,
	const struct machine_hooks *hooks,
	void (*post)(struct vm *vm, enum vm_event event))
{
	struct vm *vm = SLAB_NEW(struct vm);

	list_init(&vm->link);
	list_init(&vm->jobs);
	list_init(&vm->watches);
	findings_init(&vm->findings);
	vm->env = env;
	vm->name = atom_get(name);
	vm->post = post;
	vm->recorded = true;
	vm->good.fd = -1;
	vm->note = text_none();
	vm->stop_step = text_none();
	vm->since_real_us = sys_realtime_us();
	vmlog_init(&vm->log, env->paths.log, name);
	vm->log.recorder = &vm->recorder;
	machine_init(&vm->machine, env, vm->name, &vm->log, hooks, vm);
	recorder_init(
		&vm->recorder, machine_priv_path(&vm->machine, "recorder"));
	return vm;
}

void vm_forget_disc(struct vm *vm)
{
	free(TAKE(vm->once_disc));
	if (vm->once_disc_fd > 0)
		fd_close(&vm->once_disc_fd);
	vm->once_disc_fd = 0;
}

void vm_free(struct vm *vm)
{
	if (!vm)
		return;
	list_del(&vm->link);
	loop_timer_stop(&vm->retry_timer);
	loop_timer_stop(&vm->frozen.timer);
	for (size_t i = 0; i < SCHEDULES; i++)
		loop_timer_stop(&vm->schedules[i].timer);
	loop_timer_stop(&vm->runtime_timer);
	loop_timer_stop(&vm->reboot_timer);
	loop_timer_stop(&vm->full.timer);
	free(vm->full.path);
	vm_forget_disc(vm);
	loop_timer_stop(&vm->hang.timer);
	qmp_cancel(&vm->hang.question);
	loop_timer_stop(&vm->good.timer);
	aio_cancel(&vm->good.sync);
	fd_close(&vm->good.fd);
	store_cancel(&vm->order_stored);
	store_cancel(&vm->kept);
	loop_timer_stop(&vm->record_timer);
	loop_timer_stop(&vm->tidy_timer);
	agent_cancel(&vm->agent);
	stats_free(vm->stats);
	qmp_cancel(&vm->low.slot);
	machine_fini(&vm->machine);
	list_each(&vm->watches, it, next)
		list_del(it);
	findings_fini(&vm->findings);
	vm_drop_running(vm);
	spec_free(vm->spec);
	recorder_fini(&vm->recorder);
	vmlog_fini(&vm->log);
	atom_drop(vm->chains);
	record_fini(&vm->record);
	argv_name_slots(&vm->slots, NULL);
	text_clear(&vm->note);
	free(vm->left_sets);
	text_clear(&vm->stop_step);
	free(vm->start_err);
	free(vm->save_err);
	atom_drop(vm->name);
	slab_put(vm);
}

void vm_post(struct vm *vm, enum vm_event event)
{
	vm->post(vm, event);
}

void vm_changed(struct vm *vm)
{
	list_each(&vm->watches, it, next) {
		struct vm_watch *watch = list_entry(it, struct vm_watch, link);

		watch->on_change(watch, vm);
	}
	if (vm->order)
		vm->order->changed(vm);
}

json_t *vm_ready_json(const struct vm *vm)
{
	return vm->ready == VM_READY_NONE
		       ? json_null()
		       : json_boolean(vm->ready == VM_READY_YES);
}

static void emit_state(struct vm *vm)
{
	events_emit("VM_STATE",
		json_pack("{s:s,s:s,s:o,s:s?}", "vm", vm->name, "state",
			vm_state_word(vm), "ready", vm_ready_json(vm), "cause",
			vm->last.cause ? cause_name(vm->last.cause) : NULL));
}

void vm_set_state(struct vm *vm, enum vm_state state, enum vm_event why)
{
	enum vm_state old = vm->state;

	vm->state = state;
	if (old == state)
		return;
	if (!str_eq(state_names[old], state_names[state])) {
		vm->since_real_us = sys_realtime_us();
		vmlog_line(&vm->log, LOG_INFO, "%s -> %s", state_names[old],
			state_names[state]);
		emit_state(vm);
	} else {
		log_debug(vm->log.object, "%s again (%s)", state_names[state],
			event_names[why]);
		recorder_line(&vm->recorder, "state", event_names[why]);
	}
}

void vm_set_ready(struct vm *vm, enum vm_ready ready)
{
	if (vm->ready == ready)
		return;
	vm->ready = ready;
	if (ready == VM_READY_YES) {
		vm->ready_real_us = sys_realtime_us();
		if (!vm->ready_ms)
			vm->ready_ms = loop_now_ms();
		vmlog_line(&vm->log, LOG_INFO, "ready");
	}
	emit_state(vm);
	vm_changed(vm);
}

void vm_set_note(struct vm *vm, const char *fmt, ...)
{
	AUTO_FREE char *note = NULL;
	va_list ap;

	va_start(ap, fmt);
	note = xvasprintf(fmt, ap);
	va_end(ap);
	text_set(&vm->note, "%.*s", NOTE_MAX, note);
}

static void is_idle(struct vm *vm)
{
	if (vm->on_idle)
		vm->on_idle(vm);
}

void vm_watch(struct vm *vm, struct vm_watch *watch,
	void (*on_change)(struct vm_watch *watch, struct vm *vm))
{
	watch->vm = vm;
	watch->on_change = on_change;
	list_add(&vm->watches, &watch->link);
}

bool vm_is_watched_by(const struct vm_watch *watch)
{
	return watch->link.next && !list_is_empty(&watch->link);
}

void vm_unwatch(struct vm_watch *watch)
{
	if (!vm_is_watched_by(watch))
		return;
	list_del(&watch->link);
	is_idle(watch->vm);
}

static void on_record_timer(struct loop_timer *timer)
{
	vm_record(container_of(timer, struct vm, record_timer), NULL);
}

void vm_record_lost(struct vm *vm)
{
	int64_t ms = RECORD_FIRST_MS << vm->record_tries;

	vm->recorded = false;
	if (ms < RECORD_MAX_MS)
		vm->record_tries++;
	loop_timer_start(&vm->record_timer, ms, on_record_timer);
}

static void on_kept(struct store_wait *wait, const struct err *err)
{
	struct vm *vm = container_of(wait, struct vm, kept);

	if (err->code) {
		vm_record_lost(vm);
		return;
	}
	vm->record_tries = 0;
	vm->up_stored = vm->record.desired == DESIRED_UP;
}

int vm_record(struct vm *vm, struct store_wait *wait)
{
	struct err err = ERR_INIT;

	loop_timer_stop(&vm->record_timer); /* this write carries it all */
	store_cancel(&vm->kept);
	vm->kept.on_stored = on_kept;
	if (!wait)
		wait = &vm->kept;
	vm->record.version = STORE_VERSION;
	if (vm->record.desired == DESIRED_DOWN)
		vm->up_stored = false;
	memcpy(vm->record.boot_id, store_boot_id(), sizeof(vm->record.boot_id));
	if (!store_write(vm->env->store, vm->name, &vm->record, wait, &err)) {
		vm->recorded = true;
		return 0;
	}
	vmlog_line(&vm->log, LOG_ERROR, "%s", err.text);
	vm_record_lost(vm);
	return -1;
}

static void on_order_stored(struct store_wait *wait, const struct err *err)
{
	struct vm *vm = container_of(wait, struct vm, order_stored);

	vm->order_pending = false;
	if (err->code)
		vm_record_lost(vm);
	else
		vm->up_stored = vm->record.desired == DESIRED_UP;
	vm_changed(vm);
}

void vm_record_order(struct vm *vm)
{
	store_cancel(&vm->order_stored);
	vm->order_stored.on_stored = on_order_stored;
	vm->order_pending = true;
	if (vm_record(vm, &vm->order_stored))
		vm->order_pending = false;
}

/* ---- small questions ---- */

bool vm_is_locked(struct vm *vm)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "lock");
	enum lock_state state;
	struct err err = ERR_INIT;

	if (!lock_look(path, vm->env->lock_key, vm->name, &state, &err))
		return state == LOCK_HELD;
	vmlog_line(&vm->log, LOG_WARN, "%s", err.text);
	return true;
}

int vm_check_files(const struct vm *vm, struct err *err)
{
	if (vm->findings.errors)
		return findings_to_err(&vm->findings, err);
	if (!vm->spec)
		return err_set(err, ERR_NOT_FOUND, "its file is gone");
	return 0;
}

int64_t vm_uptime_ms(const struct vm *vm)
{
	if (!vm_is_up(vm) || vm->waits || vm->record.started_mono_ms == 0)
		return -1;
	return (int64_t)(sys_now_us() / 1000) - vm->record.started_mono_ms;
}

unsigned vm_pending(const struct vm *vm)
{
	return vm->spec && vm->running && vm->spec != vm->running ? vm->pending
								  : 0;
}
