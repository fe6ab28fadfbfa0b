/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plugging a nic in and out; see op_nic.h.  The backend ("netdev-lan") is
 * made of descriptors that QEMU got by name before (getfd); what takes a
 * backend away takes its tap with it.
 */
#include "supervisor/op_nic.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "qmp/call.h"
#include "supervisor/argv.h"
#include "supervisor/nets.h"
#include "supervisor/op_nics.h"
#include "supervisor/running.h"
#include "supervisor/unplug.h"

#define LET_GO_MS 10000

struct op_nic {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	struct qmp_sub sub;
	struct spec_nic *nic; /* attach: owned until it is plugged */
	json_t *pairs;        /* what it was made of */
	char id[32];          /* "net-lan": the device */
	char name[24];
	int slot; /* root port, or -1 */
	struct taps taps;
	size_t sent; /* descriptors that QEMU has by name */
	struct job *ports;
	bool ports_ended;
	struct err ports_err;
	json_t *there; /* reap: QEMU's devices */
	/* for the undo: what was taken, what QEMU was asked for */
	bool slot_taken, plugged, backend_asked, device_asked;
	bool refused_device; /* by device_add's answer */
	bool deleted;        /* DEVICE_DELETED came */
	bool refused;        /* DEVICE_UNPLUG_GUEST_ERROR came */
	bool written;        /* reap: the edit of the drop-in has ended */
	struct err write_err;
	size_t mark; /* reap: of those that are to be written */
	int64_t timeout_ms;
	op_detach_pending_fn *on_pending;
	void *pending_arg;
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

static void name_it(struct op_nic *op, const char *name)
{
	snprintf(op->name, sizeof(op->name), "%s", name);
	snprintf(op->id, sizeof(op->id), "net-%s", name);
}

static json_t *device_id(const struct op_nic *op)
{
	return json_pack("{s:s}", "id", op->id);
}

static json_t *backend_id(const struct op_nic *op)
{
	return json_pack("{s:s+}", "id", "netdev-", op->name);
}

static void save_slots(struct vm *vm)
{
	record_name_slots(&vm->record, vm->slots.names);
	vm_record(vm, NULL);
}

static enum job_state fail_gone(struct job *job)
{
	return job_fail(job, ERR_GONE, "QEMU is gone");
}

static bool over(const struct op_nic *op)
{
	return op->deleted || !op->vm->machine.ready;
}

static void on_event(struct qmp_sub *sub, const struct qmp_event *ev)
{
	struct op_nic *op = container_of(sub, struct op_nic, sub);

	if (!str_eq(qmp_event_string(ev, "device"), op->id))
		return;
	op->deleted |= ev->type == QMP_EV_DEVICE_DELETED;
	op->refused |= ev->type == QMP_EV_DEVICE_UNPLUG_GUEST_ERROR;
	job_wake(&op->job);
}

/* ---- attach ---- */

static int take_slot(struct op_nic *op, struct err *err)
{
	struct vm *vm = op->vm;

	if (str_starts(vm->record.machine, "microvm"))
		return err_set(
			err, ERR_UNSUPPORTED, "machine microvm cannot hotplug");
	if (!str_starts(vm->record.machine, "q35") &&
		!str_starts(vm->record.machine, "pc-q35"))
		return 0;
	op->slot = argv_take_slot(&vm->slots, op->id, err);
	op->slot_taken = op->slot >= 0;
	return op->slot < 0 ? -1 : 0;
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
	str_addf(out, "%s-%zu", op->id, queue);
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
	const struct vm *vm = op->vm;
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
		op->vm->running, op->nic, op->slot, 0, &op->job.err);
}

static bool is_down(const struct op_nic *op)
{
	return !op->nic->up;
}

static json_t *link_of(const struct op_nic *op)
{
	return json_pack("{s:s,s:b}", "name", op->id, "up", false);
}

static enum job_state attach_run(struct job *job)
{
	struct op_nic *op = container_of(job, struct op_nic, job);

