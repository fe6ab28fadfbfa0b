/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nic list, link: the cable of a nic by QEMU's set_link, then in the file. */
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/commands.h"
#include "supervisor/config.h"
#include "supervisor/op.h"
#include "supervisor/report.h"
#include "supervisor/running.h"

void command_nic_list(struct request *rq)
{
	struct vm *vm = command_vm(rq);

	if (vm)
		request_reply_steal(
			rq, json_pack("{s:o}", "nics", report_nics(vm)));
}

static bool wants_up(const struct request *rq)
{
	return str_eq(request_string(rq, "link"), "up");
}

/* ---- the file ---- */

static void answer(struct request *rq, const struct err *why)
{
	struct vm *vm = rq->vm;
	struct err err = *why;

	registry_load(request_registry(rq), vm);
	if (!err.code && vm->running) /* as the file says it now */
		running_set_link(vm, request_string(rq, "nic"), wants_up(rq));
	vm_changed(vm);
	if (err.code && vm_is_up(vm))
		err_wrap(&err, "done until the VM stops, but not written: ");
	if (err.code)
		request_fail(rq, &err);
	else
		request_reply_steal(rq,
			command_result(vm, true,
				vm_is_up(vm)
					? "linked"
					: "written; the next start sees it"));
}

static void on_written(struct job *job, void *arg)
{
	struct request *rq = arg;

	vm_job_over(job, rq->vm);
	rq->job = NULL;
	answer(rq, &job->err);
}

static void write_link(struct request *rq)
{
	struct vm *vm = rq->vm;
	AUTO_FREE char *section =
		xasprintf("net.%s", request_string(rq, "nic"));
	char key[] = "link";
	const struct config_edit edit = { section, key,
		request_string(rq, "link") };
	struct err none = ERR_INIT;

	if (request_bool(rq, "runtime") || vm->env->file) {
		answer(rq, &none);
		return;
	}
	rq->job = op_edit_begin(vm, &edit, 1, on_written, rq);
	vm_job_add(vm, rq->job);
}

/* ---- running ---- */

static void on_live_end(struct job *job, void *arg)
{
	struct request *rq = arg;
	const char *nic = request_string(rq, "nic");

	vm_job_over(job, rq->vm);
	rq->job = NULL;
	if (job->err.code) {
		err_wrap(&job->err, "net '%s': ", nic);
		request_fail(rq, &job->err);
		return;
	}
	running_set_link(rq->vm, nic, wants_up(rq));
	write_link(rq);
}

/* set_link takes the device's id, which start names so, too. */
static void link_live(struct request *rq)
{
	AUTO_FREE char *id = xasprintf("net-%s", request_string(rq, "nic"));

	rq->job = op_qmp_begin_steal(rq->vm, "set_link",
		json_pack("{s:s,s:b}", "name", id, "up", wants_up(rq)),
		on_live_end, rq);
	vm_job_add(rq->vm, rq->job);
}

/* ---- the request ---- */

static bool is_good(struct request *rq, struct vm *vm)
{
	const struct vm_spec *spec = vm->running ? vm->running : vm->spec;
	const char *nic = request_string(rq, "nic");
	bool live = vm->state == VM_RUNNING || vm->state == VM_PAUSED;
	bool can = live && vm->machine.ready && vm->running;
	bool for_file =
		!vm_is_up(vm) && !vm->env->file && !request_bool(rq, "runtime");

	if (!spec || !spec_nic_of(spec, nic))
		request_failf(rq, ERR_NOT_FOUND, "it has no nic '%s'", nic);
	else if (!can && !for_file)
		request_failf(rq, ERR_STATE, "it is %s", vm_state_word(vm));
	else
		return !command_dry_run(rq, vm);
	return false;
}

void command_nic_link(struct request *rq)
{
	struct vm *vm = command_vm(rq);

	if (!vm || !is_good(rq, vm))
		return;
	rq->vm = vm;
	if (vm_is_up(vm))
		link_live(rq);
	else
		write_link(rq);
}
