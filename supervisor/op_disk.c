/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plugging a disk in and out of a running VM.  Attach is undone wholly when
 * any step fails.  Detach waits for the guest: a guest that keeps the disk
 * leaves the unplug pending in QEMU, and the job stays behind as a watcher
 * that finishes it when the guest lets go.
 */
#include "supervisor/op.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "qmp/call.h"
#include "supervisor/chain_open.h"
#include "supervisor/chain_record.h"
#include "supervisor/disk_close.h"
#include "supervisor/image_plan.h"
#include "supervisor/running.h"
#include "supervisor/throttle.h"
#include "supervisor/unplug.h"

#define IMAGE_GONE_MS 10000
#define LET_GO_MS     10000
#define UNLOCK_MS     180000

struct op_disk {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	struct qmp_sub sub;
	struct spec_disk *disk; /* attach: owned until it is plugged */
	json_t *pairs;          /* what the disk was made of */
	char id[32];            /* "disk-data": device and node */
	char name[24];
	int slot; /* root port, or -1 */
	json_t *device;
	json_t *there;      /* reap: QEMU's devices */
	struct chain chain; /* attach: its images, open until QEMU has them */
	size_t depth;       /* of the one at work */
	bool closed;        /* the child that closes its nodes has ended */
	struct err close_err;
	struct err secret_err;
	struct image_create *image;
	struct pool_claim claim; /* of its pool's quota */
	bool image_ended;
	struct err image_err;
	char *made; /* the image that this job makes; or NULL */
	/* for the undo: what QEMU was asked for, and may do later */
	bool slot_taken, node_asked, device_asked;
	bool deleted; /* DEVICE_DELETED came */
	bool refused; /* DEVICE_UNPLUG_GUEST_ERROR came */
	bool written; /* reap: the edit of the drop-in has ended */
	struct err write_err;
	size_t mark; /* reap: of those that are to be written */
	int64_t timeout_ms;
	op_detach_pending_fn *on_pending;
	void *pending_arg;
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)
static void name_it(struct op_disk *op, const char *name)
{
	snprintf(op->name, sizeof(op->name), "%s", name);
	snprintf(op->id, sizeof(op->id), "disk-%s", name);
}

/* ---- attach ---- */

static void on_image_end(struct job *job, void *arg)
{
	struct op_disk *op = arg;

	op->image_ended = true;
	op->image_err = job->err;
	op->image = NULL;
	pool_claim_release(&op->claim);
}

/* Starts to make a missing image: 1; nothing to make: 0; -1. */
static int make_image(struct op_disk *op)
{
	struct vm *vm = op->vm;
	struct image_plan plan;
	int need = image_plan_make(vm->running, op->disk, &vm->env->paths,
		&plan, &op->claim, &op->job.err);

	if (need > 0) {
		op->made = xstrdup(plan.path);
		op->image = image_create_start(vm->env->qemu_img, &plan.wish,
			vm->name, &op->job, on_image_end, op);
	}
	image_plan_fini(&plan);
	return need;
}

static bool wants_port(const struct vm *vm)
{
	return str_starts(vm->record.machine, "q35") ||
	       str_starts(vm->record.machine, "pc-q35");
}

static int prepare(struct op_disk *op, struct err *err)
{
	struct vm *vm = op->vm;
	const struct chains_from from = { .spec = vm->running,
		.paths = &vm->env->paths,
		.known = chain_record(vm) };

	if (wants_port(vm)) {
		op->slot = argv_take_slot(&vm->slots, op->id, err);
		if (op->slot < 0)
			return -1;
		op->slot_taken = true;
	}
	op->device = argv_disk_device(vm->running, op->disk, op->slot, 0, err);
	if (!op->device || chains_open_disk(&op->chain, &from, op->disk, err))
		return -1;
	op->depth = op->chain.n;
	return argv_disk_check(op->disk, &op->chain, err);
}

/* QEMU knows it by that name; closed here. */
static void pass_fd(struct op_disk *op, const char *name, int set, int *fd)
{
	json_t *args = json_pack("{s:s}", "opaque", name);

	if (set >= 0)
		json_object_set_new(args, "fdset-id", json_integer(set));
	qmp_call_start(&op->call, &op->job, QMP_OF(op),
		&(struct qmp_command){ "add-fd", args, 0, *fd }, false);
	fd_close(fd);
}

/* Gives QEMU the next descriptor of the image at work; false: it has all. */
static bool send_fd(struct op_disk *op)
{
	struct chain_image *image = &op->chain.at[op->depth];
	int *fd = image->write_fd >= 0 ? &image->write_fd : &image->fd;
	AUTO_FREE char *name =
		argv_disk_fd_name(op->disk, &op->chain, op->depth);

	if (*fd < 0)
		return false;
	pass_fd(op, name, image->set, fd);
	return true;
}

