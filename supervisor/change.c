/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes that a VM's file learns; see change.h. */
#include "supervisor/change.h"

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/commands.h"
#include "supervisor/op.h"

/* ---- before ---- */

bool change_is_live(const struct vm *vm)
{
	return (vm->state == VM_RUNNING || vm->state == VM_PAUSED) &&
	       vm->machine.ready && vm->running;
}

bool change_is_for_file(const struct request *rq, const struct vm *vm)
{
	return !vm_is_up(vm) && vm->spec && !vm->env->file &&
	       !request_bool(rq, "runtime");
}

bool change_may_begin(struct request *rq, const struct vm *vm)
{
	const struct job *busy = vm_busy(vm);

	if (change_is_for_file(rq, vm))
		return true;
	if (!change_is_live(vm))
		request_failf(rq, ERR_STATE, "it is %s", vm_state_word(vm));
	else if (busy && !busy->progress.phase)
		request_failf(rq, ERR_BUSY, "job j%u (%s) is under way",
			busy->id, busy->kind->name);
	else
		return true;
	return false;
}

/* ---- after ---- */

/* One whose edit is on its way into the file. */
struct change {
	struct request *rq;
	char *done;
	change_after_fn *after;
};

static void answer(struct change *change, struct err *err)
{
	struct request *rq = change->rq;
	struct vm *vm = rq->vm;

	registry_load(request_registry(rq), vm);
	if (!err->code && change->after)
		change->after(rq);
	vm_changed(vm);
	if (err->code && vm_is_up(vm))
		err_wrap(err,
			"%s, but the file does not say so: ", change->done);
	if (err->code)
		request_fail(rq, err);
	else
		request_reply_steal(rq,
			command_result(vm, true,
				vm_is_up(vm)
					? change->done
					: "written; the next start sees it"));
	free(change->done);
	free(change);
}

static void on_written(struct job *job, void *arg)
{
	struct change *change = arg;

	vm_job_over(job, change->rq->vm);
	change->rq->job = NULL;
	answer(change, &job->err);
}

void change_write(struct request *rq, const struct config_edit *edits, size_t n,
	const char *done, change_after_fn *after)
{
	struct change *change = NEW(struct change);
	struct err none = ERR_INIT;

	*change = (struct change){ rq, xstrdup(done), after };
	if (n == 0 || request_bool(rq, "runtime") || rq->vm->env->file) {
		answer(change, &none);
		return;
	}
	rq->job = op_edit_begin(rq->vm, edits, n, on_written, change);
	vm_job_add(rq->vm, rq->job);
}
