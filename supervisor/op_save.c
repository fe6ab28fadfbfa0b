/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saving a running VM to disk; see op_save.h. */
#include "supervisor/op_save.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "base/durable.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "qmp/call.h"
#include "supervisor/migration.h"
#include "supervisor/running.h"
#include "supervisor/saved.h"
#include "supervisor/snapshot_fit.h"

#define MARK    "saving" /* in priv: whether the guest ran */
#define KILL_MS 30000
#define TRIES   200 /* looks at a migration that was cancelled */

struct op_save {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	int fd;    /* of the memory; or -1 */
	bool ran;  /* the guest, before */
	bool ends; /* QEMU is told to end: there is no way back */
	int64_t look_ms;
	unsigned tries;
	struct durable durable;
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

int op_save_check(const struct vm *vm, struct err *err)
{
	if (!vm->running || !vm->machine.ready)
		return err_set(err, ERR_STATE, "it is %s", vm_state_word(vm));
	if (vm->running->vm.ephemeral || vm->once_ephemeral)
		return err_set(err, ERR_UNSUPPORTED,
			"[vm] ephemeral = yes: its disks are thrown away");
	if (running_is_resized(vm))
		return err_set(err, ERR_UNSUPPORTED,
			"its vCPUs or memory were changed while it ran, which "
			"cannot be restored: vmward restart it first");
	return snapshot_fit_live(vm, err);
}

/* ---- the mark for a successor ---- */

int op_save_mark(const struct vm *vm, bool ran, struct err *err)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, MARK);

	return fd_write_file(
		AT_FDCWD, path, ran ? "1" : "0", 1, 0600, false, err);
}

void op_save_unmark(const struct vm *vm)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, MARK);

	sys_unlinkat(AT_FDCWD, path, 0);
}

bool op_save_marked(const struct vm *vm, bool *ran)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, MARK);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;

	if (fd_read_file(AT_FDCWD, path, 1, &text, &err))
		return false;
	*ran = str_eq(str_text(&text), "1");
	return true;
}

bool op_save_was_begun(const struct vm *vm)
{
	bool ran;

	return op_save_marked(vm, &ran);
}

/* ---- the steps ---- */