/*
 * The password comes by a descriptor as well; false: there is none.  QEMU
 * reads it once, from the number that it says.
 */
static bool send_secret(struct op_disk *op)
{
	AUTO_FREE char *name = argv_disk_secret_id(op->name);

	if (op->chain.secret_fd <= 0)
		return false;
	pass_fd(op, name, -1, &op->chain.secret_fd);
	op->chain.secret_fd = 0;
	return true;
}

static int note_secret(struct op_disk *op)
{
	op->chain.secret_as = (int)json_integer_value(
		json_object_get(op->call.result, "fdset-id"));
	return (int)json_integer_value(json_object_get(op->call.result, "fd"));
}

static void note_set(struct op_disk *op)
{
	op->chain.at[op->depth].set = (int)json_integer_value(
		json_object_get(op->call.result, "fdset-id"));
}

static json_t *node_of(const struct op_disk *op)
{
	struct argv_host host = { .images = op->vm->env->paths.images,
		.io_uring = op->vm->env->io_uring };

	return argv_disk_node(op->disk, &host, &op->chain, op->depth);
}

/* A key of LUKS is seconds of a processor, which others may want. */
static void send_node(struct op_disk *op)
{
	qmp_call_start(&op->call, &op->job, QMP_OF(op),
		QMP_COMMAND_IN(op->chain.encrypted ? UNLOCK_MS : 0,
			"blockdev-add", node_of(op)),
		false);
}

static void save_slots(struct vm *vm)
{
	record_name_slots(&vm->record, vm->slots.names);
	vm_record(vm, NULL);
}

/* What the job knew of the VM may be gone with its QEMU. */
static enum job_state fail_gone(struct job *job)
{
	return job_fail(job, ERR_GONE, "QEMU is gone");
}

static void note_unlimited(struct op_disk *op)
{
	if (op->call.err.code)
		vmlog_line(&op->vm->log, LOG_WARN, "disk %s has no limits: %s",
			op->name, op->call.err.text);
}

static enum job_state attach_run(struct job *job)
{
	struct op_disk *op = container_of(job, struct op_disk, job);

	JOB_BEGIN(job);
	if (!op->vm->machine.ready)
		return fail_gone(job);
	if (argv_disk_may_plug(op->disk, op->vm->record.machine, &job->err))
		return JOB_ENDS;
	if (make_image(op) > 0) {
		JOB_AWAIT(job, op->image_ended, JOB_FOREVER); /* its own */
		if (op->image_err.code)
			return job_fail_err(job, &op->image_err);
	}
	if (!op->vm->machine.ready)
		return fail_gone(job);
	if (job->err.code || prepare(op, &job->err))
		return JOB_ENDS;
	op->node_asked = true;
	if (send_secret(op)) {
		JOB_AWAIT(job, op->call.replied, JOB_FOREVER);
		QMP_TRY(job, &op->call, QMP_OF(op), "object-add",
			argv_disk_secret(op->disk, note_secret(op)));
		op->secret_err = op->call.err;
		QMP_CALL(job, &op->call, QMP_OF(op), "remove-fd",
			json_pack("{s:i}", "fdset-id", op->chain.secret_as));
		if (op->secret_err.code)
			return job_fail_err(job, &op->secret_err);
	}
	while (op->depth-- > 0) {
		while (send_fd(op)) {
			JOB_AWAIT(job, op->call.replied, JOB_FOREVER);
			note_set(op);
		}
		send_node(op);
		JOB_AWAIT(job, op->call.replied, JOB_FOREVER);
	}
	op->device_asked = true;
	QMP_CALL(job, &op->call, QMP_OF(op), "device_add", TAKE(op->device));
	if (throttle_limits(&op->disk->limits)) {
		QMP_TRY(job, &op->call, QMP_OF(op), THROTTLE_COMMAND,
			throttle_arguments(op->disk, &op->disk->limits));
		note_unlimited(op);
	}
	if (!op->vm->machine.ready) /* since it answered */
		return fail_gone(job);
	save_slots(op->vm);
	chain_record_put_disk(op->vm, op->name, &op->chain);
	running_add_disk_steal(op->vm, TAKE(op->disk), TAKE(op->pairs));
	JOB_END(job);
}

static void on_closed(struct job *job, void *arg)
{
	struct op_disk *op = arg;

	op->closed = true;
	op->close_err = job->err;
}

static void start_close(struct op_disk *op)
{
	op->closed = false;
	disk_close_start(op->vm, op->name, &op->job, on_closed, op);
}

