/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work on the snapshots of a VM that is down; see op_snapshot.h. */
#include "supervisor/op_snapshot.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/mounts.h"
#include "supervisor/nonvolatile.h"
#include "supervisor/snapshot_disks.h"
#include "supervisor/snapshot_fit.h"
#include "supervisor/snapshot_step.h"
#include "supervisor/snapshots.h"

char *op_snapshot_tag(const char *name)
{
	uint64_t random = 0;

	if (sys_random(&random, sizeof(random)) < 0)
		random = sys_now_us();
	return xasprintf("%s.%016" PRIx64, name, random);
}

int op_snapshot_check(const struct vm *vm, struct err *err)
{
	bool live = snapshot_step_is_live(vm);

	if (vm->state != VM_STOPPED && vm->state != VM_FAILED && !live)
		return err_set(err, ERR_STATE, "it is %s", vm_state_word(vm));
	if (vm_check_free(vm, err))
		return -1;
	if (live ? snapshot_fit_live(vm, err) : vm_check_files(vm, err))
		return -1;
	return env_needs_qemu_img(vm->env, err);
}

static json_t *images_of(const json_t *snapshot)
{
	json_t *images = json_array();
	const json_t *disk;
	size_t i;

	json_array_foreach(json_object_get(snapshot, "disks"), i, disk)
		json_array_append(images, json_object_get(disk, "path"));
	return images;
}

/* While it works the VM does not start. */
static struct job *begin(struct vm *vm, const struct job_kind *kind,
	const struct op_snapshot_wish *wish, op_snapshot_end *on_end, void *arg)
{
	struct op_snapshot *op =
		snapshot_step_begin(vm, kind, wish, on_end, arg);

	snapshot_step_hold(op);
	return &op->job;
}

/* ---- create ---- */

/* Its name, its tag, its images: written as garbage. */
static bool plan_create(struct op_snapshot *op)
{
	struct err err = ERR_INIT;
	struct err ignored = ERR_INIT;
	AUTO_JSON json_t *disks = json_array();

	if (!op->name)
		op->name = snapshots_new_name(op->tree, sys_realtime_us());
	else if (snapshots_find(op->tree, op->name, &ignored))
		err_set(&err, ERR_EXISTS, "snapshot '%s' exists already",
			op->name);
	op->live = snapshot_step_is_live(op->vm);
	if (!err.code && op->live)
		(void)!snapshot_fit_live(op->vm, &err);
	if (!err.code && (op->memory || op->freeze == FREEZE_YES) && !op->live)
		err_set(&err, ERR_STATE, "it is down");
	if (!err.code)
		(void)!snapshot_disks_check(op->vm, &err);
	if (err.code) {
		job_fail_err(&op->job, &err);
		return false;
	}
	if (!op->tag)
		op->tag = op_snapshot_tag(op->name);
	op->images = json_array();
	snapshot_disks_list(op->vm, disks, op->images);
	if (op->member)
		snapshots_add_making(op->tree, op->tag, op->images);
	else
		snapshots_add_garbage(op->tree, op->tag, op->images);
	return true;
}

/* The VM as it is now. */
static void describe(struct op_snapshot *op)
{
	json_t *disks = json_array();
	AUTO_JSON json_t *images = json_array();
	char time[32];

	snapshot_disks_list(op->vm, disks, images);
	vmlog_time(sys_realtime_us(), time);
	op->snapshot = json_pack("{s:s,s:s,s:s,s:s,s:b,s:o}", "name", op->name,
		"time", time, "description", op->description, "tag", op->tag,
		"memory", op->memory, "disks", disks);
	if (op->frozen)
		json_object_set_new(op->snapshot, "frozen", json_true());
	if (op->scheduled)
		json_object_update_new(op->snapshot,
			json_pack("{s:b,s:I}", "scheduled", 1, "time-us",
				(json_int_t)sys_realtime_us()));
	snapshot_fit_describe(op->vm, op->snapshot);
	nonvolatile_describe(op->vm, op->kept, op->snapshot);
}

static void add_snapshot(struct op_snapshot *op)
{
	snapshots_drop_garbage(op->tree, op->tag);
	snapshots_add_steal(op->tree, json_incref(op->snapshot));
}

json_t *op_snapshot_made(const struct job *job)
{
	return snapshot_step_op(job)->snapshot;
}

