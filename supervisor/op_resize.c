/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk of a running VM grows: QEMU is asked what it has, then told.  It
 * never shrinks: QEMU would cut the guest's data off without a word.
 */
#include "base/mem.h"
#include "qmp/call.h"
#include "supervisor/argv.h"
#include "supervisor/live_image.h"
#include "supervisor/op.h"
#include "supervisor/pool_space.h"

struct op_resize {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	char *disk;
	char *node; /* of the image on top */
	uint64_t size;
};

static bool has_quota(struct op_resize *op, uint64_t bytes)
{
	const struct vm_spec *spec = op->vm->running;
	const struct paths *paths = &op->vm->env->paths;
	const struct spec_disk *disk =
		spec ? spec_disk_of(spec, op->disk) : NULL;
	AUTO_FREE char *path =
		disk ? argv_disk_path(spec, disk, paths->images) : NULL;
	struct err err = ERR_INIT;

	if (!path || !pool_claim(paths, path, bytes, NULL, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

static bool may_grow(struct op_resize *op)
{
	uint64_t now = live_image_node_size(op->call.result, op->node);
	AUTO_STR struct str text = STR_INIT;

	if (now == 0) {
		job_fail(&op->job, ERR_NOT_FOUND, "QEMU has no disk '%s'",
			op->disk);
		return false;
	}
	if (op->size >= now)
		return has_quota(op, op->size - now);
	str_add_bytes(&text, now);
	job_fail(&op->job, ERR_STATE,
		"it has %s, more than that: a disk shrinks only while its VM "
		"is stopped (image resize --shrink)",
		str_text(&text));
	return false;
}

static enum job_state resize_run(struct job *job)
{
	struct op_resize *op = container_of(job, struct op_resize, job);

	JOB_BEGIN(job);
	QMP_CALL(job, &op->call, machine_qmp(&op->vm->machine),
		"query-named-block-nodes", json_pack("{s:b}", "flat", 1));
	if (!may_grow(op))
		return JOB_ENDS;
	QMP_CALL(job, &op->call, machine_qmp(&op->vm->machine), "block_resize",
		json_pack("{s:s,s:I}", "node-name", op->node, "size",
			(json_int_t)op->size));
	JOB_END(job);
}

static void resize_cleanup(struct job *job)
{
	struct op_resize *op = container_of(job, struct op_resize, job);

	qmp_call_fini(&op->call);
	free(op->disk);
	free(op->node);
	free(op);
}

static const struct job_kind resize_kind = { "disk-resize", resize_run, NULL,
	resize_cleanup };

struct job *op_disk_resize_begin(struct vm *vm, const char *name, uint64_t size,
	op_end_fn *on_end, void *arg)
{
	struct op_resize *op = NEW(struct op_resize);

	op->vm = vm;
	op->size = size;
	op->disk = xstrdup(name);
	op->node = argv_disk_top(
		vm->running ? spec_disk_of(vm->running, name) : NULL, name);
	job_start(&op->job, &resize_kind, vm->name, on_end, arg);
	return &op->job;
}
