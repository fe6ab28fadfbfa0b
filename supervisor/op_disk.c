/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plugging a disk into a running VM: image, password, nodes, device.  It is
 * undone wholly when any step fails: what QEMU may have of it is asked to go,
 * and an image that was made for it is removed.
 */
#include "supervisor/op.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"
#include "qmp/call.h"
#include "supervisor/chain_open.h"
#include "supervisor/chain_record.h"
#include "supervisor/device.h"
#include "supervisor/disk_close.h"
#include "supervisor/disk_open.h"
#include "supervisor/image_plan.h"
#include "supervisor/op_device.h"
#include "supervisor/running.h"
#include "supervisor/throttle.h"

#define IMAGE_GONE_MS 10000

struct op_disk {
	struct job job;
	struct op_device dev;
	struct qmp_call call;
	struct spec_disk *disk; /* owned until it is plugged */
	json_t *pairs;          /* what the disk was made of */
	json_t *device;
	json_t *controller; /* that the disk needs first */
	struct chain chain; /* its images, open until QEMU has them */
	bool opened;        /* the child that gives QEMU its nodes has ended */
	struct err open_err;
	bool closed; /* the child that closes its nodes has ended */
	struct err close_err;
	struct image_create *image;
	struct pool_claim claim; /* of its pool's quota */
	bool image_ended;
	struct err image_err;
	char *made; /* the image that this job makes; or NULL */
	/* for the undo: what QEMU was asked for, and may do later */
	bool node_asked, device_asked;
};

#define QMP_OF(op) machine_qmp(&(op)->dev.vm->machine)

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
	struct vm *vm = op->dev.vm;
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

static const char *controller_of(const struct op_disk *op)
{
	return argv_disk_controller(op->disk);
}

static int take_place(struct op_disk *op, struct err *err)
{
	enum disk_place place = argv_disk_place(op->disk);

	if (place == PLACE_UNIT)
		return op_device_take_unit(&op->dev, err);
	return place == PLACE_PORT ? op_device_take_slot(&op->dev, err) : 0;
}

static int prepare(struct op_disk *op, struct err *err)
{
	struct vm *vm = op->dev.vm;
	const struct chains_from from = { .spec = vm->running,
		.paths = &vm->env->paths,
		.known = chain_record(vm) };

	if (take_place(op, err))
		return -1;
	op->device =
		argv_disk_device(vm->running, op->disk, op->dev.slot, 0, err);
	if (!op->device || chains_open_disk(&op->chain, &from, op->disk, err))
		return -1;
	return argv_disk_check(op->disk, &op->chain, err);
}

static void on_opened(struct job *job, void *arg)
{
	struct op_disk *op = arg;

	op->opened = true;
	op->open_err = job->err;
}

/* ---- the controller, which comes with the first disk that needs it ---- */

/* Its device, in a port of its own; NULL with err. */
static json_t *new_controller(struct op_disk *op, struct err *err)
{
	struct vm *vm = op->dev.vm;
	int port = -1;

	if (device_machine(vm->running) == MACHINE_Q35) {
		port = argv_take_slot(&vm->slots, controller_of(op), err);
		if (port < 0)
			return NULL;
	}
	return argv_controller(vm->running, controller_of(op), port);
}

/* It stays, whatever becomes of the disk: so does its port. */
static void note_controller(struct op_disk *op)
{
	if (!op->call.err.code)
		op_device_save_slots(&op->dev);
	else if (op->call.err.code != ERR_TIMEOUT)
		argv_drop_slot(&op->dev.vm->slots, controller_of(op));
}

/* ---- the device ---- */

static void note_unlimited(struct op_disk *op)
{
	if (op->call.err.code)
		vmlog_line(&op->dev.vm->log, LOG_WARN,
			"disk %s has no limits: %s", op->dev.name,
			op->call.err.text);
}

static enum job_state attach_run(struct job *job)
{
	struct op_disk *op = container_of(job, struct op_disk, job);

