/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the jobs on snapshots are made of; see snapshot_step.h. */
#include "supervisor/snapshot_step.h"

#include <fcntl.h>

#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/events.h"
#include "supervisor/live_snapshot.h"
#include "supervisor/nonvolatile.h"
#include "supervisor/snapshot_disks.h"
#include "supervisor/snapshots.h"

struct op_snapshot *snapshot_step_op(const struct job *job)
{
	return container_of(
		(struct job *)(uintptr_t)job, struct op_snapshot, job);
}

/* ---- steps ---- */

static void on_step_end(struct job *job, void *arg)
{
	struct op_snapshot *op = arg;

	op->step = NULL;
	op->step_err = job->err;
}

void snapshot_step_save(struct op_snapshot *op)
{
	op->step = snapshots_save(op->vm, op->tree, &op->job, on_step_end, op);
}

bool snapshot_step_is_live(const struct vm *vm)
{
	return (vm->state == VM_RUNNING || vm->state == VM_PAUSED) &&
	       vm->machine.ready && vm->running;
}

static struct job *act_live(struct op_snapshot *op, enum snapshot_act what,
	const char *tag, const json_t *images)
{
	AUTO_JSON json_t *disks = snapshot_disks_of(op->vm, images);
	const struct live_snapshot_wish wish = { .act = what,
		.tag = tag,
		.disks = disks,
		.memory = op->memory,
		.freeze = op->freeze,
		.frozen = &op->frozen,
		.member = op->job.undoing ? NULL : op->member };

	return live_snapshot_start(op->vm, &wish, &op->job, on_step_end, op);
}

/* What QEMU began it ends, or nobody; a tag goes from wherever it is. */
void snapshot_step_act(struct op_snapshot *op, enum snapshot_act what,
	const char *tag, json_t *images)
{
	const struct snapshot_wish wish = { .act = what,
		.tag = tag,
		.images = images,
		.interrupted = op->mends };

	if (op->live || snapshot_step_is_live(op->vm))
		op->step = act_live(op, what, tag, images);
	else
		op->step = snapshot_start(op->vm->env->qemu_img, &wish,
			&op->job, on_step_end, op);
}

void snapshot_step_forget(const struct op_snapshot *op, const char *tag)
{
	AUTO_FREE char *memory = live_snapshot_memory(op->vm, tag);
	AUTO_FREE char *kept = snapshot_step_kept(op, tag);

	sys_unlinkat(AT_FDCWD, memory, 0);
	sys_unlinkat(AT_FDCWD, kept, 0);
}

char *snapshot_step_kept(const struct op_snapshot *op, const char *tag)
{
	AUTO_FREE char *dir = snapshots_dir(&op->vm->env->paths, op->vm->name);

	return xasprintf("%s/%s.json", dir, tag);
}

