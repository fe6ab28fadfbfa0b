/* SPDX-License-Identifier: GPL-2.0-or-later */
/* save, restore. */
#include "base/mem.h"
#include "supervisor/commands.h"
#include "supervisor/lifecycle.h"
#include "supervisor/op_save.h"

static void fail(struct request *rq, const struct vm *vm)
{
	if (vm->save_err)
		request_fail(rq, vm->save_err);
	else
		request_failf(rq, ERR_STATE, "it is %s", vm_state_word(vm));
}

static void on_change(struct vm_watch *watch, struct vm *vm)
{
	struct request *rq = container_of(watch, struct request, watch);

	if (vm->state == VM_SAVED && !vm->order_pending)
		request_reply_steal(rq, command_result(vm, true, NULL));
	else if (vm->state != VM_SAVED && vm->state != VM_SAVING)
		fail(rq, vm);
}

static bool may_be_saved(struct request *rq, struct vm *vm)
{
	struct err err = ERR_INIT;

	if (lifecycle_accepts(vm, EV_SAVE, &err) || op_save_check(vm, &err))
		request_fail(rq, &err);
	else if (vm_check_free(vm, &err))
		request_fail(rq, &err);
	else if (vm->env->stopping)
		request_failf(rq, ERR_STATE, "all VMs are being stopped");
	else
		return !command_dry_run(rq, vm);
	return false;
}

void command_save(struct request *rq)
{
	struct vm *vm = command_vm(rq);

	if (!vm)
		return;
	if (vm->state == VM_SAVED) {
		request_reply_steal(rq, command_result(vm, false, NULL));
		return;
	}
	if (vm->state != VM_SAVING) {
		if (!may_be_saved(rq, vm))
			return;
		vm->stop = (struct vm_stop_order){ 0 };
		vm_post(vm, EV_SAVE);
		if (vm->op && command_job(rq, vm, vm->op))
			return;
	}
	rq->vm = vm;
	vm_watch(vm, &rq->watch, on_change);
	on_change(&rq->watch, vm);
}

void command_restore(struct request *rq)
{
	struct vm *vm = command_vm(rq);

	if (!vm)
		return;
	if (vm->state != VM_SAVED)
		request_failf(rq, ERR_STATE, "it is %s", vm_state_word(vm));
	else
		command_start(rq);
}
