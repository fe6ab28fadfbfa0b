/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which way a guest's own reboot goes; see reboot.h. */
#include "supervisor/reboot.h"

#include "base/mem.h"
#include "supervisor/op.h"

#define QUIET_MS 5000 /* after the last reset of a host's reset */

bool reboot_is_end(const struct vm *vm)
{
	const struct vm_spec *spec = vm->spec ? vm->spec : vm->running;

	if (!spec)
		return false;
	if (vm->running && vm->running->installs)
		return true; /* the next life has no disc */
	switch ((enum spec_guest_reboot)spec->restart.on_guest_reboot) {
	case REBOOT_COLD:
	case REBOOT_STOP:
		return true;
	case REBOOT_COLD_IF_PENDING:
		return vm_pending(vm) > 0;
	case REBOOT_WARM:
		break;
	}
	return false;
}

void reboot_follow(struct vm *vm)
{
	bool ends;

	if (!vm->machine.ready || !vm->running || vm->reboot_held)
		return;
	ends = reboot_is_end(vm);
	if (vm->reboot_known && vm->reboot_ends == ends)
		return;
	vm->reboot_known = true;
	vm->reboot_ends = ends;
	vm_job_add(vm, op_qmp_begin_steal(vm, "set-action",
			       json_pack("{s:s}", "reboot",
				       ends ? "shutdown" : "reset"),
			       vm_job_over, vm));
}

static void on_quiet(struct loop_timer *timer)
{
	struct vm *vm = container_of(timer, struct vm, reboot_timer);

	vm->reboot_held = false;
	reboot_follow(vm);
}

void reboot_on_reset(struct vm *vm)
{
	if (vm->reboot_held)
		loop_timer_start(&vm->reboot_timer, QUIET_MS, on_quiet);
}
