/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of the disks of a running QEMU; see live_snapshot.h. */
#include "supervisor/live_snapshot.h"

#include <fcntl.h>

#include "base/durable.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"
#include "qmp/call.h"
#include "storage/image.h"
#include "supervisor/argv.h"
#include "supervisor/bitmaps.h"
#include "supervisor/live_copy.h"
#include "supervisor/live_image.h"
#include "supervisor/saved.h"
#include "supervisor/snapshot_still.h"
#include "supervisor/snapshots.h"

#define NODE   LIVE_COPY_OURS "memory"
#define JOB_ID LIVE_COPY_OURS "snapshot"

enum {
	STOPPED_MS = 600000, /* QEMU's monitor is silent all the while */
	LOOK_MS = 10,
	MEMORY_SIZE = 1024 * 1024 /* of the volume; its state has no limit */
};

struct live_snapshot {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	enum snapshot_act act;
	char *tag;
	json_t *disks;
	char *memory; /* path, or NULL */
	size_t at;
	struct live_image image; /* of the memory, on its way to QEMU */
	enum freeze freeze;      /* the guest's file systems, meanwhile */
	bool *frozen;
	struct gate_member *member; /* of several VMs at once; or NULL */
	bool step_ended;            /* a child */
	struct err step_err;
	bool ran;        /* the guest, before */
	struct err said; /* why QEMU's job failed */
	struct durable durable;
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

char *live_snapshot_memory(const struct vm *vm, const char *tag)
{
	AUTO_FREE char *dir = snapshots_dir(&vm->env->paths, vm->name);

	return xasprintf("%s/%s.qcow2", dir, tag);
}

static void on_step(struct job *job, void *arg)
{
	struct live_snapshot *op = arg;

	op->step_ended = true;
	op->step_err = job->err;
}

/* A child that must succeed. */
#define STEP(op, begin)                                                   \
	do {                                                              \
		(op)->step_ended = false;                                 \
		begin;                                                    \
		JOB_AWAIT(&(op)->job, (op)->step_ended, JOB_FOREVER);     \
		if ((op)->step_err.code)                                  \
			return job_fail_err(&(op)->job, &(op)->step_err); \
	} while (0)

/* ---- the disks ---- */

static const char *disk_at(const struct live_snapshot *op, size_t i)
{
	return member_text(json_array_get(op->disks, i), "disk");
}

/* The node that the guest writes to; new. */
static char *top_of(const struct live_snapshot *op, size_t i)
{
	const char *disk = disk_at(op, i);

	return argv_disk_top(
		op->vm->running ? spec_disk_of(op->vm->running, disk) : NULL,
		disk);
}

static json_t *node_of(const struct live_snapshot *op, size_t i)
{
	AUTO_FREE char *top = top_of(op, i);

	return json_string(top);
}

static const json_t *find_node(const json_t *nodes, const char *name)
{
	const json_t *node;
	size_t i;

	json_array_foreach(nodes, i, node)
	{
		if (str_eq(member_text(node, "node-name"), name))
			return node;
	}
	return NULL;
}

/* What QEMU has open has the tag. */
static bool has_tag(const struct live_snapshot *op, const char *name)
{
	const json_t *node = find_node(op->call.result, name);
	const json_t *snapshot;
	size_t i;

	json_array_foreach(
		json_object_get(json_object_get(node, "image"), "snapshots"), i,
		snapshot)
	{
		if (str_eq(member_text(snapshot, "name"), op->tag))
			return true;
	}
	return false;
}

/* All of them have it, but for a drop: that is of those that do. */
static bool look(struct live_snapshot *op)
{
	for (size_t i = json_array_size(op->disks); i-- > 0;) {
		AUTO_FREE char *name = top_of(op, i);

		if (has_tag(op, name))
			continue;
		if (op->act == SNAPSHOT_DROP) {
			json_array_remove(op->disks, i);
			continue;
		}
		job_fail(&op->job, ERR_STATE, "disk '%s' has no '%s' inside",
			disk_at(op, i), op->tag);
		return false;
	}
	return true;
}

static json_t *transaction(const struct live_snapshot *op)
{
	json_t *actions = json_array();

	for (size_t i = 0; i < json_array_size(op->disks); i++)
		json_array_append_new(actions,
			json_pack("{s:s,s:{s:o,s:s}}", "type",
				"blockdev-snapshot-internal-sync", "data",
				"device", node_of(op, i), "name", op->tag));
	return json_pack("{s:o}", "actions", actions);
}

/* ---- the guest's memory ---- */

static void make_volume(struct live_snapshot *op)
{
	const struct image_wish wish = {
		.path = op->memory, .format = "qcow2", .size = MEMORY_SIZE
	};
	AUTO_FREE char *dir = snapshots_dir(&op->vm->env->paths, op->vm->name);
	struct err err = ERR_INIT;

	if (fd_make_dirs(dir, 0700, &err) ||
		saved_check_space(op->vm, dir, &err)) {
		job_fail_err(&op->job, &err);
		return;
	}
	image_create_start(op->vm->env->qemu_img, &wish, op->vm->name, &op->job,
		on_step, op);
}

static bool open_volume(struct live_snapshot *op)
{
	struct err err = ERR_INIT;

	if (!live_image_open(&op->image, &err) &&
		!live_copy_mark(op->vm, "", &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

static json_t *volume_node(const struct live_snapshot *op)
{
	AUTO_FREE char *file = xasprintf("/dev/fdset/%d", op->image.set);

	return json_pack("{s:s,s:s,s:n,s:{s:s,s:s,s:s}}", "driver", "qcow2",
		"node-name", NODE, "backing", "file", "driver", "file",
		"node-name", NODE ".f", "filename", file);
}

/* From here on its STOP, RESET and RESUME are not the guest's. */
static void send_job(struct live_snapshot *op)
{
	json_t *devices = json_array();

	for (size_t i = 0; i < json_array_size(op->disks); i++)
		json_array_append_new(devices, node_of(op, i));
	json_array_append_new(devices, json_string(NODE));
	op->ran = op->vm->state == VM_RUNNING;
	op->vm->in_snapshot = true;
	qmp_call_start(&op->call, &op->job, QMP_OF(op),
		QMP_COMMAND_IN(STOPPED_MS,
			op->act == SNAPSHOT_MAKE ? "snapshot-save"
						 : "snapshot-load",
			json_pack("{s:s,s:s,s:s,s:o}", "job-id", JOB_ID, "tag",
				op->tag, "vmstate", NODE, "devices", devices)),
		false);
}

static void ask_jobs(struct live_snapshot *op)
{
	qmp_call_start(&op->call, &op->job, QMP_OF(op),
		QMP_COMMAND_IN(STOPPED_MS, "query-jobs", NULL), false);
}

/* QEMU's job has ended: its reason stands there until it is dismissed. */
static bool is_over(struct live_snapshot *op)
{
	const json_t *each;
	size_t i;

	json_array_foreach(op->call.result, i, each)
	{
		const char *id = json_string_value(json_object_get(each, "id"));
		const char *status =
			json_string_value(json_object_get(each, "status"));
		const char *error =
			json_string_value(json_object_get(each, "error"));

		if (!str_eq(str_or(id, ""), JOB_ID))
			continue;
		if (error)
			err_set(&op->said, ERR_QMP, "QEMU: %s", error);
		return str_eq(str_or(status, ""), "concluded");
	}
	err_set(&op->said, ERR_GONE, "QEMU knows nothing of it any more");
	return true;
}

static void start_close(struct live_snapshot *op)
{
	live_copy_reap_begin(op->vm, on_step, op)->parent = &op->job;
}

static void on_forgotten(struct job *job, void *arg)
{
	struct job *parent = arg;

	on_step(job, container_of(parent, struct live_snapshot, job));
}

/* QEMU reverts no disk with a dirty bitmap; the next backup is full. */
static void start_forget(struct live_snapshot *op)
{
	bitmaps_drop_begin(op->vm, BITMAPS_OTHERS, "", &op->job, on_forgotten);
}

/* All guests of a group at once. */
static void start_still(struct live_snapshot *op)
{
	snapshot_still_begin(op->vm, op->member, op->freeze, on_step, op)
		->parent = &op->job;
}

/* A successor must not let a guest go on whose disks are not its own. */
static bool unmark(struct live_snapshot *op)
{
	struct err err = ERR_INIT;

	if (op->act != SNAPSHOT_APPLY || !live_copy_mark(op->vm, "", &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

/* ---- the job ---- */

static bool uses_memory(const struct live_snapshot *op)
{
	return op->memory &&
	       (op->act == SNAPSHOT_MAKE || op->act == SNAPSHOT_APPLY);
}

/* QEMU has the volume open, by descriptor. */
static enum job_state memory_run(struct job *job)
{
	struct live_snapshot *op = container_of(job, struct live_snapshot, job);

	JOB_BEGIN(job);
	if (op->act == SNAPSHOT_MAKE)
		STEP(op, make_volume(op));
	if (!open_volume(op))
		return JOB_ENDS;
	while (live_image_send(&op->image, &op->call, job, QMP_OF(op), NODE)) {
		JOB_AWAIT(job, op->call.replied, JOB_FOREVER); /* has an end */
		live_image_sent(&op->image, &op->call);
	}
	QMP_CALL(job, &op->call, QMP_OF(op), "blockdev-add", volume_node(op));
	QMP_CALL(job, &op->call, QMP_OF(op), "query-named-block-nodes",
		json_pack("{s:b}", "flat", 1));
	if (op->act == SNAPSHOT_APPLY && !has_tag(op, NODE))
		return job_fail(job, ERR_STATE, "'%s' has no '%s' inside",
			op->memory, op->tag);
	if (op->act == SNAPSHOT_APPLY)
		STEP(op, start_forget(op));
	if (op->member)
		STEP(op, start_still(op));
	if (!unmark(op))
		return JOB_ENDS;
	send_job(op);
	JOB_AWAIT(job, op->call.replied, JOB_FOREVER); /* has an end */
	ask_jobs(op);
	JOB_AWAIT(job, op->call.replied, JOB_FOREVER); /* the same */
	while (!is_over(op)) {
		JOB_AWAIT_OR_TIMEOUT(job, !op->vm->machine.ready, LOOK_MS);
		ask_jobs(op);
		JOB_AWAIT(job, op->call.replied, JOB_FOREVER); /* the same */
	}
	if (op->said.code)
		return job_fail_err(job, &op->said);
	if (op->member && op->act == SNAPSHOT_APPLY) {
		JOB_AWAIT(job, snapshot_gate_pass(op->member, GATE_DONE, job),
			JOB_FOREVER); /* the others' jobs have ends */
		if (op->ran)
			QMP_CALL(job, &op->call, QMP_OF(op), "cont", NULL);
	}
	op->vm->in_snapshot = op->member != NULL;
	STEP(op, start_close(op));
	if (op->act == SNAPSHOT_MAKE)
		JOB_DURABLE(job, &op->durable,
			durable_path(&op->durable, job, op->memory));
	JOB_END(job);
}

/* QEMU reverts the disks first: the guest's memory does not fit them. */
static bool is_torn(const struct live_snapshot *op)
{
	return op->act == SNAPSHOT_APPLY && op->said.code;
}

static void tell_torn(struct live_snapshot *op)
{
	vm_post(op->vm, EV_GUEST_PAUSED);
	vm_set_note(op->vm,
		"its disks were reverted, its memory was not (%s): kill it, "
		"and it starts from there",
		op->said.text);
	vmlog_line(&op->vm->log, LOG_ERROR, "%s", op->vm->note);
}

/* The guest goes on where it was, if QEMU left it stopped. */
static enum job_state memory_undo(struct job *job)
{
	struct live_snapshot *op = container_of(job, struct live_snapshot, job);

	JOB_BEGIN(job);
	if (!op->vm->machine.ready)
		return JOB_ENDS;
	if (is_torn(op))
		tell_torn(op);
	else if (op->vm->in_snapshot && op->ran)
		QMP_TRY(job, &op->call, QMP_OF(op), "cont", NULL);
	STEP(op, start_close(op));
	JOB_END(job);
}

/* The mark tells whoever takes it away, us or a successor, to thaw it. */
static void start_freeze(struct live_snapshot *op)
{
	struct err err = ERR_INIT;

	if (live_copy_mark(op->vm, LIVE_COPY_FROZEN, &err))
		job_fail_err(&op->job, &err);
	else
		freeze_begin(op->vm, true, &op->job, on_step, op);
}

/* Without an agent that may be no matter. */
static bool may_go_on(struct live_snapshot *op)
{
	*op->frozen = !op->step_err.code;
	if (op->step_err.code && op->freeze == FREEZE_YES)
		job_fail_err(&op->job, &op->step_err);
	return !op->job.err.code;
}

/* The images alone: the guest runs on, its writes wait for a moment. */
static enum job_state make_run(struct job *job)
{
	struct live_snapshot *op = container_of(job, struct live_snapshot, job);

	JOB_BEGIN(job);
	if (op->freeze) {
		op->step_ended = false;
		start_freeze(op);
		JOB_AWAIT(job, op->step_ended, JOB_FOREVER); /* its own */
		if (!may_go_on(op))
			return JOB_ENDS;
	}
	if (op->member)
		STEP(op, start_still(op));
	QMP_CALL(job, &op->call, QMP_OF(op), "transaction", transaction(op));
	if (op->freeze || op->member)
		STEP(op, start_close(op));
	JOB_END(job);
}

static enum job_state make_undo(struct job *job)
{
	struct live_snapshot *op = container_of(job, struct live_snapshot, job);

	JOB_BEGIN(job);
	if ((!op->freeze && !op->member) || !op->vm->machine.ready)
		return JOB_ENDS;
	STEP(op, start_close(op));
	JOB_END(job);
}

static enum job_state disks_run(struct job *job)
{
	struct live_snapshot *op = container_of(job, struct live_snapshot, job);

	JOB_BEGIN(job);
	QMP_CALL(job, &op->call, QMP_OF(op), "query-named-block-nodes",
		json_pack("{s:b}", "flat", 1));
	if (!look(op))
		return JOB_ENDS;
	if (op->act == SNAPSHOT_APPLY)
		return job_fail(
			job, ERR_STATE, "it has no memory: stop the VM first");
	for (; op->act == SNAPSHOT_DROP && op->at < json_array_size(op->disks);
		op->at++)
		QMP_CALL(job, &op->call, QMP_OF(op),
			"blockdev-snapshot-delete-internal-sync",
			json_pack("{s:o,s:s}", "device", node_of(op, op->at),
				"name", op->tag));
	JOB_END(job);
}

static void cleanup(struct job *job)
{
	struct live_snapshot *op = container_of(job, struct live_snapshot, job);

	op->vm->in_snapshot = false;
	snapshot_gate_forget(op->member, job);
	durable_stop(&op->durable);
	live_image_fini(&op->image);
	qmp_call_fini(&op->call);
	json_decref(op->disks);
	free(op->tag);
	free(op->memory);
	free(op);
}

struct job *live_snapshot_start(struct vm *vm,
	const struct live_snapshot_wish *wish, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg)
{
	static const struct job_kind disks = { "live-snapshot", disks_run, NULL,
		cleanup };
	static const struct job_kind make = { "live-snapshot-make", make_run,
		make_undo, cleanup };
	static const struct job_kind memory = { "live-snapshot-memory",
		memory_run, memory_undo, cleanup };
	struct live_snapshot *op = NEW(struct live_snapshot);

	op->vm = vm;
	op->act = wish->act;
	op->tag = xstrdup(wish->tag);
	op->disks = json_copy(wish->disks);
	op->memory = wish->memory ? live_snapshot_memory(vm, wish->tag) : NULL;
	op->freeze = wish->freeze;
	op->frozen = wish->frozen;
	op->member = wish->member;
	live_image_init(&op->image, NULL, str_or(op->memory, ""), "qcow2");
	job_start(&op->job,
		uses_memory(op)            ? &memory
		: op->act == SNAPSHOT_MAKE ? &make
					   : &disks,
		vm->name, on_end, arg);
	op->job.parent = parent;
	return &op->job;
}
