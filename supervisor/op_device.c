/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plugging a device out of a running VM; see op_device.h.  A guest that keeps
 * it leaves the unplug pending in QEMU, and the job stays behind as a watcher
 * that finishes it when the guest lets go.
 */
#include "supervisor/op_device.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "qmp/call.h"
#include "supervisor/disk_close.h"
#include "supervisor/nets.h"
#include "supervisor/running.h"
#include "supervisor/unplug.h"

struct op_device_class {
	const char *noun;    /* as people say */
	const char *section; /* of its files; "net" of "net-lan", too */
	const char *fate;    /* of what it leaves, once the guest lets go */
	const struct list *(*all)(const struct vm_spec *spec);
	/* Its machine lets it go while it runs; or NULL: each does. */
	int (*may_go)(const struct vm *vm, const char *name, struct err *err);
	const char *(*name_of)(struct list *it); /* NULL: it stays */
	/* Closes its back end, a child job; or NULL: netdev_del does. */
	struct job *(*close_start)(struct vm *vm, const char *name,
		struct job *parent, op_end_fn *on_end, void *arg);
	void (*forget)(struct vm *vm, const char *name);
	struct job_kind detach;
	struct job_kind reap;
};

struct op_unplug {
	struct job job;
	struct op_device dev;
	struct qmp_call call;
	json_t *there; /* reap: QEMU's devices */
	bool closed;   /* the child that closes its back end has ended */
	struct err close_err;
	bool written; /* reap: the edit of the drop-in has ended */
	struct err write_err;
	size_t mark; /* reap: of those that are to be written */
	int64_t timeout_ms;
	op_detach_pending_fn *on_pending;
	void *pending_arg;
};

#define QMP_OF(op) machine_qmp(&(op)->dev.vm->machine)

/* ---- a device ---- */

void op_device_init(struct op_device *dev, const struct op_device_class *class,
	struct vm *vm, struct job *job)
{
	dev->class = class;
	dev->vm = vm;
	dev->job = job;
	dev->slot = -1;
}

void op_device_name(struct op_device *dev, const char *name)
{
	snprintf(dev->name, sizeof(dev->name), "%s", name);
	snprintf(dev->id, sizeof(dev->id), "%s-%s", dev->class->section, name);
}

void op_device_fini(struct op_device *dev)
{
	qmp_unsubscribe(&dev->sub);
}

int op_device_take_slot(struct op_device *dev, struct err *err)
{
	struct vm *vm = dev->vm;

	if (!str_starts(vm->record.machine, "q35") &&
		!str_starts(vm->record.machine, "pc-q35"))
		return 0;
	dev->slot = argv_take_slot(&vm->slots, dev->id, err);
	return dev->slot < 0 ? -1 : 0;
}

int op_device_take_unit(struct op_device *dev, struct err *err)
{
	dev->slot = argv_take_unit(&dev->vm->slots, dev->id, err);
	return dev->slot < 0 ? -1 : 0;
}

void op_device_drop_slot(struct op_device *dev)
{
	if (dev->slot >= 0)
		argv_drop_slot(&dev->vm->slots, dev->id);
	dev->slot = -1;
}

void op_device_save_slots(const struct op_device *dev)
{
	struct vm *vm = dev->vm;

	record_name_slots(&vm->record, vm->slots.names);
	vm_record(vm, NULL);
}

json_t *op_device_id(const struct op_device *dev)
{
	return json_pack("{s:s}", "id", dev->id);
}

static void on_event(struct qmp_sub *sub, const struct qmp_event *ev)
{
	struct op_device *dev = container_of(sub, struct op_device, sub);

	if (!str_eq(qmp_event_string(ev, "device"), dev->id))
		return;
	dev->deleted |= ev->type == QMP_EV_DEVICE_DELETED;
	dev->refused |= ev->type == QMP_EV_DEVICE_UNPLUG_GUEST_ERROR;
	job_wake(dev->job);
}

void op_device_watch(struct op_device *dev)
{
	qmp_subscribe(machine_qmp(&dev->vm->machine), &dev->sub, on_event);
}

json_t *op_device_list(void)
{
	return json_pack("{s:s}", "path", "/machine/peripheral");
}

bool op_device_is_listed(const json_t *list, const char *id)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (str_eq(member_text(item, "name"), id))
			return true;
	}
	return false;
}

bool op_device_is_over(const struct op_device *dev)
{
	return dev->deleted || !dev->vm->machine.ready;
}

void op_device_warn_unanswered(const struct op_device *dev)
{
	vmlog_line(&dev->vm->log, LOG_WARN,
		"%s %s: QEMU does not answer, it may be plugged in all the "
		"same",
		dev->class->noun, dev->name);
}

