/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work on the snapshots of several VMs as one job; see op_group.h. */
#include "supervisor/op_group.h"

#include <fcntl.h>

#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/snapshot_groups.h"
#include "supervisor/snapshots.h"

struct member {
	struct gate_member gate;
	struct op_group *group;
	struct vm *vm;
	struct job *job; /* NULL: it is over */
	struct err err;
};

struct op_group {
	struct job job;
	struct snapshot_gate gate;
	enum group_act act;
	const struct env *env;
	char *name, *tag; /* create */
	struct member *members;
	size_t n, left;
	struct job *step; /* the record is written */
	struct err step_err;
};

/* A revert cannot be taken back: the others go on. */
static void on_member_end(struct job *job, void *arg)
{
	struct member *member = arg;
	struct op_group *op = member->group;

	vm_job_over(job, member->vm);
	member->job = NULL;
	member->err = job->err;
	op->left--;
	if (member->err.code)
		err_wrap(&member->err, "vm '%s': ", member->vm->name);
	if (member->err.code && !op->gate.written &&
		(op->act == GROUP_CREATE ||
			!snapshot_gate_is_open(&op->gate, GATE_PLANNED)))
		job_fail_err(&op->job, &member->err);
	else
		snapshot_gate_leave(&member->gate);
	job_wake(&op->job);
}

static bool is_made(const struct op_group *op)
{
	return snapshot_gate_is_open(&op->gate, GATE_DONE);
}

static json_t *names_of(const struct op_group *op)
{
	json_t *names = json_array();

	for (size_t i = 0; i < op->n; i++)
		json_array_append_new(
			names, json_string(op->members[i].vm->name));
	return names;
}

/* What each tree is to get, with the group that it is part of. */
static json_t *record_of(const struct op_group *op)
{
	json_t *parts = json_object();

	for (size_t i = 0; i < op->n; i++) {
		const struct member *member = &op->members[i];
		json_t *part = op_snapshot_made(member->job);

		json_object_set_new(part, "group",
			json_pack("{s:o,s:I}", "vms", names_of(op), "skew-us",
				(json_int_t)snapshot_gate_skew_us(&op->gate)));
		json_object_set(parts, member->vm->name, part);
	}
	return json_pack("{s:o}", "snapshots", parts);
}

/* From here on it counts, or nothing says so. */
static void on_written(struct job *job, void *arg)
{
	struct op_group *op = arg;
	AUTO_FREE char *path = snapshot_groups_path(&op->env->paths, op->tag);

	op->step = NULL;
	op->step_err = job->err;
	if (job->err.code || op->job.err.code)
		sys_unlinkat(AT_FDCWD, path, 0);
	else
		snapshot_gate_write(&op->gate);
}

static void write_record(struct op_group *op)
{
	AUTO_FREE char *path = snapshot_groups_path(&op->env->paths, op->tag);
	AUTO_JSON json_t *record = record_of(op);

	op->step = snapshots_write(
		path, record, op->job.target, &op->job, on_written, op);
}

/* The first of theirs is the group's. */
static void fail_of_members(struct op_group *op)
{
	for (size_t i = 0; i < op->n; i++) {
		if (op->members[i].err.code)
			job_fail_err(&op->job, &op->members[i].err);
	}
}

static enum job_state group_run(struct job *job)
{
	struct op_group *op = container_of(job, struct op_group, job);

	JOB_BEGIN(job);
	if (op->act == GROUP_CREATE) {
		JOB_AWAIT(job, is_made(op), JOB_FOREVER); /* they have ends */
		write_record(op);
		JOB_AWAIT(job, !op->step, JOB_FOREVER); /* a job of its own */
		if (op->step_err.code)
			return job_fail_err(job, &op->step_err);
	}
	JOB_AWAIT(job, op->left == 0, JOB_FOREVER); /* the same */
	snapshots_settle_groups(&op->env->paths);
	fail_of_members(op);
	JOB_END(job);
}

static void group_cleanup(struct job *job)
{
	struct op_group *op = container_of(job, struct op_group, job);

	free(op->members);
	free(op->name);
	free(op->tag);
	free(op);
}

/* ---- its members ---- */

static void begin_member(
	struct op_group *op, size_t i, const struct group_wish *wish)
{
	static struct job *(*const begin[])(struct vm *,
		const struct op_snapshot_wish *, op_snapshot_end *, void *) = {
		[GROUP_CREATE] = op_snapshot_create,
		[GROUP_REVERT] = op_snapshot_revert,
		[GROUP_DELETE] = op_snapshot_delete,
	};
	struct member *member = &op->members[i];
	struct vm *vm = wish->vms[i];
	bool live = snapshot_step_is_live(vm);
	const char *name =
		wish->act == GROUP_CREATE ? op->name : wish->names[i];
	const char *const names[] = { name, NULL };
	const struct op_snapshot_wish one = { .name = name,
		.names = wish->act == GROUP_DELETE ? names : NULL,
		.memory = wish->memory && live,
		.freeze = vm->state == VM_RUNNING ? wish->freeze : FREEZE_NO,
		.description = wish->description,
		.tag = op->tag,
		.member = &member->gate };

	member->group = op;
	member->vm = vm;
	member->job = begin[wish->act](vm, &one, on_member_end, member);
	member->job->parent = &op->job;
	vm_job_add(vm, member->job);
}

/* The time, as the first of them would name it. */
static char *new_name(const struct group_wish *wish)
{
	struct err none = ERR_INIT;
	AUTO_JSON json_t *tree = NULL;

	if (wish->names[0])
		return xstrdup(wish->names[0]);
	tree = snapshots_read(
		&wish->vms[0]->env->paths, wish->vms[0]->name, &none);
	return snapshots_new_name(tree, sys_realtime_us());
}

struct job *op_group_begin(
	const struct group_wish *wish, op_snapshot_end *on_end, void *arg)
{
	static const struct job_kind kinds[] = {
		[GROUP_CREATE] = { "group-create", group_run, NULL,
			group_cleanup },
		[GROUP_REVERT] = { "group-revert", group_run, NULL,
			group_cleanup },
		[GROUP_DELETE] = { "group-delete", group_run, NULL,
			group_cleanup },
	};
	struct op_group *op = NEW(struct op_group);

	op->act = wish->act;
	op->env = wish->vms[0]->env;
	op->name = new_name(wish);
	op->tag = wish->act == GROUP_CREATE ? op_snapshot_tag(op->name) : NULL;
	op->n = op->left = wish->nvms;
	op->members = xcalloc(op->n, sizeof(*op->members));
	job_start(&op->job, &kinds[wish->act], wish->vms[0]->name, on_end, arg);
	snapshot_gate_init(&op->gate, &op->job);
	for (size_t i = 0; i < op->n; i++)
		snapshot_gate_join(&op->gate, &op->members[i].gate);
	for (size_t i = 0; i < op->n; i++)
		begin_member(op, i, wish);
	return &op->job;
}

const char *op_group_name(const struct job *job)
{
	return container_of(job, const struct op_group, job)->name;
}

json_t *op_group_vms(const struct job *job)
{
	return names_of(container_of(
		(struct job *)(uintptr_t)job, struct op_group, job));
}

const char *op_group_action(const struct job *job)
{
	static const char *const words[] = { [GROUP_CREATE] = "created",
		[GROUP_REVERT] = "reverted",
		[GROUP_DELETE] = "deleted" };

	return words[container_of(job, const struct op_group, job)->act];
}

int64_t op_group_skew_us(const struct job *job)
{
	return snapshot_gate_skew_us(
		&container_of(job, const struct op_group, job)->gate);
}
