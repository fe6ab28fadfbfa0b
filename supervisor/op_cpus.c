/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs of a running VM: those that are free are plugged in, lowest first;
 * those that were plugged in can go again, the last first, under KVM.
 */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "qmp/call.h"
#include "supervisor/op_size.h"
#include "supervisor/room.h"
#include "supervisor/running.h"
#include "supervisor/size_check.h"

#define UNPLUG_MS 5000

struct op_cpus {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	struct qmp_sub sub;
	uint64_t want;
	json_t *places; /* query-hotpluggable-cpus, the newest first */
	json_t *device; /* for the command to come */
	bool more;      /* one comes; else one goes */
	char *id;       /* that one */
	bool deleted, refused;
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

static uint64_t count(const struct op_cpus *op)
{
	json_t *place;
	uint64_t n = 0;
	size_t i;

	json_array_foreach(op->places, i, place) n +=
		json_object_get(place, "qom-path") != NULL;
	return n;
}

static int64_t part(const json_t *props, const char *name)
{
	return json_integer_value(json_object_get(props, name));
}

/* What plugs in the lowest free one; new, NULL: there is none. */
static json_t *next_device(const struct op_cpus *op)
{
	size_t i = json_array_size(op->places);
	json_t *device;
	const json_t *place = NULL;
	json_t *props;

	while (i > 0 && (!place || json_object_get(place, "qom-path")))
		place = json_array_get(op->places, --i);
	if (!place || json_object_get(place, "qom-path"))
		return NULL;
	props = json_object_get(place, "props");
	device = json_copy(props);
	json_object_set(device, "driver", json_object_get(place, "type"));
	json_object_set_new(device, "id",
		json_sprintf(ROOM_CPU "%" PRId64 "-%" PRId64 "-%" PRId64,
			part(props, "socket-id"), part(props, "core-id"),
			part(props, "thread-id")));
	return device;
}

/* The last that was plugged in: its id, new; NULL: none was. */
static char *last_plugged(const struct op_cpus *op)
{
	static const char above[] = "/machine/peripheral/";
	json_t *place;
	size_t i;

	json_array_foreach(op->places, i, place)
	{
		const char *path =
			json_string_value(json_object_get(place, "qom-path"));

		if (path && str_starts(path, above))
			return xstrdup(path + strlen(above));
	}
	return NULL;
}

/* The guest's answer to an eject: 132 is under way, 0 done, else a no. */
static bool is_no(const struct qmp_event *ev)
{
	int64_t status = qmp_event_int(ev, "status");

	return ev->type == QMP_EV_ACPI_DEVICE_OST &&
	       qmp_event_int(ev, "source") == 3 && status != 0 && status != 132;
}

static void on_event(struct qmp_sub *sub, const struct qmp_event *ev)
{
	struct op_cpus *op = container_of(sub, struct op_cpus, sub);

	op->deleted |= ev->type == QMP_EV_DEVICE_DELETED && op->id &&
		       str_eq(qmp_event_string(ev, "device"), op->id);
	op->refused |= is_no(ev);
	job_wake(&op->job);
}

/* However it ends: so many run. */
static void keep_places(struct op_cpus *op)
{
	json_decref(op->places);
	op->places = json_incref(op->call.result);
	if (op->vm->running)
		running_set_cpus(op->vm, count(op));
}

static json_t *next_to_go(struct op_cpus *op)
{
	free(op->id);
	op->id = last_plugged(op);
	op->deleted = false;
	op->refused = false;
	return op->id ? json_pack("{s:s}", "id", op->id) : NULL;
}

static bool is_answered(const struct op_cpus *op)
{
	return op->deleted || op->refused || !op->vm->machine.ready;
}

static enum job_state fail(
	struct op_cpus *op, enum err_code code, const char *why)
{
	return job_fail(&op->job, code, "%s: it has %" PRIu64, why, count(op));
}

static enum job_state cpus_run(struct job *job)
{
	struct op_cpus *op = container_of(job, struct op_cpus, job);

	JOB_BEGIN(job);
	if (!op->vm->machine.ready || !op->vm->running)
		return job_fail(job, ERR_GONE, "QEMU is gone");
	if (size_check_cpus(op->vm, op->want, &job->err))
		return JOB_ENDS;
	qmp_subscribe(QMP_OF(op), &op->sub, on_event);
	QMP_CALL(job, &op->call, QMP_OF(op), "query-hotpluggable-cpus", NULL);
	keep_places(op);
	while (count(op) != op->want) {
		op->more = count(op) < op->want;
		op->device = op->more ? next_device(op) : next_to_go(op);
		if (!op->device && op->more)
			return fail(op, ERR_LIMIT,
				"QEMU has no place for another vCPU");
		if (!op->device)
			return fail(op, ERR_UNSUPPORTED,
				"those that it was started with take a cold "
				"start to go");
		QMP_CALL(job, &op->call, QMP_OF(op),
			op->more ? "device_add" : "device_del",
			TAKE(op->device));
		if (!op->more) {
			JOB_AWAIT_OR_TIMEOUT(job, is_answered(op), UNPLUG_MS);
			if (!op->deleted)
				return fail(op, ERR_GUEST,
					"the guest does not let a vCPU go");
		}
		QMP_CALL(job, &op->call, QMP_OF(op), "query-hotpluggable-cpus",
			NULL);
		keep_places(op);
	}
	JOB_END(job);
}

static void cpus_cleanup(struct job *job)
{
	struct op_cpus *op = container_of(job, struct op_cpus, job);

	qmp_unsubscribe(&op->sub);
	qmp_call_fini(&op->call);
	json_decref(op->places);
	json_decref(op->device);
	free(op->id);
	free(op);
}

static const struct job_kind cpus_kind = { "cpu-set", cpus_run, NULL,
	cpus_cleanup };

struct job *op_cpus_begin(
	struct vm *vm, uint64_t cpus, op_end_fn *on_end, void *arg)
{
	struct op_cpus *op = NEW(struct op_cpus);

	op->vm = vm;
	op->want = cpus;
	job_start(&op->job, &cpus_kind, vm->name, on_end, arg);
	return &op->job;
}
