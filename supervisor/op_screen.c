/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs on the screen and the keyboard of a guest; see op_screen.h. */
#include "supervisor/op_screen.h"

#include <stdio.h>

#include "base/fd.h"
#include "base/mem.h"
#include "qmp/call.h"

#define SHOT_MS 60000 /* a large screen, a slow disk */

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

/* ---- screenshot ---- */

struct shot {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	int fd;
	json_int_t set;
	struct err err;
};

/* QEMU opens no file of ours: it gets the descriptor. */
static void send_fd(struct shot *op)
{
	qmp_call_start(&op->call, &op->job, QMP_OF(op),
		&(struct qmp_command){ "add-fd",
			json_pack("{s:s}", "opaque", "screenshot"), 0, op->fd },
		false);
	fd_close(&op->fd);
}

static json_t *shot_args(const struct shot *op)
{
	char name[48];

	snprintf(name, sizeof(name), "/dev/fdset/%lld", (long long)op->set);
	return json_pack("{s:s,s:s}", "filename", name, "format", "png");
}

static enum job_state shot_run(struct job *job)
{
	struct shot *op = container_of(job, struct shot, job);

	JOB_BEGIN(job);
	send_fd(op);
	JOB_AWAIT(job, op->call.replied, JOB_FOREVER); /* has a deadline */
	op->set = json_integer_value(
		json_object_get(op->call.result, "fdset-id"));
	qmp_call_start(&op->call, job, QMP_OF(op),
		QMP_COMMAND_IN(SHOT_MS, "screendump", shot_args(op)), true);
	JOB_AWAIT(job, op->call.replied, JOB_FOREVER); /* has a deadline */
	op->err = op->call.err;
	QMP_TRY(job, &op->call, QMP_OF(op), "remove-fd",
		json_pack("{s:I}", "fdset-id", op->set));
	if (op->err.code)
		return job_fail_err(job, &op->err);
	JOB_END(job);
}

static void shot_cleanup(struct job *job)
{
	struct shot *op = container_of(job, struct shot, job);

	fd_close(&op->fd);
	qmp_call_fini(&op->call);
	free(op);
}

struct job *op_screenshot_begin(
	struct vm *vm, int fd, op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "screenshot", shot_run, NULL,
		shot_cleanup };
	struct shot *op = NEW(struct shot);

	op->vm = vm;
	op->fd = fd;
	job_start(&op->job, &kind, vm->name, on_end, arg);
	return &op->job;
}

/* ---- keys ---- */

struct keys {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	json_t *chords;
	size_t at;
	int64_t hold_ms;
};

static json_t *next_chord(struct keys *op)
{
	return json_pack("{s:O,s:I}", "keys",
		json_array_get(op->chords, op->at++), "hold-time",
		(json_int_t)op->hold_ms);
}

/* QEMU queues what comes too fast, and forgets what comes much too fast. */
static enum job_state keys_run(struct job *job)
{
	struct keys *op = container_of(job, struct keys, job);

	JOB_BEGIN(job);
	while (op->at < json_array_size(op->chords)) {
		QMP_CALL(
			job, &op->call, QMP_OF(op), "send-key", next_chord(op));
		JOB_AWAIT_OR_TIMEOUT(job, false, op->hold_ms * 2);
	}
	JOB_END(job);
}

static void keys_cleanup(struct job *job)
{
	struct keys *op = container_of(job, struct keys, job);

	qmp_call_fini(&op->call);
	json_decref(op->chords);
	free(op);
}

struct job *op_keys_begin_steal(struct vm *vm, json_t *chords, int64_t hold_ms,
	op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "keys", keys_run, NULL,
		keys_cleanup };
	struct keys *op = NEW(struct keys);

	op->vm = vm;
	op->chords = chords;
	op->hold_ms = hold_ms;
	job_start(&op->job, &kind, vm->name, on_end, arg);
	return &op->job;
}
