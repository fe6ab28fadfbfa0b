/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Going on from saved memory. */
#include "supervisor/op_save.h"

#include <fcntl.h>

#include "base/durable.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "qmp/call.h"
#include "supervisor/migration.h"
#include "supervisor/saved.h"

struct op_restore {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	int fd;
	int64_t look_ms;
	struct durable durable;
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

/* ---- loading ---- */

static bool open_memory(struct op_restore *op)
{
	AUTO_FREE char *path = saved_path(op->vm, SAVED_MEMORY);
	struct err err = ERR_INIT;

	op->fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW, 0);
	if (op->fd >= 0)
		return true;
	err_os(&err, "cannot open '%s'", path);
	job_fail_err(&op->job, &err);
	return false;
}

static void send_fd(struct op_restore *op)
{
	qmp_call_start(&op->call, &op->job, QMP_OF(op),
		&(struct qmp_command){ "getfd",
			json_pack("{s:s}", "fdname", MIGRATION_FD), 0, op->fd },
		false);
	fd_close(&op->fd);
}

static bool mark_used(struct op_restore *op)
{
	struct err err = ERR_INIT;

	if (!saved_use(op->vm, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

static void sync_dir(struct op_restore *op)
{
	AUTO_FREE char *path = saved_path(op->vm, SAVED_STATE);

	durable_above(&op->durable, &op->job, path);
}

static enum job_state restore_run(struct job *job)
{
	struct op_restore *op = container_of(job, struct op_restore, job);

	JOB_BEGIN(job);
	if (!open_memory(op))
		return JOB_ENDS;
	/* the disks are not opened for writing before the guest goes on */
	QMP_CALL(job, &op->call, QMP_OF(op), "migrate-set-capabilities",
		migration_capability("late-block-activate"));
	send_fd(op);
	JOB_AWAIT(job, op->call.replied, JOB_FOREVER); /* has a deadline */
	QMP_CALL(job, &op->call, QMP_OF(op), "migrate-incoming",
		migration_uri());
	do {
		JOB_AWAIT_OR_TIMEOUT(job, !op->vm->machine.ready,
			migration_patience(&op->look_ms));
		QMP_CALL(job, &op->call, QMP_OF(op), "query-migrate", NULL);
	} while (migration_look(job, op->call.result) != MIGRATION_DONE &&
		 !job->err.code);
	if (job->err.code || !mark_used(op))
		return JOB_ENDS;
	JOB_DURABLE(job, &op->durable, sync_dir(op));
	JOB_END(job);
}

static void restore_cleanup(struct job *job)
{
	struct op_restore *op = container_of(job, struct op_restore, job);

	durable_stop(&op->durable);
	fd_close(&op->fd);
	qmp_call_fini(&op->call);
	free(op);
}

struct job *op_restore_begin(
	struct vm *vm, struct job *parent, op_end_fn *on_end)
{
	static const struct job_kind kind = { "restore", restore_run, NULL,
		restore_cleanup };
	struct op_restore *op = NEW(struct op_restore);

	op->vm = vm;
	op->fd = -1;
	job_start(&op->job, &kind, vm->name, on_end, parent);
	op->job.parent = parent;
	return &op->job;
}