static enum job_state create_run(struct job *job)
{
	struct op_snapshot *op = container_of(job, struct op_snapshot, job);

	JOB_BEGIN(job);
	SNAPSHOT_BEGIN(op);
	if (!plan_create(op))
		return JOB_ENDS;
	SNAPSHOT_STEP(op, snapshot_step_save(op));
	op->marked = true;
	SNAPSHOT_GATE(op, GATE_PLANNED);
	if (!op->live) /* it stands still */
		snapshot_gate_reach(op->member, GATE_STOPPED);
	if (!snapshot_step_look(op))
		return JOB_ENDS;
	SNAPSHOT_STEP(
		op, snapshot_step_act(op, SNAPSHOT_MAKE, op->tag, op->images));
	SNAPSHOT_STEP(op, snapshot_step_keep(op, op->tag));
	describe(op);
	SNAPSHOT_GATE(op, GATE_DONE);
	SNAPSHOT_GATE(op, GATE_WRITTEN);
	add_snapshot(op);
	SNAPSHOT_STEP(op, snapshot_step_save(op));
	op->committed = true;
	snapshot_step_tell(op, "created");
	JOB_END(job);
}

/* Its name may stand in the file already. */
static void unmake(struct op_snapshot *op)
{
	struct err ignored = ERR_INIT;
	const json_t *found = snapshots_find(op->tree, op->name, &ignored);

	if (!found || !str_eq(member_text(found, "tag"), op->tag))
		return;
	snapshots_remove(op->tree, op->name);
	snapshots_add_garbage(op->tree, op->tag, op->images);
}

/* What was made of it goes; if that fails it is tried again later. */
static enum job_state create_undo(struct job *job)
{
	struct op_snapshot *op = container_of(job, struct op_snapshot, job);

	JOB_BEGIN(job);
	if (!op->marked || op->committed ||
		snapshot_gate_is_written(op->member) || !snapshot_step_read(op))
		return JOB_ENDS;
	unmake(op);
	op->live = false; /* it may be gone */
	op->mends = true; /* what does not fit leaves leaks */
	SNAPSHOT_STEP(op, snapshot_step_save(op));
	SNAPSHOT_STEP(
		op, snapshot_step_act(op, SNAPSHOT_DROP, op->tag, op->images));
	snapshots_drop_garbage(op->tree, op->tag);
	snapshot_step_forget(op, op->tag);
	SNAPSHOT_STEP(op, snapshot_step_save(op));
	JOB_END(job);
}

static const struct job_kind create_kind = { "snapshot-create", create_run,
	create_undo, snapshot_step_cleanup };

struct job *op_snapshot_create(struct vm *vm,
	const struct op_snapshot_wish *wish, op_snapshot_end *on_end, void *arg)
{
	return begin(vm, &create_kind, wish, on_end, arg);
}

/* ---- revert ---- */

/* QEMU takes all of it from the memory; of one that is down we do. */
static int fits_now(
	const struct op_snapshot *op, const json_t *snapshot, struct err *err)
{
	AUTO_FREE char *kept =
		snapshot_step_kept(op, member_text(snapshot, "tag"));

	if (!snapshot_step_is_live(op->vm))
		return nonvolatile_fit(op->vm, snapshot, kept, err);
	return snapshot_fit_live(op->vm, err) ||
			       snapshot_fit_check(op->vm, snapshot, err)
		       ? -1
		       : 0;
}

static bool plan_revert(struct op_snapshot *op)
{
	struct err err = ERR_INIT;
	const json_t *snapshot = snapshots_find(op->tree, op->name, &err);

	if (!snapshot ||
		snapshot_disks_compare(
			op->vm, json_object_get(snapshot, "disks"), &err) ||
		fits_now(op, snapshot, &err)) {
		job_fail_err(&op->job, &err);
		return false;
	}
	op->tag = xstrdup(member_text(snapshot, "tag"));
	op->memory = op->live = snapshot_step_is_live(op->vm);
	op->back = op_snapshot_tag("before");
	op->images = images_of(snapshot);
	if (!op->live)
		snapshots_add_garbage(op->tree, op->back, op->images);
	return true;
}

static void mark_revert(struct op_snapshot *op)
{
	json_object_set_new(op->tree, "reverting",
		json_pack("{s:s,s:s,s:s,s:O}", "name", op->name, "tag", op->tag,
			"back", op->back, "images", op->images));
}

