/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adoption: the lock is held, so a QEMU lives.  Connect, learn who it is,
 * ask what it does, and take it as it is.  Nothing is killed here: a QEMU
 * that does not answer is unreachable, and asked again later.
 */
#include "supervisor/op.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"
#include "qmp/call.h"
#include "supervisor/diskfull.h"
#include "supervisor/refresh.h"

#define GREETING_MS 3000
#define YANKS       4   /* strangers that one try throws off the monitor */
#define YANK_MS     100 /* for QEMU to take the next who waits */

struct op_adopt {
	struct job job;
	struct vm *vm;
	struct qmp_call status;
	struct qmp_call uuid;
	struct qmp_call blocks;
	unsigned yanks;
	struct job *settling; /* until there is one QEMU, or none; or NULL */
	bool known;           /* the process was there */
	char state[24];       /* QEMU's run state */
	char full[64];        /* the node that had no space; or "" */
};

/* The record's pid, if that process is this VM: kill works without monitor. */
static void know_by_pid(struct vm *vm)
{
	pid_t pid = vm->record.pid;
	int pidfd;

	if (machine_is_alive(&vm->machine) || pid <= 1 ||
		!str_eq(vm->record.boot_id, store_boot_id()))
		return; /* of another boot: the pid is anybody's now */
	pidfd = sys_pidfd_open(pid);
	if (pidfd < 0)
		return;
	/* checked while the pidfd pins it: no reuse in between */
	if (machine_pid_is(
		    pid, vm->record.pid_start, vm->record.uuid, vm->name)) {
		vm->machine.seen = (struct cause_inputs){ .started = true };
		machine_know_pid(&vm->machine, pid, pidfd);
	} else {
		sys_close(pidfd);
	}
}

static bool settled(const struct op_adopt *op)
{
	const struct machine *m = &op->vm->machine;

	return m->ready || !m->attached;
}

static bool is_dead(const struct op_adopt *op)
{
	return op->known && !machine_is_alive(&op->vm->machine);
}

/* Connects; a queue full of others is no failure, but not attached either. */
static int knock(struct op_adopt *op, struct err *err)
{
	struct machine *m = &op->vm->machine;
	struct err why = ERR_INIT;
	int rc = m->attached ? 0 : machine_adopt(m, &why);

	op->known |= machine_is_alive(m);
	if (!rc || why.os == EAGAIN)
		return 0;
	*err = why;
	if (!machine_is_alive(m) && !vm_is_locked(op->vm)) {
		if (!m->dead) /* else its end was seen just now */
			m->seen = (struct cause_inputs){ .started = true,
				.adopted = true };
		m->dead = true;
		err_set(err, ERR_GONE, "QEMU is gone");
	}
	return -1;
}

/* QEMU is stuck, or somebody else is served: he goes, the next one comes. */
static void throw_off(struct op_adopt *op)
{
	vm_set_note(op->vm, "QEMU does not answer on its monitor");
	machine_yank(&op->vm->machine);
}

static void ask(struct op_adopt *op)
{
	struct qmp_client *qmp = machine_qmp(&op->vm->machine);

	qmp_call_start(&op->status, &op->job, qmp,
		QMP_COMMAND_IN(GREETING_MS, "query-status", NULL), false);
	qmp_call_start(&op->uuid, &op->job, qmp,
		QMP_COMMAND_IN(GREETING_MS, "query-uuid", NULL), false);
}

static bool is_ours(const struct op_adopt *op)
{
	const char *uuid =
		json_string_value(json_object_get(op->uuid.result, "UUID"));
	const struct vm *vm = op->vm;
	/* the record may be another VM's, the files may have changed since */
	const char *const ours[] = { vm->record.uuid,
		vm->running ? vm->running->uuid : "",
		vm->spec ? vm->spec->uuid : "" };
	bool any = uuid;

	for (size_t i = 0; uuid && i < NELEMS(ours); i++) {
		if (str_eq(uuid, ours[i]))
			return true;
		any &= !*ours[i];
	}
	return any;
}

static const char *status_of(const struct op_adopt *op)
{
	return json_string_value(json_object_get(op->status.result, "status"));
}