/* An image that nothing but this attempt knows. */
static void unmake(struct op_disk *op)
{
	if (op->made && op->image_ended && !op->image_err.code &&
		sys_unlinkat(AT_FDCWD, op->made, 0))
		vmlog_line(&op->vm->log, LOG_WARN, "cannot remove '%s': %s",
			op->made, strerror(errno));
}

/* ---- detach ---- */

static void on_event(struct qmp_sub *sub, const struct qmp_event *ev)
{
	struct op_disk *op = container_of(sub, struct op_disk, sub);

	if (!str_eq(qmp_event_string(ev, "device"), op->id))
		return;
	op->deleted |= ev->type == QMP_EV_DEVICE_DELETED;
	op->refused |= ev->type == QMP_EV_DEVICE_UNPLUG_GUEST_ERROR;
	job_wake(&op->job);
}

static json_t *device_id(const struct op_disk *op)
{
	return json_pack("{s:s}", "id", op->id);
}

static bool already_asked(const struct op_disk *op)
{
	return strstr(op->call.err.text, "already in the process of unplug");
}

/* The guest keeps it: who asked is told, the job goes on watching. */
static void tell_pending(struct op_disk *op)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_GUEST,
		op->refused ? "the guest refuses to let disk '%s' go"
			    : "the guest does not let disk '%s' go; it will "
			      "be closed when it does",
		op->name);
	if (op->on_pending)
		op->on_pending(&op->job, op->pending_arg, &err);
	op->on_pending = NULL;
	vm_job_phase(op->vm, &op->job, "pending");
}

static bool over(const struct op_disk *op)
{
	return op->deleted || !op->vm->machine.ready;
}

static void free_slot(struct op_disk *op)
{
	argv_drop_slot(&op->vm->slots, op->id);
	save_slots(op->vm);
}

static enum job_state detach_run(struct job *job)
{
	struct op_disk *op = container_of(job, struct op_disk, job);

	JOB_BEGIN(job);
	if (!op->vm->machine.ready)
		return fail_gone(job);
	qmp_subscribe(QMP_OF(op), &op->sub, on_event);
	QMP_TRY(job, &op->call, QMP_OF(op), "device_del", device_id(op));
	if (op->call.err.code && !already_asked(op))
		return job_fail_err(job, &op->call.err);
	JOB_AWAIT_OR_TIMEOUT(job, over(op) || op->refused, op->timeout_ms);
	if (!over(op)) {
		tell_pending(op);
		JOB_AWAIT(job, over(op), JOB_FOREVER); /* the guest's choice */
	}
	if (!op->deleted)
		return fail_gone(job);
	start_close(op);
	JOB_AWAIT(job, op->closed, JOB_FOREVER); /* its own */
	if (op->close_err.code)
		return job_fail_err(job, &op->close_err);
	if (!op->vm->machine.ready)
		return fail_gone(job);
	free_slot(op);
	running_drop_disk(op->vm, op->name);
	JOB_END(job);
}

/* ---- attach, undone ---- */

/*
 * QEMU takes commands in their order: what it did not answer in time it may
 * still do, and what undoes it comes behind.
 */
static bool is_unanswered(const struct op_disk *op)
{
	return op->job.err.code == ERR_TIMEOUT ||
	       op->job.err.code == ERR_CANCELLED;
}

static bool may_have_device(const struct op_disk *op)
{
	return op->device_asked && is_unanswered(op) && !over(op);
}

static bool may_have_node(const struct op_disk *op)
{
	return op->node_asked && op->vm->machine.ready;
}

static void forget_attach(struct op_disk *op)
{
	if (may_have_device(op)) {
		vmlog_line(&op->vm->log, LOG_WARN,
			"disk %s: QEMU does not answer, it may be plugged in "
			"all the same",
			op->name);
		return;
	}
	if (op->slot_taken)
		argv_drop_slot(&op->vm->slots, op->id);
	unmake(op);
}

static enum job_state attach_undo(struct job *job)
{
	struct op_disk *op = container_of(job, struct op_disk, job);

	JOB_BEGIN(job);
	if (op->image) {
		job_cancel(&op->image->job);
		JOB_AWAIT(job, op->image_ended, IMAGE_GONE_MS);
	}
	if (may_have_device(op)) {
		qmp_subscribe(QMP_OF(op), &op->sub, on_event);
		QMP_TRY(job, &op->call, QMP_OF(op), "device_del",
			device_id(op));
		op->deleted |= op->call.err.code == ERR_NOT_FOUND;
		if (!op->call.err.code)
			JOB_AWAIT_OR_TIMEOUT(job, over(op), LET_GO_MS);
	}
	if (may_have_node(op)) {
		start_close(op);
		JOB_AWAIT(job, op->closed, JOB_FOREVER); /* its own */
	}
	forget_attach(op);
	JOB_END(job);
}

/* ---- what the guest let go while nobody waited for it ---- */

