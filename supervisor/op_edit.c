/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An edit of a VM's drop-in, durable before it is answered: new text synced,
 * renamed into place, directories synced.  Nothing of it blocks the loop.
 * Or of what holds only for this life of it: then that must still last.
 */
#include "supervisor/edits.h"
#include "supervisor/op.h"

#include <string.h>

#include "base/atom.h"
#include "base/durable.h"
#include "base/mem.h"
#include "supervisor/config.h"

struct op_edit {
	struct job job;
	struct vm *vm;
	struct config_edit *edits; /* until its turn came */
	size_t n;
	bool runtime;
	uint64_t life; /* runtime: of this generation */
	struct config_change change;
	struct durable durable;
};

#define SYNC(op, fd)                            \
	JOB_DURABLE(&(op)->job, &(op)->durable, \
		durable_fd(                     \
			&(op)->durable, &(op)->job, (fd), (op)->change.path))

/* What is written too late would hold for another life. */
static int check_life(const struct op_edit *op, struct err *err)
{
	const struct vm *vm = op->vm;

	if (!op->runtime || (vm->running && vm->record.generation == op->life))
		return 0;
	return err_set(err, ERR_STATE, "it has stopped meanwhile");
}

static int prepare(struct op_edit *op, struct err *err)
{
	const struct config_file file = { &op->vm->env->paths, op->vm->name,
		op->runtime };

	if (check_life(op, err))
		return -1;
	return config_change_prepare(&file, op->edits, op->n, &op->change, err);
}

static enum job_state edit_run(struct job *job)
{
	struct op_edit *op = container_of(job, struct op_edit, job);

	JOB_BEGIN(job);
	/* one after the other: each reads what the last one wrote */
	JOB_AWAIT(job, vm_busy_edit(op->vm) == job, JOB_FOREVER);
	if (prepare(op, &job->err))
		return JOB_ENDS;
	if (op->change.fd >= 0)
		SYNC(op, op->change.fd);
	if (check_life(op, &job->err) ||
		config_change_commit(&op->change, &job->err))
		return JOB_ENDS;
	SYNC(op, op->change.dir_fd);
	SYNC(op, op->change.above_fd);
	JOB_END(job);
}

static void edit_cleanup(struct job *job)
{
	struct op_edit *op = container_of(job, struct op_edit, job);

	durable_stop(&op->durable);
	config_change_fini(&op->change);
	for (size_t i = 0; i < op->n; i++)
		config_edit_fini(&op->edits[i]);
	free(op->edits);
	vm_wake_jobs(op->vm);
	free(op);
}

static const struct job_kind edit_kind = { "edit", edit_run, NULL,
	edit_cleanup };

struct job *op_edit_begin(struct vm *vm, const struct config_edit *edits,
	size_t n, op_end_fn *on_end, void *arg)
{
	struct op_edit *op = NEW(struct op_edit);

	op->vm = vm;
	op->n = n;
	op->edits = xcalloc(n + 1, sizeof(op->edits[0]));
	for (size_t i = 0; i < n; i++)
		op->edits[i] = (struct config_edit){ atom_get(edits[i].section),
			atom_get(edits[i].key), atom_get(edits[i].value) };
	op->change = (struct config_change){
		.fd = -1, .dir_fd = -1, .above_fd = -1
	};
	job_start(&op->job, &edit_kind, vm->name, on_end, arg);
	return &op->job;
}

void op_edit_for_this_life(struct job *job)
{
	struct op_edit *op = container_of(job, struct op_edit, job);

	op->runtime = true;
	op->life = op->vm->record.generation;
}
