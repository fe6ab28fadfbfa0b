/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk of a running VM grows: QEMU is asked what it has, then told.  It
 * never shrinks: QEMU would cut the guest's data off without a word.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "qmp/call.h"
#include "supervisor/argv.h"
#include "supervisor/op.h"
#include "supervisor/pool_space.h"

struct op_resize {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	char node[40];
	uint64_t size;
};

/* The size of the node in QEMU's answer; 0: it has no such node. */
static uint64_t size_of_node(const struct op_resize *op)
{
	size_t i;
	json_t *node;

	json_array_foreach(op->call.result, i, node)
	{
		const char *name =
			json_string_value(json_object_get(node, "node-name"));

		if (name && str_eq(name, op->node))
			return (uint64_t)json_integer_value(
				json_object_get(json_object_get(node, "image"),
					"virtual-size"));
	}
	return 0;
}

static bool has_quota(struct op_resize *op, uint64_t bytes)
{
	const struct vm_spec *spec = op->vm->running;
	const struct paths *paths = &op->vm->env->paths;
	const struct spec_disk *disk =
		spec ? spec_disk_of(spec, op->node + strlen("disk-")) : NULL;
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
	uint64_t now = size_of_node(op);
	AUTO_STR struct str text = STR_INIT;

	if (now == 0) {
		job_fail(&op->job, ERR_NOT_FOUND, "QEMU has no disk '%s'",
			op->node);
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
	snprintf(op->node, sizeof(op->node), "disk-%s", name);
	job_start(&op->job, &resize_kind, vm->name, on_end, arg);
	return &op->job;
}