static bool prepare(struct op_save *op)
{
	struct err err = ERR_INIT;

	if (!op_save_check(op->vm, &err))
		op->fd = saved_create(op->vm, &err);
	if (op->fd >= 0 && !op_save_mark(op->vm, op->ran, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

static void send_fd(struct op_save *op)
{
	qmp_call_start(&op->call, &op->job, QMP_OF(op),
		&(struct qmp_command){ "getfd",
			json_pack("{s:s}", "fdname", MIGRATION_FD), 0, op->fd },
		false);
}

/* From here on the memory on disk is what counts. */
static bool commit(struct op_save *op)
{
	struct err err = ERR_INIT;

	if (!saved_commit(op->vm, op->ran, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

typedef void sync_fn(
	struct durable *durable, struct job *job, const char *path);

static void sync_saved(struct op_save *op, sync_fn *sync, const char *leaf)
{
	AUTO_FREE char *path = saved_path(op->vm, leaf);

	sync(&op->durable, &op->job, path);
}

static void sync_above_dir(struct op_save *op)
{
	AUTO_FREE char *dir = saved_path(op->vm, "");

	dir[strlen(dir) - 1] = '\0';
	durable_above(&op->durable, &op->job, dir);
}

/* Its images are closed, as it were: nothing is lost by a signal. */
static void end_qemu(struct op_save *op)
{
	op->ends = true;
	op->vm->intent_stop = true;
	if (machine_signal(&op->vm->machine, SIGKILL, &op->job.undo_err))
		vmlog_line(&op->vm->log, LOG_WARN, "%s", op->job.undo_err.text);
}

static enum job_state save_run(struct job *job)
{
	struct op_save *op = container_of(job, struct op_save, job);

	JOB_BEGIN(job);
	if (!prepare(op))
		return JOB_ENDS;
	vm_job_phase(op->vm, job, "memory");
	QMP_CALL(job, &op->call, QMP_OF(op), "migrate-set-parameters",
		migration_unlimited());
	if (op->ran)
		QMP_CALL(job, &op->call, QMP_OF(op), "stop", NULL);
	send_fd(op);
	JOB_AWAIT(job, op->call.replied, JOB_FOREVER); /* has a deadline */
	QMP_CALL(job, &op->call, QMP_OF(op), "migrate", migration_uri());
	do {
		JOB_AWAIT_OR_TIMEOUT(job, !op->vm->machine.ready,
			migration_patience(&op->look_ms));
		QMP_CALL(job, &op->call, QMP_OF(op), "query-migrate", NULL);
	} while (migration_look(job, op->call.result) == MIGRATION_ACTIVE);
	if (job->err.code)
		return JOB_ENDS;
	vm_job_phase(op->vm, job, "sync");
	JOB_DURABLE(job, &op->durable,
		durable_fd(&op->durable, job, op->fd, "its memory"));
	if (!commit(op))
		return JOB_ENDS;
	JOB_DURABLE(
		job, &op->durable, sync_saved(op, durable_path, SAVED_STATE));
	JOB_DURABLE(
		job, &op->durable, sync_saved(op, durable_above, SAVED_STATE));
	JOB_DURABLE(job, &op->durable, sync_above_dir(op));
	end_qemu(op);
	JOB_AWAIT(job, machine_is_ended(&op->vm->machine), KILL_MS);
	JOB_END(job);
}

/* ---- back ---- */

static bool still_active(struct op_save *op)
{
	const char *status = str_or(
		json_string_value(json_object_get(op->call.result, "status")),
		"");

	return !op->call.err.code && op->tries++ < TRIES &&
	       (str_eq(status, "active") || str_eq(status, "cancelling") ||
		       str_eq(status, "setup") || str_eq(status, "device"));
}

static bool cannot_go_on(const struct op_save *op)
{
	return op->ends || !op->vm->machine.ready;
}

/* Shared by the undo and a successor: the guest goes on. */
static enum job_state back_run(struct job *job)
{
	struct op_save *op = container_of(job, struct op_save, job);

	JOB_BEGIN(job);
	if (op->ends)
		return JOB_ENDS;
	saved_forget(op->vm);
	if (cannot_go_on(op))
		return JOB_ENDS;
	QMP_TRY(job, &op->call, QMP_OF(op), "migrate_cancel", NULL);
	op->look_ms = 0;
	do {
		JOB_AWAIT_OR_TIMEOUT(job, !op->vm->machine.ready,
			migration_patience(&op->look_ms));
		QMP_TRY(job, &op->call, QMP_OF(op), "query-migrate", NULL);
	} while (still_active(op));
	if (op->ran)
		QMP_TRY(job, &op->call, QMP_OF(op), "cont", NULL);
	if (op->ran && op->call.err.code)
		vmlog_line(&op->vm->log, LOG_ERROR,
			"it cannot go on after a save: %s", op->call.err.text);
	op_save_unmark(op->vm);
	JOB_END(job);
}

static void save_cleanup(struct job *job)
{
	struct op_save *op = container_of(job, struct op_save, job);

	durable_stop(&op->durable);
	fd_close(&op->fd);
	qmp_call_fini(&op->call);
	free(op);
}

static struct job *begin(struct vm *vm, const struct job_kind *kind, bool ran,
	op_end_fn *on_end, void *arg)
{
	struct op_save *op = NEW(struct op_save);

	op->vm = vm;
	op->fd = -1;
	op->ran = ran;
	job_start(&op->job, kind, vm->name, on_end, arg);
	return &op->job;
}

struct job *op_save_begin(struct vm *vm, op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "save", save_run, back_run,
		save_cleanup };

	return begin(vm, &kind, !vm->kept_paused, on_end, arg);
}

struct job *op_save_reap_begin(struct vm *vm, op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "save-reap", back_run, NULL,
		save_cleanup };
	bool ran = false;

	op_save_marked(vm, &ran);
	return begin(vm, &kind, ran, on_end, arg);
}
