/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the record says of a start; see intent.h. */
#include "supervisor/intent.h"

#include "supervisor/pin.h"

#include <stdio.h>

#include "base/sys.h"

/* What only QMP can do, after QEMU's start and before the guest's. */
static bool has_afterwork(const struct vm_spec *spec)
{
	if (spec->installs)
		return true;
	list_each(&spec->raws, it, next) {
		if (list_entry(it, struct spec_raw, link)->qmp)
			return true;
	}
	list_each(&spec->nics, it2, next2) {
		if (!list_entry(it2, struct spec_nic, link)->up)
			return true;
	}
	return false;
}

void intent_fill(struct vm *vm)
{
	struct record *r = &vm->record;

	r->desired = DESIRED_UP;
	r->generation++;
	r->paused = vm->start_paused;
	r->left = false;
	r->failed = r->killed = false;
	r->ephemeral = vm->once_ephemeral;
	r->unfinished = has_afterwork(vm->running);
	accel_remember(&vm->accel, r->accel);
	snprintf(r->uuid, sizeof(r->uuid), "%s", vm->running->uuid);
	pin_settle(r, vm->running);
}

void intent_launched(struct vm *vm)
{
	int reboot = vm->running->restart.on_guest_reboot;

	vm->record.pid = (int32_t)vm->machine.pid;
	vm->record.pid_start = machine_pid_start(vm->machine.pid);
	vm->record.started_real_us = sys_realtime_us();
	vm->record.started_mono_ms = (int64_t)(sys_now_us() / 1000);
	vm->record.ports = vm->slots.n;
	vm_record(vm, NULL);
	vm->reboot_known = true; /* by its arguments */
	vm->reboot_ends = reboot == REBOOT_COLD || reboot == REBOOT_STOP;
	vm_save_running(vm);
}

void intent_finished(struct vm *vm)
{
	if (!vm->record.unfinished)
		return;
	vm->record.unfinished = false;
	vm_record(vm, NULL);
}
