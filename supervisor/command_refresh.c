/* SPDX-License-Identifier: GPL-2.0-or-later */
/* refresh. */
#include "base/mem.h"
#include "supervisor/commands.h"
#include "supervisor/refresh.h"

static void on_refreshed(struct job *job, void *arg)
{
	struct request *rq = arg;
	struct vm *vm = rq->vm;
	json_t *reply;

	if (!command_ends_well(rq, job))
		return;
	AUTO_FREE char *message =
		xasprintf("pid %d; the guest stood still for %lld ms",
			(int)vm->machine.pid, (long long)refresh_pause_ms(job));
	reply = command_result(vm, true, message);
	json_object_set_new(reply, "pid", json_integer(vm->machine.pid));
	json_object_set_new(
		reply, "paused_ms", json_integer(refresh_pause_ms(job)));
	request_reply_steal(rq, reply);
}

void command_refresh(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	struct err err = ERR_INIT;
	struct job *job;

	if (!vm)
		return;
	if (refresh_check(vm, &err) || vm_check_free(vm, &err)) {
		request_fail(rq, &err);
		return;
	}
	if (command_dry_run(rq, vm))
		return;
	rq->vm = vm;
	if (request_bool(rq, "job")) {
		job = refresh_begin(vm, vm_job_over, vm);
		vm_job_add(vm, job);
		command_job(rq, vm, job);
		return;
	}
	rq->job = refresh_begin(vm, on_refreshed, rq);
	vm_job_add(vm, rq->job);
}