	JOB_BEGIN(job);
	if (!op->vm->machine.ready)
		return fail_gone(job);
	if (op->nic->user == USER_PASST) /* its line is made at a start */
		return job_fail(job, ERR_UNSUPPORTED,
			"passt comes with a start only: say user=yes");
	if (take_slot(op, &job->err))
		return JOB_ENDS;
	if (!op->nic->user) {
		op->plugged = true;
		op->ports = op_nics_plug_begin(
			op->vm, op->nic, &op->taps, job, on_ports_end, op);
		JOB_AWAIT(job, op->ports_ended, JOB_FOREVER); /* its own */
		if (op->ports_err.code)
			return job_fail_err(job, &op->ports_err);
	}
	if (!op->vm->machine.ready)
		return fail_gone(job);
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
	if (!op->vm->machine.ready) /* since it answered */
		return fail_gone(job);
	save_slots(op->vm);
	running_add_nic_steal(op->vm, TAKE(op->nic), TAKE(op->pairs));
	JOB_END(job);
}

/* ---- what is left of a nic whose device is gone ---- */

/* Its port and its tap, which went with the backend. */
static void drop_port(struct op_nic *op)
{
	nets_unplug(op->vm->name, op->name);
}

static void free_slot(struct op_nic *op)
{
	argv_drop_slot(&op->vm->slots, op->id);
	save_slots(op->vm);
}

static void forget_nic(struct op_nic *op)
{
	drop_port(op);
	free_slot(op);
	running_drop_nic(op->vm, op->name);
}

/* ---- attach, undone ---- */

/* QEMU did not say whether it took the device, and may do so yet. */
static bool may_have_device(const struct op_nic *op)
{
	return op->device_asked && !op->refused_device && !over(op);
}

static void forget_attach(struct op_nic *op)
{
	if (may_have_device(op)) {
		vmlog_line(&op->vm->log, LOG_WARN,
			"nic %s: QEMU does not answer, it may be plugged in "
			"all the same",
			op->name);
		return;
	}
	if (op->slot_taken)
		argv_drop_slot(&op->vm->slots, op->id);
	if (op->plugged)
		drop_port(op);
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
		qmp_subscribe(QMP_OF(op), &op->sub, on_event);
		QMP_TRY(job, &op->call, QMP_OF(op), "device_del",
			device_id(op));
		op->deleted |= op->call.err.code == ERR_NOT_FOUND;
		if (!op->call.err.code)
			JOB_AWAIT_OR_TIMEOUT(job, over(op), LET_GO_MS);
	}
	if (op->backend_asked && !may_have_device(op) && op->vm->machine.ready)
		QMP_TRY(job, &op->call, QMP_OF(op), "netdev_del",
			backend_id(op));
	while (op->sent > 0 && op->vm->machine.ready)
		QMP_TRY(job, &op->call, QMP_OF(op), "closefd", next_name(op));
	forget_attach(op);
	JOB_END(job);
}

/* ---- detach ---- */

/* The guest keeps it: who asked is told, the job goes on watching. */
static void tell_pending(struct op_nic *op)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_GUEST,
		op->refused ? "the guest refuses to let nic '%s' go"
			    : "the guest does not let nic '%s' go; it will "
			      "be taken away when it does",
		op->name);
	if (op->on_pending)
		op->on_pending(&op->job, op->pending_arg, &err);
	op->on_pending = NULL;
	vm_job_phase(op->vm, &op->job, "pending");
}

static bool already_asked(const struct op_nic *op)
{
	return strstr(op->call.err.text, "already in the process of unplug");
}

static enum job_state detach_run(struct job *job)
{
	struct op_nic *op = container_of(job, struct op_nic, job);

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
	QMP_CALL(job, &op->call, QMP_OF(op), "netdev_del", backend_id(op));
	if (!op->vm->machine.ready)
		return fail_gone(job);
	forget_nic(op);
	JOB_END(job);
}

/* ---- what the guest let go while nobody waited for it ---- */

static bool is_there(const struct op_nic *op)
{
	json_t *item;
	size_t i;

	json_array_foreach(op->there, i, item)
	{
		const char *name =
			json_string_value(json_object_get(item, "name"));

		if (name && str_eq(name, op->id))
			return true;
	}
	return false;
}

