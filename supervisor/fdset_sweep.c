/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors that QEMU kept while its guest stood still; see fdset_sweep.h.
 * Until the guest runs, which may be never, they are a line of text in the VM.
 */
#include "supervisor/fdset_sweep.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "qmp/call.h"
#include "qmp/client.h"

struct fdset_sweep {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	json_t *sets;
	size_t at; /* the next of them */
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

static json_t *take_sets(struct vm *vm)
{
	AUTO_FREE char *text = TAKE(vm->left_sets);
	json_t *sets = json_array();

	for (const char *at = text; *at; at += strcspn(at, " ") + 1)
		json_array_append_new(
			sets, json_integer((json_int_t)str_digits(at)));
	return sets;
}

static enum job_state sweep_run(struct job *job)
{
	struct fdset_sweep *op = container_of(job, struct fdset_sweep, job);

	JOB_BEGIN(job);
	for (; op->at < json_array_size(op->sets); op->at++) {
		if (!op->vm->machine.ready)
			return JOB_ENDS;
		QMP_TRY(job, &op->call, QMP_OF(op), "remove-fd",
			json_pack("{s:O}", "fdset-id",
				json_array_get(op->sets, op->at)));
	}
	if (op->vm->state == VM_PAUSED) /* again: it may not have heeded that */
		fdset_sweep_later(op->vm, op->sets);
	JOB_END(job);
}

static void sweep_cleanup(struct job *job)
{
	struct fdset_sweep *op = container_of(job, struct fdset_sweep, job);

	qmp_call_fini(&op->call);
	json_decref(op->sets);
	free(op);
}

static const struct job_kind sweep_kind = { "fdset-sweep", sweep_run, NULL,
	sweep_cleanup };

void fdset_sweep_later(struct vm *vm, const json_t *sets)
{
	AUTO_STR struct str text = STR_INIT;
	const json_t *set;
	size_t i;

	if (json_array_size(sets) == 0)
		return;
	str_add(&text, str_or(vm->left_sets, ""));
	json_array_foreach(sets, i, set)
		str_addf(&text, "%lld ", (long long)json_integer_value(set));
	free(vm->left_sets);
	vm->left_sets = str_take(&text);
	if (vm->state == VM_RUNNING)
		fdset_sweep_begin(vm);
}

void fdset_sweep_begin(struct vm *vm)
{
	struct fdset_sweep *op;

	if (!vm->left_sets)
		return;
	op = NEW(struct fdset_sweep);
	op->vm = vm;
	op->sets = take_sets(vm);
	job_start(&op->job, &sweep_kind, vm->name, vm_job_over, vm);
	vm_job_add(vm, &op->job);
}
