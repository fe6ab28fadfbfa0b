/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of a running VM: by virtio-mem it is given more than it was started
 * with, by the balloon it gives some back.  The guest does both in its own
 * time, and as far as it can: it is asked, waited for a while, and looked at.
 */
#include <inttypes.h>

#include "base/mem.h"
#include "base/str.h"
#include "qmp/call.h"
#include "supervisor/op_size.h"
#include "supervisor/room.h"
#include "supervisor/running.h"
#include "supervisor/size_check.h"

#define TAKE_MS 3000 /* QEMU tells of it once a second */

struct op_memory {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	struct qmp_sub sub;
	uint64_t want, has;
	uint64_t base;    /* it was started with */
	uint64_t plugged; /* what the balloon does not count: virtio-mem */
	int64_t timeout_ms;
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

static uint64_t number(const struct op_memory *op, const char *member)
{
	const json_t *result = op->call.result;

	return (uint64_t)json_integer_value(
		member ? json_object_get(result, member) : result);
}

static void on_event(struct qmp_sub *sub, const struct qmp_event *ev)
{
	struct op_memory *op = container_of(sub, struct op_memory, sub);

	if (ev->type == QMP_EV_BALLOON_CHANGE)
		op->has = op->plugged + (uint64_t)qmp_event_int(ev, "actual");
	if (ev->type == QMP_EV_MEMORY_DEVICE_SIZE_CHANGE)
		op->has = op->base + (uint64_t)qmp_event_int(ev, "size");
	job_wake(&op->job);
}

static bool is_over(const struct op_memory *op)
{
	return op->has == op->want || !op->vm->machine.ready;
}

/* ---- virtio-mem ---- */

static json_t *property(const char *name)
{
	return json_pack("{s:s,s:s}", "path", ROOM_PATH, "property", name);
}

static json_t *request(const struct op_memory *op)
{
	json_t *args = property("requested-size");

	json_object_set_new(
		args, "value", json_integer((json_int_t)(op->want - op->base)));
	return args;
}

static enum job_state fail_less(struct op_memory *op)
{
	AUTO_STR struct str text = STR_INIT;

	str_add_bytes(&text, op->base);
	return job_fail(&op->job, ERR_UNSUPPORTED,
		"it was started with %s: less by vmward balloon, or at a cold "
		"start",
		str_text(&text));
}

static enum job_state memory_run(struct job *job)
{
	struct op_memory *op = container_of(job, struct op_memory, job);

	JOB_BEGIN(job);
	if (!op->vm->machine.ready || !op->vm->running)
		return job_fail(job, ERR_GONE, "QEMU is gone");
	if (size_check_memory(op->vm, op->want, &job->err))
		return JOB_ENDS;
	qmp_subscribe(QMP_OF(op), &op->sub, on_event);
	QMP_CALL(job, &op->call, QMP_OF(op), "query-memory-size-summary", NULL);
	op->base = number(op, "base-memory");
	if (op->want < op->base)
		return fail_less(op);
	QMP_CALL(job, &op->call, QMP_OF(op), "qom-set", request(op));
	if (op->vm->running)
		running_set_memory(op->vm, op->want);
	QMP_CALL(job, &op->call, QMP_OF(op), "qom-get", property("size"));
	op->has = op->base + number(op, NULL);
	JOB_AWAIT_OR_TIMEOUT(job, is_over(op), TAKE_MS);
	QMP_TRY(job, &op->call, QMP_OF(op), "qom-get", property("size"));
	if (!op->call.err.code)
		op->has = op->base + number(op, NULL);
	JOB_END(job);
}

/* ---- the balloon ---- */

static enum job_state fail_plugged(struct op_memory *op)
{
	AUTO_STR struct str text = STR_INIT;

	str_add_bytes(&text, op->plugged);
	return job_fail(&op->job, ERR_UNSUPPORTED,
		"%s were plugged in: take them out by vmward memory set first",
		str_text(&text));
}

static enum job_state balloon_run(struct job *job)
{
	struct op_memory *op = container_of(job, struct op_memory, job);

	JOB_BEGIN(job);
	if (!op->vm->machine.ready)
		return job_fail(job, ERR_GONE, "QEMU is gone");
	qmp_subscribe(QMP_OF(op), &op->sub, on_event);
	QMP_CALL(job, &op->call, QMP_OF(op), "query-memory-size-summary", NULL);
	op->plugged = number(op, "plugged-memory");
	if (op->want <= op->plugged)
		return fail_plugged(op);
	QMP_CALL(job, &op->call, QMP_OF(op), "balloon",
		json_pack("{s:I}", "value",
			(json_int_t)(op->want - op->plugged)));
	QMP_CALL(job, &op->call, QMP_OF(op), "query-balloon", NULL);
	op->has = op->plugged + number(op, "actual");
	JOB_AWAIT_OR_TIMEOUT(job, is_over(op), op->timeout_ms);
	QMP_TRY(job, &op->call, QMP_OF(op), "query-balloon", NULL);
	if (!op->call.err.code)
		op->has = op->plugged + number(op, "actual");
	JOB_END(job);
}

/* ---- both ---- */

static void memory_cleanup(struct job *job)
{
	struct op_memory *op = container_of(job, struct op_memory, job);

	qmp_unsubscribe(&op->sub);
	qmp_call_fini(&op->call);
	free(op);
}

static const struct job_kind memory_kind = { "memory-set", memory_run, NULL,
	memory_cleanup };
static const struct job_kind balloon_kind = { "balloon", balloon_run, NULL,
	memory_cleanup };

static struct op_memory *new_op(struct vm *vm, uint64_t bytes)
{
	struct op_memory *op = NEW(struct op_memory);

	op->vm = vm;
	op->want = bytes;
	return op;
}

struct job *op_memory_begin(
	struct vm *vm, uint64_t bytes, op_end_fn *on_end, void *arg)
{
	struct op_memory *op = new_op(vm, bytes);

	job_start(&op->job, &memory_kind, vm->name, on_end, arg);
	return &op->job;
}

struct job *op_balloon_begin(struct vm *vm, uint64_t bytes, int64_t timeout_ms,
	op_end_fn *on_end, void *arg)
{
	struct op_memory *op = new_op(vm, bytes);

	op->timeout_ms = timeout_ms;
	job_start(&op->job, &balloon_kind, vm->name, on_end, arg);
	return &op->job;
}

uint64_t op_memory_has(const struct job *job)
{
	return container_of(job, const struct op_memory, job)->has;
}