enum job_state op_device_fail_gone(struct job *job)
{
	return job_fail(job, ERR_GONE, "QEMU is gone");
}

/* ---- what is left of one that the guest let go ---- */

static void on_closed(struct job *job, void *arg)
{
	struct op_unplug *op = arg;

	op->closed = true;
	op->close_err = job->err;
}

/* Its back end goes: the work of a child, or of one command. */
static void start_close(struct op_unplug *op, bool may_fail)
{
	const struct op_device *dev = &op->dev;

	op->closed = false;
	if (dev->class->close_start)
		dev->class->close_start(
			dev->vm, dev->name, &op->job, on_closed, op);
	else
		qmp_call_start(&op->call, &op->job, QMP_OF(op),
			QMP_COMMAND(
				"netdev_del", json_pack("{s:s+}", "id",
						      "netdev-", dev->name)),
			may_fail);
}

static bool is_closed(const struct op_unplug *op)
{
	return op->dev.class->close_start ? op->closed : op->call.replied;
}

static void forget(struct op_unplug *op)
{
	struct op_device *dev = &op->dev;

	argv_drop_slot(&dev->vm->slots, dev->id);
	op_device_save_slots(dev);
	dev->class->forget(dev->vm, dev->name);
}

/* ---- detach ---- */

/* The guest keeps it: who asked is told, the job goes on watching. */
static void tell_pending(struct op_unplug *op)
{
	const struct op_device *dev = &op->dev;
	struct err err = ERR_INIT;

	if (dev->refused)
		err_set(&err, ERR_GUEST, "the guest refuses to let %s '%s' go",
			dev->class->noun, dev->name);
	else
		err_set(&err, ERR_GUEST,
			"the guest does not let %s '%s' go; it will be %s "
			"when it does",
			dev->class->noun, dev->name, dev->class->fate);
	if (op->on_pending)
		op->on_pending(&op->job, op->pending_arg, &err);
	op->on_pending = NULL;
	vm_job_phase(dev->vm, &op->job, "pending");
}

static bool already_asked(const struct op_unplug *op)
{
	return strstr(op->call.err.text, "already in the process of unplug");
}

static enum job_state detach_run(struct job *job)
{
	struct op_unplug *op = container_of(job, struct op_unplug, job);

	JOB_BEGIN(job);
	if (!op->dev.vm->machine.ready)
		return op_device_fail_gone(job);
	if (op->dev.class->may_go &&
		op->dev.class->may_go(op->dev.vm, op->dev.name, &job->err))
		return JOB_ENDS;
	op_device_watch(&op->dev);
	QMP_TRY(job, &op->call, QMP_OF(op), "device_del",
		op_device_id(&op->dev));
	if (op->call.err.code && !already_asked(op))
		return job_fail_err(job, &op->call.err);
	JOB_AWAIT_OR_TIMEOUT(job,
		op_device_is_over(&op->dev) || op->dev.refused, op->timeout_ms);
	if (!op_device_is_over(&op->dev)) {
		tell_pending(op);
		JOB_AWAIT(job, op_device_is_over(&op->dev),
			JOB_FOREVER); /* the guest's choice */
	}
	if (!op->dev.deleted)
		return op_device_fail_gone(job);
	start_close(op, false);
	JOB_AWAIT(job, is_closed(op), JOB_FOREVER); /* its own */
	if (op->close_err.code)
		return job_fail_err(job, &op->close_err);
	if (!op->dev.vm->machine.ready)
		return op_device_fail_gone(job);
	forget(op);
	JOB_END(job);
}

/* ---- what the guest let go while nobody waited for it ---- */

static bool is_there(const struct op_unplug *op)
{
	return op_device_is_listed(op->there, op->dev.id);
}

/* The next one of ours whose device QEMU has no longer. */
static bool find_gone(struct op_unplug *op)
{
	const struct op_device_class *class = op->dev.class;

	list_each(class->all(op->dev.vm->running), it, next) {
		const char *name = class->name_of(it);

		if (!name)
			continue;
		op_device_name(&op->dev, name);
		if (!is_there(op))
			return true;
	}
	return false;
}

static void note_gone(struct op_unplug *op)
{
	forget(op);
	vmlog_line(&op->dev.vm->log, LOG_INFO, "the guest let %s %s go",
		op->dev.class->noun, op->dev.name);
}

static void on_written(struct job *job, void *arg)
{
	struct op_unplug *op = arg;

	vm_job_over(job, op->dev.vm);
	op->written = true;
	op->write_err = job->err;
	job_wake(&op->job);
}

