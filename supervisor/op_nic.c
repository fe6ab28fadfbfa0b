/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plugging a nic in; see op_nic.h.  The backend ("netdev-lan") is made of
 * descriptors that QEMU got by name before (getfd); what takes a backend away
 * takes its tap with it.
 */
#include "supervisor/op_nic.h"

#include "base/mem.h"
#include "base/str.h"
#include "qmp/call.h"
#include "supervisor/argv.h"
#include "supervisor/nets.h"
#include "supervisor/op_device.h"
#include "supervisor/op_nics.h"
#include "supervisor/running.h"

struct op_nic {
	struct job job;
	struct op_device dev;
	struct qmp_call call;
	struct spec_nic *nic; /* owned until it is plugged */
	json_t *pairs;        /* what it was made of */
	struct taps taps;
	size_t sent; /* descriptors that QEMU has by name */
	struct job *ports;
	bool ports_ended;
	struct err ports_err;
	/* for the undo: what was taken, what QEMU was asked for */
	bool plugged, backend_asked, device_asked;
	bool refused_device; /* by device_add's answer */
};

#define QMP_OF(op) machine_qmp(&(op)->dev.vm->machine)

static json_t *backend_id(const struct op_nic *op)
{
	return json_pack("{s:s+}", "id", "netdev-", op->dev.name);
}

/* ---- attach ---- */

static int take_slot(struct op_nic *op, struct err *err)
{
	if (str_starts(op->dev.vm->record.machine, "microvm"))
		return err_set(
			err, ERR_UNSUPPORTED, "machine microvm cannot hotplug");
	return op_device_take_slot(&op->dev, err);
}

static void on_ports_end(struct job *job, void *arg)
{
	struct op_nic *op = arg;

	op->ports = NULL;
	op->ports_ended = true;
	op->ports_err = job->err;
}

/* What a queue of it is called between getfd and netdev_add. */
static void add_fd_name(struct str *out, const struct op_nic *op, size_t queue)
{
	str_addf(out, "%s-%zu", op->dev.id, queue);
}

/* Gives QEMU the next descriptor; false: it has all. */
static bool send_fd(struct op_nic *op)
{
	AUTO_STR struct str name = STR_INIT;

	if (op->sent == op->taps.n)
		return false;
	add_fd_name(&name, op, op->sent);
	qmp_call_start(&op->call, &op->job, QMP_OF(op),
		&(struct qmp_command){ "getfd",
			json_pack("{s:s}", "fdname", str_text(&name)), 0,
			op->taps.fds[op->sent].from },
		false);
	op->sent++;
	return true;
}

/* As at start, but for the descriptors, which go by name. */
static json_t *backend_of(struct op_nic *op)
{
	const struct vm *vm = op->dev.vm;
	AUTO_STR struct str names = STR_INIT;
	json_t *backend = argv_nic_backend(
		vm->running, op->nic, vm->env->vhost, &op->job.err);

	for (size_t i = 0; i < op->sent; i++) {
		str_add(&names, i ? ":" : "");
		add_fd_name(&names, op, i);
	}
	if (backend && op->sent > 0)
		json_object_set_new(backend, op->sent > 1 ? "fds" : "fd",
			json_string(str_text(&names)));
	return backend;
}

static json_t *device_of(struct op_nic *op)
{
	return argv_nic_device(
		op->dev.vm->running, op->nic, op->dev.slot, 0, &op->job.err);
}

static bool is_down(const struct op_nic *op)
{
	return !op->nic->up;
}

static json_t *link_of(const struct op_nic *op)
{
	return json_pack("{s:s,s:b}", "name", op->dev.id, "up", false);
}

static enum job_state attach_run(struct job *job)
{
	struct op_nic *op = container_of(job, struct op_nic, job);

