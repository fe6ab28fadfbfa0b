/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An edit of a VM's drop-in, durable before it is answered: new text synced,
 * renamed into place, directories synced.  Nothing of it blocks the loop.
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
	struct config_change change;
	struct durable durable;
};

#define SYNC(op, fd)                            \
	JOB_DURABLE(&(op)->job, &(op)->durable, \
		durable_fd(                     \
			&(op)->durable, &(op)->job, (fd), (op)->change.path))

static enum job_state edit_run(struct job *job)
{
	struct op_edit *op = container_of(job, struct op_edit, job);

	JOB_BEGIN(job);
	/* one after the other: each reads what the last one wrote */
	JOB_AWAIT(job, vm_busy_edit(op->vm) == job, JOB_FOREVER);
	if (config_change_prepare(&op->vm->env->paths, op->vm->name, op->edits,
		    op->n, &op->change, &job->err))
		return JOB_ENDS;
	if (op->change.fd >= 0)
		SYNC(op, op->change.fd);
	if (config_change_commit(&op->change, &job->err))
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
