/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots for others to read: copied; see op_mount.h. */
#include <fcntl.h>
#include <string.h>

#include "base/durable.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/sys.h"
#include "storage/image.h"
#include "supervisor/mounts.h"
#include "supervisor/op_mount.h"
#include "supervisor/vm.h"

struct op_export {
	struct job job;
	struct vm *vm;
	char *dir;
	json_t *snapshot;
	json_t *made; /* paths */
	size_t at;
	char *path; /* of what is made */
	struct image_create *step;
	struct err step_err;
	struct durable durable;
};

static struct op_export *op_of(const struct job *job)
{
	return container_of(
		(struct job *)(uintptr_t)job, struct op_export, job);
}

static void on_copied(struct job *job, void *arg)
{
	struct op_export *op = arg;

	op->step = NULL;
	op->step_err = job->err;
}

static bool make_dir(struct op_export *op)
{
	struct err err = ERR_INIT;

	if (!fd_make_dirs(op->dir, 0700, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

/* The next disk; false: that was the last. */
static bool copy_next(struct op_export *op)
{
	const json_t *disk = json_array_get(
		json_object_get(op->snapshot, "disks"), op->at++);
	AUTO_FREE char *source = NULL;

	if (!disk)
		return false;
	source = mounts_source(member_text(disk, "path"));
	free(op->path);
	op->path = xasprintf("%s/%s-%s.qcow2", op->dir, op->vm->name,
		member_text(disk, "disk"));
	op->step = image_create_start(op->vm->env->qemu_img,
		&(struct image_wish){ .path = op->path,
			.format = "qcow2",
			.from = member_text(disk, "path"),
			.from_format = "qcow2",
			.from_opened = source,
			.snapshot = member_text(op->snapshot, "tag") },
		op->vm->name, &op->job, on_copied, op);
	return true;
}

static void note_made(struct op_export *op)
{
	json_array_append_new(op->made, json_string(op->path));
}

static bool write_config(struct op_export *op)
{
	const char *text = member_text(op->snapshot, "config");
	struct err err = ERR_INIT;
	struct stat st;

	free(op->path);
	op->path = xasprintf("%s/%s.ini", op->dir, op->vm->name);
	if (!sys_fstatat(AT_FDCWD, op->path, &st, AT_SYMLINK_NOFOLLOW))
		err_set(&err, ERR_EXISTS, "'%s' exists already", op->path);
	if (err.code || fd_write_file(AT_FDCWD, op->path, text, strlen(text),
				0600, false, &err)) {
		job_fail_err(&op->job, &err);
		return false;
	}
	note_made(op);
	return true;
}

static enum job_state export_run(struct job *job)
{
	struct op_export *op = container_of(job, struct op_export, job);

	JOB_BEGIN(job);
	if (!make_dir(op))
		return JOB_ENDS;
	while (copy_next(op)) {
		JOB_AWAIT(job, !op->step, JOB_FOREVER); /* a job of its own */
		if (op->step_err.code)
			return job_fail_err(job, &op->step_err);
		note_made(op);
	}
	if (!write_config(op))
		return JOB_ENDS;
	JOB_DURABLE(
		job, &op->durable, durable_path(&op->durable, job, op->path));
	JOB_DURABLE(
		job, &op->durable, durable_above(&op->durable, job, op->path));
	JOB_END(job);
}

static void export_cleanup(struct job *job)
{
	struct op_export *op = op_of(job);
	const json_t *path;
	size_t i;

	json_array_foreach(op->made, i, path)
	{
		if (job->err.code)
			sys_unlinkat(AT_FDCWD, json_string_value(path), 0);
	}
	durable_stop(&op->durable);
	json_decref(op->snapshot);
	json_decref(op->made);
	free(op->dir);
	free(op->path);
	free(op);
}

struct job *op_export_begin(struct vm *vm, const json_t *snapshot,
	const char *dir, op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "snapshot-export", export_run,
		NULL, export_cleanup };
	struct op_export *op = NEW(struct op_export);

	op->vm = vm;
	op->dir = xstrdup(dir);
	op->snapshot = json_deep_copy(snapshot);
	op->made = json_array();
	job_start(&op->job, &kind, vm->name, on_end, arg);
	return &op->job;
}

const json_t *op_export_made(const struct job *job)
{
	return op_of(job)->made;
}