static void unmark(struct op_snapshot *op)
{
	json_object_del(op->tree, "reverting");
}

static void end_back(struct op_snapshot *op)
{
	if (op->step_err.code)
		return;
	snapshots_drop_garbage(op->tree, op->back);
	snapshot_step_forget(op, op->back);
}

/* A crash loop's: the record tells it when QEMU is there. */
static void note_reverted(struct op_snapshot *op)
{
	op->committed = true;
	if (op->vm->record.revert == REVERT_DUE)
		op->vm->record.revert = REVERT_DONE;
	snapshot_step_tell(op, "reverted");
}

static enum job_state revert_run(struct job *job)
{
	struct op_snapshot *op = container_of(job, struct op_snapshot, job);

	JOB_BEGIN(job);
	SNAPSHOT_BEGIN(op);
	if (!plan_revert(op))
		return JOB_ENDS;
	SNAPSHOT_STEP(
		op, snapshot_step_act(op, SNAPSHOT_LOOK, op->tag, op->images));
	SNAPSHOT_GATE(op, GATE_PLANNED);
	if (!op->live)
		snapshot_gate_reach(op->member, GATE_DONE);
	if (op->live) { /* QEMU does it, or nothing */
		SNAPSHOT_STEP(op, snapshot_step_act(op, SNAPSHOT_APPLY, op->tag,
					  op->images));
		snapshots_set_current(op->tree, op->name);
		SNAPSHOT_STEP(op, snapshot_step_save(op));
		note_reverted(op);
		return JOB_ENDS;
	}
	SNAPSHOT_STEP(op, snapshot_step_save(op));
	op->marked = true;
	if (!snapshot_step_look(op))
		return JOB_ENDS;
	SNAPSHOT_STEP(op, snapshot_step_keep(op, op->back));
	SNAPSHOT_STEP(
		op, snapshot_step_act(op, SNAPSHOT_MAKE, op->back, op->images));
	mark_revert(op);
	SNAPSHOT_STEP(op, snapshot_step_save(op));
	SNAPSHOT_STEP(
		op, snapshot_step_act(op, SNAPSHOT_APPLY, op->tag, op->images));
	SNAPSHOT_STEP(op, snapshot_step_put(op, op->tag));
	unmark(op);
	snapshots_set_current(op->tree, op->name);
	SNAPSHOT_STEP(op, snapshot_step_save(op));
	note_reverted(op);
	SNAPSHOT_TRY(
		op, snapshot_step_act(op, SNAPSHOT_DROP, op->back, op->images));
	end_back(op);
	SNAPSHOT_STEP(op, snapshot_step_save(op));
	JOB_END(job);
}

/* The disks hold again what they held before. */
static enum job_state revert_undo(struct job *job)
{
	struct op_snapshot *op = container_of(job, struct op_snapshot, job);

	JOB_BEGIN(job);
	if (!op->marked || op->committed || !snapshot_step_read(op))
		return JOB_ENDS;
	if (json_object_get(op->tree, "reverting")) {
		SNAPSHOT_STEP(op, snapshot_step_act(op, SNAPSHOT_APPLY,
					  op->back, op->images));
		SNAPSHOT_STEP(op, snapshot_step_put(op, op->back));
		unmark(op);
		SNAPSHOT_STEP(op, snapshot_step_save(op));
	}
	op->mends = true; /* the same */
	SNAPSHOT_TRY(
		op, snapshot_step_act(op, SNAPSHOT_DROP, op->back, op->images));
	end_back(op);
	SNAPSHOT_STEP(op, snapshot_step_save(op));
	JOB_END(job);
}

static const struct job_kind revert_kind = { "snapshot-revert", revert_run,
	revert_undo, snapshot_step_cleanup };

struct job *op_snapshot_revert(struct vm *vm,
	const struct op_snapshot_wish *wish, op_snapshot_end *on_end, void *arg)
{
	return begin(vm, &revert_kind, wish, on_end, arg);
}

/* ---- delete, rename ---- */

