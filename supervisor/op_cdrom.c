/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another disc in a drive of a running VM; see op_cdrom.h. */
#include "supervisor/op_cdrom.h"

#include <string.h>

#include "base/atom.h"
#include "base/mem.h"
#include "base/str.h"
#include "qmp/call.h"
#include "supervisor/chain_open.h"
#include "supervisor/chain_record.h"
#include "supervisor/disk_close.h"
#include "supervisor/disk_open.h"
#include "supervisor/op_device.h"
#include "supervisor/running.h"

#define OPEN_MS 5000

struct op_cdrom {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	struct qmp_sub sub;
	char *drive;
	char *id;               /* "cdrom-a": QEMU's */
	struct spec_disk *disc; /* the new one, or NULL */
	const char *image;      /* an atom, or NULL */
	struct chain chain;     /* its images, open until QEMU has them */
	bool force;
	int64_t timeout_ms;
	bool moved; /* the tray has opened since it was asked */
	bool empty; /* the old one is out, and what runs says so */
	bool done;  /* the child that opens or closes nodes has ended */
	struct err err;
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

static void on_event(struct qmp_sub *sub, const struct qmp_event *ev)
{
	struct op_cdrom *op = container_of(sub, struct op_cdrom, sub);

	if (ev->type != QMP_EV_DEVICE_TRAY_MOVED ||
		!str_eq(qmp_event_string(ev, "id"), op->id) ||
		!qmp_event_bool(ev, "tray-open"))
		return;
	op->moved = true;
	job_wake(&op->job);
}

static void on_child_end(struct job *job, void *arg)
{
	struct op_cdrom *op = arg;

	op->done = true;
	op->err = job->err;
}

static json_t *drive_of(const struct op_cdrom *op)
{
	return json_pack("{s:s}", "id", op->id);
}

static json_t *open_arguments(const struct op_cdrom *op)
{
	return json_pack("{s:s,s:b}", "id", op->id, "force", op->force);
}

static json_t *insert_arguments(const struct op_cdrom *op)
{
	AUTO_FREE char *node = argv_disk_node_name(op->drive, 0, 0);

	return json_pack("{s:s,s:s}", "id", op->id, "node-name", node);
}

/* The new disc, before anything is done to the old one. */
static int open_disc(struct op_cdrom *op, struct err *err)
{
	const struct chains_from from = { .spec = op->vm->running,
		.paths = &op->vm->env->paths };

	if (!op->disc)
		return 0;
	return chains_open_disk(&op->chain, &from, op->disc, err);
}

static bool is_shut(const struct op_cdrom *op)
{
	return op->call.err.code && strstr(op->call.err.text, "is not open");
}

static enum job_state fail_shut(struct op_cdrom *op)
{
	return job_fail(&op->job, ERR_GUEST,
		"the guest keeps the tray shut: it was asked to open it; let "
		"it unmount the disc, or say --force");
}

/* Nodes that a predecessor left are closed with the old disc's. */
static void start_close(struct op_cdrom *op)
{
	op->done = false;
	disk_close_start(op->vm, op->drive, &op->job, on_child_end, op);
}

static void start_open(struct op_cdrom *op)
{
	op->done = false;
	disk_open_start(
		op->vm, op->disc, &op->chain, &op->job, on_child_end, op);
}

/* Whatever comes next, the old one is no longer in the drive. */
static void note_empty(struct op_cdrom *op)
{
	op->empty = true;
	running_set_disc_steal(op->vm, op->drive, NULL, NULL);
}

static enum job_state cdrom_run(struct job *job)
{
	struct op_cdrom *op = container_of(job, struct op_cdrom, job);

	JOB_BEGIN(job);
	if (!op->vm->machine.ready || !op->vm->running)
		return op_device_fail_gone(job);
	if (open_disc(op, &job->err))
		return JOB_ENDS;
	qmp_subscribe(QMP_OF(op), &op->sub, on_event);
	QMP_CALL(job, &op->call, QMP_OF(op), "blockdev-open-tray",
		open_arguments(op));
	QMP_TRY(job, &op->call, QMP_OF(op), "blockdev-remove-medium",
		drive_of(op));
	if (is_shut(op)) {
		JOB_AWAIT_OR_TIMEOUT(job, op->moved || !op->vm->machine.ready,
			op->timeout_ms);
		QMP_TRY(job, &op->call, QMP_OF(op), "blockdev-remove-medium",
			drive_of(op));
	}
	if (is_shut(op))
		return fail_shut(op);
	if (op->call.err.code)
		return job_fail_err(job, &op->call.err);
	note_empty(op);
	start_close(op);
	JOB_AWAIT(job, op->done, JOB_FOREVER); /* its own */
	if (op->err.code)
		return job_fail_err(job, &op->err);
	if (op->disc) {
		start_open(op);
		JOB_AWAIT(job, op->done, JOB_FOREVER); /* its own */
		if (op->err.code)
			return job_fail_err(job, &op->err);
		QMP_CALL(job, &op->call, QMP_OF(op), "blockdev-insert-medium",
			insert_arguments(op));
	}
	QMP_CALL(job, &op->call, QMP_OF(op), "blockdev-close-tray",
		drive_of(op));
	if (!op->vm->machine.ready || !op->vm->running)
		return op_device_fail_gone(job);
	if (op->disc) {
		chain_record_put_disk(op->vm, op->drive, &op->chain);
		running_set_disc_steal(
			op->vm, op->drive, TAKE(op->disc), op->image);
	}
	JOB_END(job);
}

/* A drive that its old disc left is empty, and shut. */
static enum job_state cdrom_undo(struct job *job)
{
	struct op_cdrom *op = container_of(job, struct op_cdrom, job);

	JOB_BEGIN(job);
	if (op->empty && op->vm->machine.ready) {
		QMP_TRY(job, &op->call, QMP_OF(op), "blockdev-remove-medium",
			drive_of(op));
		start_close(op);
		JOB_AWAIT(job, op->done, JOB_FOREVER); /* its own */
		QMP_TRY(job, &op->call, QMP_OF(op), "blockdev-close-tray",
			drive_of(op));
		err_wrap(&job->err, "the drive is empty now: ");
	}
	JOB_END(job);
}

static void cdrom_cleanup(struct job *job)
{
	struct op_cdrom *op = container_of(job, struct op_cdrom, job);

	qmp_unsubscribe(&op->sub);
	qmp_call_fini(&op->call);
	chain_fini(&op->chain);
	spec_disk_free(op->disc);
	atom_drop(op->image);
	free(op->drive);
	free(op->id);
	free(op);
}

static const struct job_kind cdrom_kind = { "cdrom", cdrom_run, cdrom_undo,
	cdrom_cleanup };

struct job *op_cdrom_begin(struct vm *vm, const struct cdrom_wish *wish,
	op_end_fn *on_end, void *arg)
{
	struct op_cdrom *op = NEW(struct op_cdrom);

	op->vm = vm;
	op->drive = xstrdup(wish->drive);
	op->id = xasprintf("cdrom-%s", wish->drive);
	op->disc = wish->disc;
	op->image = wish->image ? atom_get(wish->image) : NULL;
	op->force = wish->force;
	op->timeout_ms = wish->timeout_ms ? wish->timeout_ms : OPEN_MS;
	job_start(&op->job, &cdrom_kind, vm->name, on_end, arg);
	return &op->job;
}