	JOB_BEGIN(job);
	if (!op->dev.vm->machine.ready)
		return op_device_fail_gone(job);
	if (op->nic->user == USER_PASST) /* its line is made at a start */
		return job_fail(job, ERR_UNSUPPORTED,
			"passt comes with a start only: say user=yes");
	if (take_slot(op, &job->err))
		return JOB_ENDS;
	if (!op->nic->user) {
		op->plugged = true;
		op->ports = op_nics_plug_begin(
			op->dev.vm, op->nic, &op->taps, job, on_ports_end, op);
		JOB_AWAIT(job, op->ports_ended, JOB_FOREVER); /* its own */
		if (op->ports_err.code)
			return job_fail_err(job, &op->ports_err);
	}
	if (!op->dev.vm->machine.ready)
		return op_device_fail_gone(job);
	while (send_fd(op))
		JOB_AWAIT(job, op->call.replied, JOB_FOREVER);
	taps_close(&op->taps);
	op->backend_asked = true;
	QMP_CALL(job, &op->call, QMP_OF(op), "netdev_add", backend_of(op));
	op->device_asked = true;
	QMP_TRY(job, &op->call, QMP_OF(op), "device_add", device_of(op));
	if (op->call.err.code) {
		op->refused_device = op->call.err.code != ERR_TIMEOUT;
		return job_fail_err(job, &op->call.err);
	}
	if (is_down(op))
		QMP_CALL(job, &op->call, QMP_OF(op), "set_link", link_of(op));
	if (!op->dev.vm->machine.ready) /* since it answered */
		return op_device_fail_gone(job);
	op_device_save_slots(&op->dev);
	running_add_nic_steal(op->dev.vm, TAKE(op->nic), TAKE(op->pairs));
	JOB_END(job);
}

/* ---- attach, undone ---- */

/* QEMU did not say whether it took the device, and may do so yet. */
static bool may_have_device(const struct op_nic *op)
{
	return op->device_asked && !op->refused_device &&
	       !op_device_is_over(&op->dev);
}

static void forget_attach(struct op_nic *op)
{
	if (may_have_device(op)) {
		op_device_warn_unanswered(&op->dev);
		return;
	}
	op_device_drop_slot(&op->dev);
	if (op->plugged)
		nets_unplug(op->dev.vm->name, op->dev.name);
}

/* The next descriptor that QEMU may still have by name. */
static json_t *next_name(struct op_nic *op)
{
	AUTO_STR struct str name = STR_INIT;

	add_fd_name(&name, op, --op->sent);
	return json_pack("{s:s}", "fdname", str_text(&name));
}

static enum job_state attach_undo(struct job *job)
{
	struct op_nic *op = container_of(job, struct op_nic, job);

	JOB_BEGIN(job);
	if (op->ports) {
		job_cancel(op->ports);
		JOB_AWAIT(job, op->ports_ended, JOB_FOREVER); /* its own */
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
	if (op->backend_asked && !may_have_device(op) &&
		op->dev.vm->machine.ready)
		QMP_TRY(job, &op->call, QMP_OF(op), "netdev_del",
			backend_id(op));
	while (op->sent > 0 && op->dev.vm->machine.ready)
		QMP_TRY(job, &op->call, QMP_OF(op), "closefd", next_name(op));
	forget_attach(op);
	JOB_END(job);
}

static void attach_cleanup(struct job *job)
{
	struct op_nic *op = container_of(job, struct op_nic, job);

	op_device_fini(&op->dev);
	qmp_call_fini(&op->call);
	taps_close(&op->taps);
	json_decref(op->pairs);
	spec_nic_free(op->nic);
	free(op);
}

static const struct job_kind attach_kind = { "nic-attach", attach_run,
	attach_undo, attach_cleanup };

struct job *op_nic_attach_begin_steal(struct vm *vm, struct spec_nic *nic,
	json_t *pairs, op_end_fn *on_end, void *arg)
{
	struct op_nic *op = NEW(struct op_nic);

	op_device_init(&op->dev, &op_device_nic, vm, &op->job);
	op_device_name(&op->dev, nic->name);
	op->nic = nic;
	op->pairs = pairs;
	job_start(&op->job, &attach_kind, vm->name, on_end, arg);
	return &op->job;
}