bool snapshot_step_look(struct op_snapshot *op)
{
	struct err err = ERR_INIT;

	json_decref(op->kept);
	op->kept = NULL;
	if (!nonvolatile_read(op->vm, &op->kept, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

void snapshot_step_keep(struct op_snapshot *op, const char *tag)
{
	AUTO_FREE char *path = snapshot_step_kept(op, tag);

	op->step_err = (struct err)ERR_INIT;
	if (op->kept)
		op->step = snapshots_write(path, op->kept, op->vm->name,
			&op->job, on_step_end, op);
}

void snapshot_step_put(struct op_snapshot *op, const char *tag)
{
	AUTO_FREE char *path = snapshot_step_kept(op, tag);

	op->step_err = (struct err)ERR_INIT;
	op->step = nonvolatile_put(op->vm, path, &op->job, on_step_end, op);
}

bool snapshot_step_read(struct op_snapshot *op)
{
	struct err err = ERR_INIT;

	json_decref(op->tree);
	op->tree = NULL;
	if (!env_needs_qemu_img(op->vm->env, &err))
		op->tree =
			snapshots_read(&op->vm->env->paths, op->vm->name, &err);
	if (op->tree)
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

void snapshot_step_tell(struct op_snapshot *op, const char *action)
{
	op->action = action;
	vmlog_line(
		&op->vm->log, LOG_INFO, "snapshot '%s': %s", op->name, action);
	events_emit(
		"VM_SNAPSHOT", json_pack("{s:s,s:s,s:s}", "vm", op->vm->name,
				       "snapshot", op->name, "action", action));
}

/* ---- mending ---- */

static json_t *reverting(const struct op_snapshot *op)
{
	return json_object_get(op->tree, "reverting");
}

static const char *mark(const struct op_snapshot *op, const char *key)
{
	return member_text(reverting(op), key);
}

static void apply_marked(struct op_snapshot *op, const char *key)
{
	snapshot_step_act(op, SNAPSHOT_APPLY, mark(op, key),
		json_object_get(reverting(op), "images"));
}

static void end_revert(struct op_snapshot *op)
{
	if (op->forward)
		snapshots_set_current(op->tree, mark(op, "name"));
	vmlog_line(&op->vm->log, LOG_INFO,
		"a revert to the snapshot '%s' was cut short: %s",
		mark(op, "name"), op->forward ? "done" : "undone");
	json_object_del(op->tree, "reverting");
}

json_t *snapshot_step_garbage(const struct op_snapshot *op)
{
	return json_array_get(json_object_get(op->tree, "garbage"), op->at);
}

void snapshot_step_drop(struct op_snapshot *op)
{
	snapshot_step_act(op, SNAPSHOT_DROP,
		member_text(snapshot_step_garbage(op), "tag"),
		json_object_get(snapshot_step_garbage(op), "images"));
}

/* What could not go is tried again the next time. */
void snapshot_step_dropped(struct op_snapshot *op)
{
	if (!op->step_err.code) {
		snapshot_step_forget(
			op, member_text(snapshot_step_garbage(op), "tag"));
		json_array_remove(json_object_get(op->tree, "garbage"), op->at);
	} else {
		vmlog_line(&op->vm->log, LOG_WARN,
			"what is left of a snapshot stays for now: %s",
			op->step_err.text);
		op->at++;
	}
}

static enum job_state fail_revert(struct op_snapshot *op)
{
	err_wrap(&op->step_err,
		"a revert to '%s' was cut short and cannot be ended: ",
		mark(op, "name"));
	return job_fail_err(&op->job, &op->step_err);
}

static enum job_state mend_run(struct job *job)
{
	struct op_snapshot *op = container_of(job, struct op_snapshot, job);

	JOB_BEGIN(job);
	op->mends = true;
	if (!snapshot_step_read(op))
		return JOB_ENDS;
	if (reverting(op)) {
		SNAPSHOT_TRY(op, apply_marked(op, "tag"));
		if (!op->step_err.code)
			SNAPSHOT_TRY(
				op, snapshot_step_put(op, mark(op, "tag")));
		op->forward = !op->step_err.code;
		if (!op->forward)
			SNAPSHOT_TRY(op, apply_marked(op, "back"));
		if (!op->forward && !op->step_err.code)
			SNAPSHOT_TRY(
				op, snapshot_step_put(op, mark(op, "back")));
		if (op->step_err.code)
			return fail_revert(op);
		end_revert(op);
		SNAPSHOT_STEP(op, snapshot_step_save(op));
	}
	while (snapshot_step_garbage(op)) {
		SNAPSHOT_TRY(op, snapshot_step_drop(op));
		snapshot_step_dropped(op);
	}
	SNAPSHOT_STEP(op, snapshot_step_save(op));
	snapshots_settle_groups(&op->vm->env->paths);
	vmlog_line(&op->vm->log, LOG_INFO,
		"mended what was cut short of its snapshots");
	JOB_END(job);
}

void snapshot_step_cleanup(struct job *job)
{
	struct op_snapshot *op = container_of(job, struct op_snapshot, job);

	if (op->holds)
		op->vm->held = NULL;
	json_decref(op->tree);
	json_decref(op->images);
	json_decref(op->kept);
	json_decref(op->snapshot);
	snapshot_gate_forget(op->member, job);
	for (size_t i = 0; op->names && op->names[i]; i++)
		free(op->names[i]);
	free(op->names);
	free(op->name);
	free(op->description);
	free(op->to);
	free(op->tag);
	free(op->back);
	free(op);
}

const struct job_kind snapshot_step_mend_kind = { "snapshot-mend", mend_run,
	NULL, snapshot_step_cleanup };

struct op_snapshot *snapshot_step_begin(struct vm *vm,
	const struct job_kind *kind, const struct op_snapshot_wish *wish,
	op_snapshot_end *on_end, void *arg)
{
	struct op_snapshot *op = NEW(struct op_snapshot);
	size_t n = 0;

	op->vm = vm;
	if (wish) {
		op->name = wish->name ? xstrdup(wish->name) : NULL;
		op->memory = wish->memory;
		op->freeze = wish->freeze;
		op->scheduled = wish->scheduled;
		op->member = wish->member;
		op->tag = wish->tag ? xstrdup(wish->tag) : NULL;
		op->to = wish->to ? xstrdup(wish->to) : NULL;
		op->description = xstrdup(str_or(wish->description, ""));
		while (wish->names && wish->names[n])
			n++;
		op->names = xcalloc(n + 1, sizeof(*op->names));
		while (n-- > 0)
			op->names[n] = xstrdup(wish->names[n]);
	}
	job_start(&op->job, kind, vm->name, on_end, arg);
	return op;
}

void snapshot_step_hold(struct op_snapshot *op)
{
	op->holds = true;
	op->vm->held = "worked on: its snapshots";
}

void snapshot_step_mend(struct op_snapshot *op)
{
	op->step_err = (struct err)ERR_INIT;
	if (!snapshots_are_unfinished(op->vm))
		return;
	op->step = &snapshot_step_begin(
		op->vm, &snapshot_step_mend_kind, NULL, on_step_end, op)
			    ->job;
	op->step->parent = &op->job;
}