static bool is_there(const struct op_disk *op, const char *id)
{
	json_t *item;
	size_t i;

	json_array_foreach(op->there, i, item)
	{
		const char *name =
			json_string_value(json_object_get(item, "name"));

		if (name && str_eq(name, id))
			return true;
	}
	return false;
}

/* The next disk of ours whose device QEMU has no longer. */
static bool find_gone(struct op_disk *op)
{
	list_each(&op->vm->running->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);

		if (disk->bus != BUS_VIRTIO)
			continue;
		name_it(op, disk->name);
		if (!is_there(op, op->id))
			return true;
	}
	return false;
}

static void on_written(struct job *job, void *arg)
{
	struct op_disk *op = arg;

	vm_job_over(job, op->vm);
	op->written = true;
	op->write_err = job->err;
	job_wake(&op->job);
}

/* Starts to write that a disk is gone, which a predecessor was to do. */
static bool write_next(struct op_disk *op)
{
	char *disk;

	while ((disk = unplug_to_write(op->vm, "disk", op->mark))) {
		struct job *job = NULL;

		name_it(op, disk);
		free(disk);
		op->written = false;
		if (!is_there(op, op->id))
			job = unplug_write_begin(
				op->vm, "disk", op->name, on_written, op);
		if (job) {
			vm_job_add(op->vm, job);
			return true;
		}
		op->mark++;
	}
	return false;
}

static void note_written(struct op_disk *op)
{
	if (!op->write_err.code) {
		unplug_forget(op->vm, "disk", op->name);
		return;
	}
	vmlog_line(&op->vm->log, LOG_WARN, "disk '%s': %s", op->name,
		op->write_err.text);
	op->mark++;
}

static enum job_state reap_run(struct job *job)
{
	struct op_disk *op = container_of(job, struct op_disk, job);

	JOB_BEGIN(job);
	QMP_CALL(job, &op->call, QMP_OF(op), "qom-list",
		json_pack("{s:s}", "path", "/machine/peripheral"));
	op->there = json_incref(op->call.result);
	while (find_gone(op)) {
		start_close(op);
		JOB_AWAIT(job, op->closed, JOB_FOREVER); /* its own */
		if (op->close_err.code)
			return job_fail_err(job, &op->close_err);
		free_slot(op);
		running_drop_disk(op->vm, op->name);
		vmlog_line(&op->vm->log, LOG_INFO, "the guest let disk %s go",
			op->name);
	}
	while (write_next(op)) {
		JOB_AWAIT(job, op->written, JOB_FOREVER); /* its own */
		note_written(op);
	}
	JOB_END(job);
}

/* ---- all of them ---- */

static void disk_cleanup(struct job *job)
{
	struct op_disk *op = container_of(job, struct op_disk, job);

	qmp_unsubscribe(&op->sub);
	qmp_call_fini(&op->call);
	json_decref(op->pairs);
	json_decref(op->device);
	json_decref(op->there);
	chain_fini(&op->chain);
	pool_claim_release(&op->claim);
	spec_disk_free(op->disk);
	free(op->made);
	free(op);
}

static const struct job_kind attach_kind = { "disk-attach", attach_run,
	attach_undo, disk_cleanup };
static const struct job_kind detach_kind = { "disk-detach", detach_run, NULL,
	disk_cleanup };
static const struct job_kind reap_kind = { "disk-reap", reap_run, NULL,
	disk_cleanup };

static struct op_disk *new_op(struct vm *vm, const char *name)
{
	struct op_disk *op = NEW(struct op_disk);

	op->vm = vm;
	op->slot = -1;
	name_it(op, name);
	return op;
}

struct job *op_disk_attach_begin_steal(struct vm *vm, struct spec_disk *disk,
	json_t *pairs, op_end_fn *on_end, void *arg)
{
	struct op_disk *op = new_op(vm, disk->name);

	op->disk = disk;
	op->pairs = pairs;
	job_start(&op->job, &attach_kind, vm->name, on_end, arg);
	return &op->job;
}

struct job *op_disk_detach_begin(struct vm *vm, const char *name,
	int64_t timeout_ms, op_detach_pending_fn *on_pending, op_end_fn *on_end,
	void *arg)
{
	struct op_disk *op = new_op(vm, name);

	op->timeout_ms = timeout_ms;
	op->on_pending = on_pending;
	op->pending_arg = arg;
	job_start(&op->job, &detach_kind, vm->name, on_end, arg);
	return &op->job;
}

struct job *op_disk_reap_begin(struct vm *vm, op_end_fn *on_end, void *arg)
{
	struct op_disk *op = new_op(vm, "");

	job_start(&op->job, &reap_kind, vm->name, on_end, arg);
	return &op->job;
}
