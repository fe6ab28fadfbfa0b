/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a VM; see op_delete.h. */
#include "supervisor/op_delete.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/durable.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/journal.h"

struct op_delete {
	struct job job;
	struct vm *vm;
	char *journal; /* state/deleting/NAME.json */
	char *file;    /* vms/NAME.ini */
	json_t *images;
	size_t at; /* the one whose directory is synced */
	struct durable durable;
};

/* ---- the steps ---- */

static bool write_journal(struct op_delete *op)
{
	struct err err = ERR_INIT;

	if (!journal_write(op->vm->env, op->vm->name, op->images, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

/* The point of no return. */
static bool remove_file(struct op_delete *op)
{
	struct err err = ERR_INIT;

	if (!sys_unlinkat(AT_FDCWD, op->file, 0) || errno == ENOENT)
		return true;
	err_os(&err, "cannot remove '%s'", op->file);
	job_fail_err(&op->job, &err);
	return false;
}

static const char *image_at(const json_t *images, size_t at)
{
	return str_or(json_string_value(json_array_get(images, at)), "/");
}

static enum job_state delete_run(struct job *job)
{
	struct op_delete *op = container_of(job, struct op_delete, job);

	JOB_BEGIN(job);
	if (!write_journal(op))
		return JOB_ENDS;
	JOB_DURABLE(job, &op->durable,
		durable_path(&op->durable, job, op->journal));
	JOB_DURABLE(job, &op->durable,
		durable_above(&op->durable, job, op->journal));
	JOB_DURABLE(job, &op->durable,
		journal_durable_dir(&op->durable, job, op->journal));
	if (!remove_file(op))
		return JOB_ENDS;
	JOB_DURABLE(
		job, &op->durable, durable_above(&op->durable, job, op->file));
	journal_roll(op->vm->env, op->vm->name, op->images);
	for (; op->at < json_array_size(op->images); op->at++)
		JOB_DURABLE(job, &op->durable,
			durable_above(&op->durable, job,
				image_at(op->images, op->at)));
	/* the drop-in stood beside the file: a new VM must not get it */
	JOB_DURABLE(
		job, &op->durable, durable_above(&op->durable, job, op->file));
	journal_forget(op->vm->env, op->vm->name);
	JOB_END(job);
}

/* Until the file is gone nothing has happened: the journal goes. */
static enum job_state delete_undo(struct job *job)
{
	struct op_delete *op = container_of(job, struct op_delete, job);
	struct stat st;

	if (!sys_fstatat(AT_FDCWD, op->file, &st, AT_SYMLINK_NOFOLLOW))
		journal_forget(op->vm->env, op->vm->name);
	return JOB_ENDS;
}

static void delete_cleanup(struct job *job)
{
	struct op_delete *op = container_of(job, struct op_delete, job);

	op->vm->held = NULL;
	durable_stop(&op->durable);
	json_decref(op->images);
	free(op->journal);
	free(op->file);
	free(op);
}

static const struct job_kind delete_kind = { "delete", delete_run, delete_undo,
	delete_cleanup };

struct job *op_delete_begin_steal(struct vm *vm, json_t *images,
	void (*on_end)(struct job *job, void *arg), void *arg)
{
	struct op_delete *op = NEW(struct op_delete);
	op->vm = vm;
	op->images = images;
	op->journal = journal_path(vm->env, vm->name);
	op->file = journal_file_of(vm->env, vm->name);
	vm->held = "deleted";
	job_start(&op->job, &delete_kind, vm->name, on_end, arg);
	return &op->job;
}
