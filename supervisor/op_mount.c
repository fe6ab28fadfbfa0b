/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots for others to read: served; see op_mount.h. */
#include "supervisor/op_mount.h"

#include "base/mem.h"
#include "base/member.h"
#include "supervisor/mounts.h"
#include "supervisor/vm.h"

enum { LOOK_MS = 10, PATIENCE = 2000 /* looks */ };

struct op_mount {
	struct job job;
	struct vm *vm;
	char *tag, *disk;
	json_t *disks; /* of the snapshot */
	unsigned looks;
	struct err err;
};

/* Those that are wanted. */
static bool start_all(struct op_mount *op)
{
	struct err err = ERR_INIT;
	const json_t *disk;
	bool found = false;
	size_t i;

	json_array_foreach(op->disks, i, disk)
	{
		const struct mount_wish wish = { .vm = op->vm->name,
			.tag = op->tag,
			.disk = member_text(disk, "disk"),
			.path = member_text(disk, "path") };

		if (*op->disk && !str_eq(op->disk, wish.disk))
			continue;
		found = true;
		if (mounts_start(op->vm->env, &wish, &op->job, &err))
			break;
	}
	if (!found)
		err_set(&err, ERR_NOT_FOUND, "the snapshot has no disk '%s'",
			op->disk);
	if (err.code)
		job_fail_err(&op->job, &err);
	return !err.code;
}

static enum job_state mount_run(struct job *job)
{
	struct op_mount *op = container_of(job, struct op_mount, job);

	JOB_BEGIN(job);
	if (!start_all(op))
		return JOB_ENDS;
	while (!mounts_look(op->vm->name, op->tag, &op->err)) {
		if (++op->looks > PATIENCE)
			return job_fail(
				job, ERR_TIMEOUT, "qemu-nbd does not answer");
		JOB_AWAIT_OR_TIMEOUT(job, false, LOOK_MS);
	}
	if (op->err.code)
		return job_fail_err(job, &op->err);
	JOB_END(job);
}

static void mount_cleanup(struct job *job)
{
	struct op_mount *op = container_of(job, struct op_mount, job);

	mounts_forget_waker(job);
	if (job->err.code)
		mounts_end(op->vm->name, op->tag);
	json_decref(op->disks);
	free(op->tag);
	free(op->disk);
	free(op);
}

struct job *op_mount_begin(struct vm *vm, const json_t *snapshot,
	const char *disk, op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "snapshot-mount", mount_run, NULL,
		mount_cleanup };
	struct op_mount *op = NEW(struct op_mount);

	op->vm = vm;
	op->tag = xstrdup(member_text(snapshot, "tag"));
	op->disk = xstrdup(disk);
	op->disks = json_deep_copy(json_object_get(snapshot, "disks"));
	job_start(&op->job, &kind, vm->name, on_end, arg);
	return &op->job;
}