/* Which disk stopped the guest while nobody heard BLOCK_IO_ERROR. */
static void find_full(struct op_adopt *op)
{
	size_t i;
	json_t *disk;

	json_array_foreach(op->blocks.result, i, disk)
	{
		const char *why =
			json_string_value(json_object_get(disk, "io-status"));
		const char *node =
			str_or(json_string_value(json_object_get(
				       json_object_get(disk, "inserted"),
				       "node-name")),
				"");

		if (why && (str_eq(why, "nospace") ||
				   (str_eq(why, "failed") &&
					   diskfull_heals(op->vm, node))))
			snprintf(op->full, sizeof(op->full), "%s", node);
	}
}

static void on_settled(struct job *job, void *arg)
{
	struct op_adopt *op =
		container_of((struct job *)arg, struct op_adopt, job);

	op->settling = NULL;
	op->known = machine_is_alive(&op->vm->machine);
	if (job->err.code)
		job_fail_err(&op->job, &job->err);
}

/* It was on its way from one QEMU to another: one of them stays. */
static void settle_two(struct op_adopt *op)
{
	op->settling = refresh_settle_begin(op->vm, &op->job, on_settled);
}

/* Who wakes this one knows of the old QEMU: that concerns the other. */
static bool is_one(struct op_adopt *op)
{
	if (op->settling)
		job_wake(op->settling);
	return !op->settling;
}

static enum job_state adopt_run(struct job *job)
{
	struct op_adopt *op = container_of(job, struct op_adopt, job);

	JOB_BEGIN(job);
	know_by_pid(op->vm);
	op->vm->machine.generation = op->vm->record.generation;
	if (machine_is_alive(&op->vm->machine) ||
		machine_find(&op->vm->machine))
		op->known = true; /* kill needs no monitor */
	settle_two(op);
	JOB_AWAIT(job, is_one(op), JOB_FOREVER); /* its own */
	for (op->yanks = 0; op->yanks <= YANKS; op->yanks++) {
		if (op->yanks > 0) {
			throw_off(op);
			JOB_AWAIT_OR_TIMEOUT(job, is_dead(op), YANK_MS);
		}
		if (knock(op, &job->err))
			return JOB_ENDS;
		JOB_AWAIT_OR_TIMEOUT(job, settled(op), GREETING_MS);
		if (op->vm->machine.ready || is_dead(op))
			break;
	}
	if (!op->vm->machine.ready)
		return job_fail(job, ERR_UNREACHABLE,
			"QEMU does not answer on its monitor");
	ask(op);
	JOB_AWAIT(job, op->status.replied && op->uuid.replied, GREETING_MS);
	if (!is_ours(op))
		return job_fail(job, ERR_UNREACHABLE,
			"another machine answers on the monitor");
	snprintf(op->state, sizeof(op->state), "%s", str_or(status_of(op), ""));
	if (str_eq(op->state, "io-error")) {
		QMP_TRY(job, &op->blocks, machine_qmp(&op->vm->machine),
			"query-block", NULL);
		if (!op->vm->machine.ready)
			return job_fail(job, ERR_UNREACHABLE,
				"QEMU does not answer on its monitor");
		find_full(op);
	}
	JOB_END(job);
}

/* What it says cannot be followed: the next try begins a new talk. */
static enum job_state adopt_undo(struct job *job)
{
	struct op_adopt *op = container_of(job, struct op_adopt, job);

	machine_hang_up(&op->vm->machine);
	return JOB_ENDS;
}

static void adopt_cleanup(struct job *job)
{
	struct op_adopt *op = container_of(job, struct op_adopt, job);

	qmp_call_fini(&op->status);
	qmp_call_fini(&op->uuid);
	qmp_call_fini(&op->blocks);
	free(op);
}

static const struct job_kind adopt_kind = { "adopt", adopt_run, adopt_undo,
	adopt_cleanup };

struct job *op_adopt_begin(struct vm *vm, op_end_fn *on_end, void *arg)
{
	struct op_adopt *op = NEW(struct op_adopt);

	op->vm = vm;
	job_start(&op->job, &adopt_kind, vm->name, on_end, arg);
	return &op->job;
}

const char *op_adopt_status(const struct job *job)
{
	return container_of(job, struct op_adopt, job)->state;
}

const char *op_adopt_full_node(const struct job *job)
{
	return container_of(job, struct op_adopt, job)->full;
}