	JOB_BEGIN(job);
	if (!op->dev.vm->machine.ready)
		return op_device_fail_gone(job);
	if (argv_disk_may_plug(op->disk, op->dev.vm->record.machine, &job->err))
		return JOB_ENDS;
	if (make_image(op) > 0) {
		JOB_AWAIT(job, op->image_ended, JOB_FOREVER); /* its own */
		if (op->image_err.code)
			return job_fail_err(job, &op->image_err);
	}
	if (!op->dev.vm->machine.ready)
		return op_device_fail_gone(job);
	if (job->err.code || prepare(op, &job->err))
		return JOB_ENDS;
	op->node_asked = true;
	disk_open_start(op->dev.vm, op->disk, &op->chain, job, on_opened, op);
	JOB_AWAIT(job, op->opened, JOB_FOREVER); /* its own */
	if (op->open_err.code)
		return job_fail_err(job, &op->open_err);
	if (controller_of(op)) {
		QMP_CALL(job, &op->call, QMP_OF(op), "qom-list",
			op_device_list());
		if (!op_device_is_listed(op->call.result, controller_of(op))) {
			op->controller = new_controller(op, &job->err);
			if (!op->controller)
				return JOB_ENDS;
			QMP_TRY(job, &op->call, QMP_OF(op), "device_add",
				TAKE(op->controller));
			note_controller(op);
		}
		if (op->call.err.code)
			return job_fail_err(job, &op->call.err);
	}
	op->device_asked = true;
	QMP_CALL(job, &op->call, QMP_OF(op), "device_add", TAKE(op->device));
	if (throttle_limits(&op->disk->limits)) {
		QMP_TRY(job, &op->call, QMP_OF(op), THROTTLE_COMMAND,
			throttle_arguments(op->disk, &op->disk->limits));
		note_unlimited(op);
	}
	if (!op->dev.vm->machine.ready) /* since it answered */
		return op_device_fail_gone(job);
	op_device_save_slots(&op->dev);
	chain_record_put_disk(op->dev.vm, op->dev.name, &op->chain);
	running_add_disk_steal(op->dev.vm, TAKE(op->disk), TAKE(op->pairs));
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
	disk_close_start(op->dev.vm, op->dev.name, &op->job, on_closed, op);
}

/* An image that nothing but this attempt knows. */
static void unmake(struct op_disk *op)
{
	if (op->made && op->image_ended && !op->image_err.code &&
		sys_unlinkat(AT_FDCWD, op->made, 0))
		vmlog_line(&op->dev.vm->log, LOG_WARN, "cannot remove '%s': %s",
			op->made, strerror(errno));
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
	return op->device_asked && is_unanswered(op) &&
	       !op_device_is_over(&op->dev);
}

static bool may_have_node(const struct op_disk *op)
{
	return op->node_asked && op->dev.vm->machine.ready;
}

static void forget_attach(struct op_disk *op)
{
	if (may_have_device(op)) {
		op_device_warn_unanswered(&op->dev);
		return;
	}
	op_device_drop_slot(&op->dev);
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
		op_device_watch(&op->dev);
		QMP_TRY(job, &op->call, QMP_OF(op), "device_del",
			op_device_id(&op->dev));
		op->dev.deleted |= op->call.err.code == ERR_NOT_FOUND;
		if (!op->call.err.code)
			JOB_AWAIT_OR_TIMEOUT(job, op_device_is_over(&op->dev),
				OP_DEVICE_LET_GO_MS);
	}
	if (may_have_node(op)) {
		start_close(op);
		JOB_AWAIT(job, op->closed, JOB_FOREVER); /* its own */
	}
	forget_attach(op);
	JOB_END(job);
}

static void attach_cleanup(struct job *job)
{
	struct op_disk *op = container_of(job, struct op_disk, job);

	op_device_fini(&op->dev);
	qmp_call_fini(&op->call);
	json_decref(op->pairs);
	json_decref(op->device);
	json_decref(op->controller);
	chain_fini(&op->chain);
	pool_claim_release(&op->claim);
	spec_disk_free(op->disk);
	free(op->made);
	free(op);
}

static const struct job_kind attach_kind = { "disk-attach", attach_run,
	attach_undo, attach_cleanup };

struct job *op_disk_attach_begin_steal(struct vm *vm, struct spec_disk *disk,
	json_t *pairs, op_end_fn *on_end, void *arg)
{
	struct op_disk *op = NEW(struct op_disk);

	op_device_init(&op->dev, &op_device_disk, vm, &op->job);
	op_device_name(&op->dev, disk->name);
	op->disk = disk;
	op->pairs = pairs;
	job_start(&op->job, &attach_kind, vm->name, on_end, arg);
	return &op->job;
}