/* Starts to write that one is gone, which a predecessor was to do. */
static bool write_next(struct op_unplug *op)
{
	struct op_device *dev = &op->dev;
	const char *section = dev->class->section;
	char *name;

	while ((name = unplug_to_write(dev->vm, section, op->mark))) {
		struct job *job = NULL;

		op_device_name(dev, name);
		free(name);
		op->written = false;
		if (!is_there(op))
			job = unplug_write_begin(
				dev->vm, section, dev->name, on_written, op);
		if (job) {
			vm_job_add(dev->vm, job);
			return true;
		}
		op->mark++;
	}
	return false;
}

static void note_written(struct op_unplug *op)
{
	const struct op_device *dev = &op->dev;

	if (!op->write_err.code) {
		unplug_forget(dev->vm, dev->class->section, dev->name);
		return;
	}
	vmlog_line(&dev->vm->log, LOG_WARN, "%s '%s': %s", dev->class->noun,
		dev->name, op->write_err.text);
	op->mark++;
}

static enum job_state reap_run(struct job *job)
{
	struct op_unplug *op = container_of(job, struct op_unplug, job);

	JOB_BEGIN(job);
	QMP_CALL(job, &op->call, QMP_OF(op), "qom-list", op_device_list());
	op->there = json_incref(op->call.result);
	while (find_gone(op)) {
		start_close(op, true); /* or it went with another try */
		JOB_AWAIT(job, is_closed(op), JOB_FOREVER); /* its own */
		if (op->close_err.code)
			return job_fail_err(job, &op->close_err);
		if (!op->dev.vm->machine.ready)
			return op_device_fail_gone(job);
		note_gone(op);
	}
	while (write_next(op)) {
		JOB_AWAIT(job, op->written, JOB_FOREVER); /* its own */
		note_written(op);
	}
	JOB_END(job);
}

static void unplug_cleanup(struct job *job)
{
	struct op_unplug *op = container_of(job, struct op_unplug, job);

	op_device_fini(&op->dev);
	qmp_call_fini(&op->call);
	json_decref(op->there);
	free(op);
}

/* ---- disks and nics ---- */

static const struct list *all_disks(const struct vm_spec *spec)
{
	return &spec->disks;
}

/* One that can have gone. */
static const char *name_of_disk(struct list *it)
{
	const struct spec_disk *disk = list_entry(it, struct spec_disk, link);

	return argv_disk_is_hot(disk) ? disk->name : NULL;
}

static int may_disk_go(const struct vm *vm, const char *name, struct err *err)
{
	const struct spec_disk *disk =
		vm->running ? spec_disk_of(vm->running, name) : NULL;

	return disk ? argv_disk_may_plug(disk, vm->record.machine, err) : 0;
}

static const struct list *all_nics(const struct vm_spec *spec)
{
	return &spec->nics;
}

static const char *name_of_nic(struct list *it)
{
	return list_entry(it, struct spec_nic, link)->name;
}

/* Its port and its tap, which went with the backend. */
static void forget_nic(struct vm *vm, const char *name)
{
	nets_unplug(vm->name, name);
	running_drop_nic(vm, name);
}

const struct op_device_class op_device_disk = {
	.noun = "disk",
	.section = "disk",
	.fate = "closed",
	.all = all_disks,
	.name_of = name_of_disk,
	.may_go = may_disk_go,
	.close_start = disk_close_start,
	.forget = running_drop_disk,
	.detach = { "disk-detach", detach_run, NULL, unplug_cleanup },
	.reap = { "disk-reap", reap_run, NULL, unplug_cleanup },
};

const struct op_device_class op_device_nic = {
	.noun = "nic",
	.section = "net",
	.fate = "taken away",
	.all = all_nics,
	.name_of = name_of_nic,
	.forget = forget_nic,
	.detach = { "nic-detach", detach_run, NULL, unplug_cleanup },
	.reap = { "nic-reap", reap_run, NULL, unplug_cleanup },
};

static struct op_unplug *new_op(
	const struct op_device_class *class, struct vm *vm)
{
	struct op_unplug *op = NEW(struct op_unplug);

	op_device_init(&op->dev, class, vm, &op->job);
	return op;
}

struct job *op_device_detach_begin(const struct op_device_class *class,
	struct vm *vm, const struct op_detach *wish)
{
	struct op_unplug *op = new_op(class, vm);

	op_device_name(&op->dev, wish->name);
	op->timeout_ms = wish->timeout_ms;
	op->on_pending = wish->on_pending;
	op->pending_arg = wish->arg;
	job_start(&op->job, &class->detach, vm->name, wish->on_end, wish->arg);
	return &op->job;
}

struct job *op_device_reap_begin(const struct op_device_class *class,
	struct vm *vm, op_end_fn *on_end, void *arg)
{
	struct op_unplug *op = new_op(class, vm);

	job_start(&op->job, &class->reap, vm->name, on_end, arg);
	return &op->job;
}