/* The next nic whose device QEMU has no longer. */
static bool find_gone(struct op_nic *op)
{
	list_each(&op->vm->running->nics, it, next) {
		name_it(op, list_entry(it, struct spec_nic, link)->name);
		if (!is_there(op))
			return true;
	}
	return false;
}

static void on_written(struct job *job, void *arg)
{
	struct op_nic *op = arg;

	vm_job_over(job, op->vm);
	op->written = true;
	op->write_err = job->err;
	job_wake(&op->job);
}

/* Starts to write that a nic is gone, which a predecessor was to do. */
static bool write_next(struct op_nic *op)
{
	char *nic;

	while ((nic = unplug_to_write(op->vm, "net", op->mark))) {
		struct job *job = NULL;

		name_it(op, nic);
		free(nic);
		op->written = false;
		if (!is_there(op))
			job = unplug_write_begin(
				op->vm, "net", op->name, on_written, op);
		if (job) {
			vm_job_add(op->vm, job);
			return true;
		}
		op->mark++;
	}
	return false;
}

static void note_written(struct op_nic *op)
{
	if (!op->write_err.code) {
		unplug_forget(op->vm, "net", op->name);
		return;
	}
	vmlog_line(&op->vm->log, LOG_WARN, "nic '%s': %s", op->name,
		op->write_err.text);
	op->mark++;
}

static enum job_state reap_run(struct job *job)
{
	struct op_nic *op = container_of(job, struct op_nic, job);

	JOB_BEGIN(job);
	QMP_CALL(job, &op->call, QMP_OF(op), "qom-list",
		json_pack("{s:s}", "path", "/machine/peripheral"));
	op->there = json_incref(op->call.result);
	while (find_gone(op)) {
		QMP_TRY(job, &op->call, QMP_OF(op), "netdev_del",
			backend_id(op)); /* or it went with another try */
		if (!op->vm->machine.ready)
			return fail_gone(job);
		forget_nic(op);
		vmlog_line(&op->vm->log, LOG_INFO, "the guest let nic %s go",
			op->name);
	}
	while (write_next(op)) {
		JOB_AWAIT(job, op->written, JOB_FOREVER); /* its own */
		note_written(op);
	}
	JOB_END(job);
}

/* ---- all of them ---- */

static void nic_cleanup(struct job *job)
{
	struct op_nic *op = container_of(job, struct op_nic, job);

	qmp_unsubscribe(&op->sub);
	qmp_call_fini(&op->call);
	taps_close(&op->taps);
	json_decref(op->pairs);
	json_decref(op->there);
	spec_nic_free(op->nic);
	free(op);
}

static const struct job_kind attach_kind = { "nic-attach", attach_run,
	attach_undo, nic_cleanup };
static const struct job_kind detach_kind = { "nic-detach", detach_run, NULL,
	nic_cleanup };
static const struct job_kind reap_kind = { "nic-reap", reap_run, NULL,
	nic_cleanup };

static struct op_nic *new_op(struct vm *vm, const char *name)
{
	struct op_nic *op = NEW(struct op_nic);

	op->vm = vm;
	op->slot = -1;
	name_it(op, name);
	return op;
}

struct job *op_nic_attach_begin_steal(struct vm *vm, struct spec_nic *nic,
	json_t *pairs, op_end_fn *on_end, void *arg)
{
	struct op_nic *op = new_op(vm, nic->name);

	op->nic = nic;
	op->pairs = pairs;
	job_start(&op->job, &attach_kind, vm->name, on_end, arg);
	return &op->job;
}

struct job *op_nic_detach_begin(struct vm *vm, const char *name,
	int64_t timeout_ms, op_detach_pending_fn *on_pending, op_end_fn *on_end,
	void *arg)
{
	struct op_nic *op = new_op(vm, name);

	op->timeout_ms = timeout_ms;
	op->on_pending = on_pending;
	op->pending_arg = arg;
	job_start(&op->job, &detach_kind, vm->name, on_end, arg);
	return &op->job;
}

struct job *op_nic_reap_begin(struct vm *vm, op_end_fn *on_end, void *arg)
{
	struct op_nic *op = new_op(vm, "");

	job_start(&op->job, &reap_kind, vm->name, on_end, arg);
	return &op->job;
}