/* All of them become garbage, or none. */
static bool plan_delete(struct op_snapshot *op)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; op->names[i]; i++) {
		const json_t *snapshot =
			snapshots_find(op->tree, op->names[i], &err);
		AUTO_JSON json_t *images = images_of(snapshot);

		if (snapshot &&
			mounts_has(op->vm->name, member_text(snapshot, "tag")))
			err_set(&err, ERR_BUSY,
				"snapshot '%s' is mounted: vmward snapshot "
				"unmount %s %s",
				op->names[i], op->vm->name, op->names[i]);
		if (err.code) {
			job_fail_err(&op->job, &err);
			return false;
		}
		snapshots_add_garbage(
			op->tree, member_text(snapshot, "tag"), images);
		snapshots_remove(op->tree, op->names[i]);
	}
	return true;
}

static void tell_deleted(struct op_snapshot *op)
{
	for (size_t i = 0; op->names[i]; i++) {
		free(op->name);
		op->name = xstrdup(op->names[i]);
		snapshot_step_tell(op, "deleted");
	}
}

/* They are gone with the first save; the rest only gives back the space. */
static enum job_state delete_run(struct job *job)
{
	struct op_snapshot *op = container_of(job, struct op_snapshot, job);

	JOB_BEGIN(job);
	SNAPSHOT_BEGIN(op);
	if (!plan_delete(op))
		return JOB_ENDS;
	SNAPSHOT_GATE(op, GATE_PLANNED);
	SNAPSHOT_STEP(op, snapshot_step_save(op));
	tell_deleted(op);
	while (snapshot_step_garbage(op)) {
		SNAPSHOT_TRY(op, snapshot_step_drop(op));
		snapshot_step_dropped(op);
	}
	SNAPSHOT_STEP(op, snapshot_step_save(op));
	JOB_END(job);
}

static const struct job_kind delete_kind = { "snapshot-delete", delete_run,
	NULL, snapshot_step_cleanup };

struct job *op_snapshot_delete(struct vm *vm,
	const struct op_snapshot_wish *wish, op_snapshot_end *on_end, void *arg)
{
	return begin(vm, &delete_kind, wish, on_end, arg);
}

static bool plan_rename(struct op_snapshot *op)
{
	struct err err = ERR_INIT;
	struct err ignored = ERR_INIT;

	if (snapshots_find(op->tree, op->name, &err) &&
		snapshots_find(op->tree, op->to, &ignored))
		err_set(&err, ERR_EXISTS, "snapshot '%s' exists already",
			op->to);
	if (err.code) {
		job_fail_err(&op->job, &err);
		return false;
	}
	snapshots_rename(op->tree, op->name, op->to);
	return true;
}

static enum job_state rename_run(struct job *job)
{
	struct op_snapshot *op = container_of(job, struct op_snapshot, job);

	JOB_BEGIN(job);
	if (!snapshot_step_read(op) || !plan_rename(op))
		return JOB_ENDS;
	SNAPSHOT_STEP(op, snapshot_step_save(op));
	snapshot_step_tell(op, "renamed");
	JOB_END(job);
}

static const struct job_kind rename_kind = { "snapshot-rename", rename_run,
	NULL, snapshot_step_cleanup };

struct job *op_snapshot_rename(struct vm *vm,
	const struct op_snapshot_wish *wish, op_snapshot_end *on_end, void *arg)
{
	return &snapshot_step_begin(vm, &rename_kind, wish, on_end, arg)->job;
}

const char *op_snapshot_name(const struct job *job)
{
	return snapshot_step_op(job)->name;
}

const char *op_snapshot_action(const struct job *job)
{
	return str_or(snapshot_step_op(job)->action, "");
}

/* ---- around a start ---- */

struct job *op_snapshot_before_start(
	struct vm *vm, struct job *parent, op_snapshot_end *on_end)
{
	const struct op_snapshot_wish wish = {
		.name = vm->spec->restart.on_crash_loop.text
	};
	bool due = vm->record.revert == REVERT_DUE;
	struct job *job;

	if (!due && !snapshots_are_unfinished(vm))
		return NULL;
	job = &snapshot_step_begin(vm,
		due ? &revert_kind : &snapshot_step_mend_kind,
		due ? &wish : NULL, on_end, parent)
		       ->job;
	job->parent = parent;
	return job;
}

static void on_mended(struct job *job, void *arg)
{
	struct vm *vm = arg;

	vm->mending = false;
	vm_job_over(job, vm);
	vm_wake_jobs(vm);
}

void op_snapshot_recover(struct vm *vm)
{
	if (!snapshots_are_unfinished(vm))
		return;
	vm->mending = true;
	vm_job_add(
		vm, begin(vm, &snapshot_step_mend_kind, NULL, on_mended, vm));
}
