/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors that QEMU kept while its guest stood still; see fdset_sweep.h. */
#include "supervisor/fdset_sweep.h"

#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "qmp/call.h"
#include "qmp/client.h"

struct fdset_sweep {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	struct qmp_sub sub;
	json_t *sets;
	size_t at; /* the next of them */
	bool runs; /* its guest */
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

static void on_event(struct qmp_sub *sub, const struct qmp_event *ev)
{
	struct fdset_sweep *op = container_of(sub, struct fdset_sweep, sub);

	if (ev->type != QMP_EV_RESUME)
		return;
	op->runs = true;
	job_wake(&op->job);
}

/* It may run again since the sets were removed. */
static void note_status(struct fdset_sweep *op)
{
	op->runs |= str_eq(member_text(op->call.result, "status"), "running");
}

static enum job_state sweep_run(struct job *job)
{
	struct fdset_sweep *op = container_of(job, struct fdset_sweep, job);

	JOB_BEGIN(job);
	qmp_subscribe(QMP_OF(op), &op->sub, on_event);
	QMP_TRY(job, &op->call, QMP_OF(op), "query-status", NULL);
	note_status(op);
	JOB_AWAIT(job, op->runs || !op->vm->machine.ready,
		JOB_FOREVER); /* a person's choice */
	for (; op->at < json_array_size(op->sets); op->at++) {
		if (!op->vm->machine.ready)
			break;
		QMP_TRY(job, &op->call, QMP_OF(op), "remove-fd",
			json_pack("{s:O}", "fdset-id",
				json_array_get(op->sets, op->at)));
	}
	JOB_END(job);
}

static void sweep_cleanup(struct job *job)
{
	struct fdset_sweep *op = container_of(job, struct fdset_sweep, job);

	qmp_unsubscribe(&op->sub);
	qmp_call_fini(&op->call);
	json_decref(op->sets);
	free(op);
}

static const struct job_kind sweep_kind = { "fdset-sweep", sweep_run, NULL,
	sweep_cleanup };

void fdset_sweep_later_steal(struct vm *vm, json_t *sets)
{
	struct fdset_sweep *op = NEW(struct fdset_sweep);

	op->vm = vm;
	op->sets = sets;
	job_start(&op->job, &sweep_kind, vm->name, vm_job_over, vm);
	vm_job_add(vm, &op->job);
	vm_job_phase(vm, &op->job, "until resume");
}
