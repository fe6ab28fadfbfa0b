/* SPDX-License-Identifier: GPL-2.0-or-later */
/* upgrade-machine: a VM lets go of the machine type that it was pinned to. */
#include "supervisor/commands.h"

#include "supervisor/saved.h"

void command_upgrade_machine(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	bool changed;

	if (!vm)
		return;
	if (vm_is_up(vm) || vm_busy(vm)) {
		request_failf(rq, ERR_STATE,
			"it is %s: a machine is changed while it is stopped",
			vm_state_word(vm));
		return;
	}
	if (saved_is_there(vm)) {
		request_failf(rq, ERR_STATE,
			"its saved memory goes on only in %s: start and "
			"stop it first",
			vm->record.machine);
		return;
	}
	if (command_dry_run(rq, vm))
		return;
	changed = vm->record.machine[0] != '\0';
	vm->record.machine[0] = '\0';
	vm_record(vm, NULL);
	request_reply_steal(
		rq, command_result(vm, changed,
			    "the next start takes the newest machine type"));
}
