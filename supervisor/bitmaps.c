/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our dirty bitmaps in QEMU; see bitmaps.h. */
#include "supervisor/bitmaps.h"

#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "qmp/call.h"

struct drop {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	enum bitmaps which;
	char *name;
	json_t *found; /* [{"node": .., "name": ..}]: arguments to remove it */
	size_t at;
};

const json_t *bitmaps_node(const json_t *nodes, const char *name)
{
	json_t *node;
	size_t i;

	json_array_foreach(nodes, i, node)
	{
		if (str_eq(member_text(node, "node-name"), name))
			return node;
	}
	return NULL;
}

bool bitmaps_persist(const json_t *node)
{
	return str_eq(member_text(node, "drv"), "qcow2");
}

static const json_t *find(const json_t *node, const char *name)
{
	json_t *bitmap;
	size_t i;

	json_array_foreach(json_object_get(node, "dirty-bitmaps"), i, bitmap)
	{
		if (str_eq(member_text(bitmap, "name"), name))
			return bitmap;
	}
	return NULL;
}

bool bitmaps_count(
	const json_t *node, const char *name, uint64_t *bytes, const char **why)
{
	const json_t *bitmap = find(node, name);

	*why = NULL;
	if (!bitmap)
		*why = "QEMU has no record of what was written since";
	else if (json_is_true(json_object_get(bitmap, "inconsistent")))
		*why = "the record of what was written since is broken: QEMU "
		       "was killed";
	else if (!json_is_true(json_object_get(bitmap, "recording")) ||
		 json_is_true(json_object_get(bitmap, "busy")))
		*why = "the record of what was written since is not whole";
	else
		*bytes = (uint64_t)json_integer_value(
			json_object_get(bitmap, "count"));
	return !*why;
}

/* ---- taken away ---- */

static void collect(struct drop *op)
{
	json_t *node;
	json_t *bitmap;
	size_t i, k;

	op->found = json_array();
	json_array_foreach(op->call.result, i, node) json_array_foreach(
		json_object_get(node, "dirty-bitmaps"), k, bitmap)
	{
		const char *name = member_text(bitmap, "name");

		if (!str_starts(name, BITMAPS_OURS) ||
			str_eq(name, op->name) != (op->which == BITMAPS_THIS))
			continue;
		json_array_append_new(op->found,
			json_pack("{s:s,s:s}", "node",
				member_text(node, "node-name"), "name", name));
	}
}

static json_t *next_one(struct drop *op)
{
	return json_incref(json_array_get(op->found, op->at++));
}

static enum job_state drop_run(struct job *job)
{
	struct drop *op = container_of(job, struct drop, job);

	JOB_BEGIN(job);
	QMP_TRY(job, &op->call, machine_qmp(&op->vm->machine),
		"query-named-block-nodes", json_pack("{s:b}", "flat", 1));
	collect(op);
	while (op->at < json_array_size(op->found)) {
		QMP_TRY(job, &op->call, machine_qmp(&op->vm->machine),
			"block-dirty-bitmap-remove", next_one(op));
		if (op->call.err.code)
			vmlog_line(&op->vm->log, LOG_WARN, "%s",
				op->call.err.text);
	}
	JOB_END(job);
}

static void drop_cleanup(struct job *job)
{
	struct drop *op = container_of(job, struct drop, job);

	qmp_call_fini(&op->call);
	json_decref(op->found);
	free(op->name);
	free(op);
}

struct job *bitmaps_drop_begin(struct vm *vm, enum bitmaps which,
	const char *name, struct job *parent, op_end_fn *on_end)
{
	static const struct job_kind kind = { "bitmaps", drop_run, NULL,
		drop_cleanup };
	struct drop *op = NEW(struct drop);

	op->vm = vm;
	op->which = which;
	op->name = xstrdup(name);
	job_start(&op->job, &kind, vm->name, on_end, parent);
	op->job.parent = parent;
	return &op->job;
}
