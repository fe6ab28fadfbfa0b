/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The step of a job that makes a file or a directory durable. */
#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

enum how { BY_FD, BY_PATH, ABOVE };

struct op {
	struct job job;
	struct durable durable;
	const char *path;
	enum how how;
	int fd;
	bool went_on;
};

static struct err ended;
static bool went_on;

static void begin(struct op *op)
{
	if (op->how == BY_FD)
		durable_fd(&op->durable, &op->job, op->fd, op->path);
	else if (op->how == BY_PATH)
		durable_path(&op->durable, &op->job, op->path);
	else
		durable_above(&op->durable, &op->job, op->path);
}

static enum job_state op_run(struct job *job)
{
	struct op *op = container_of(job, struct op, job);

	JOB_BEGIN(job);
	JOB_DURABLE(job, &op->durable, begin(op));
	JOB_DURABLE(job, &op->durable, begin(op)); /* once more: the same */
	went_on = true;
	JOB_END(job);
}

static void op_cleanup(struct job *job)
{
	struct op *op = container_of(job, struct op, job);

	durable_stop(&op->durable);
	free(op);
}

static void on_end(struct job *job, void *arg)
{
	(void)arg;
	ended = job->err;
}

static const struct job_kind kind = { "sync", op_run, NULL, op_cleanup };

static struct op *start(enum how how, const char *path, int fd)
{
	struct op *op = NEW(struct op);

	op->how = how;
	op->path = path;
	op->fd = fd;
	went_on = false;
	ended = (struct err)ERR_INIT;
	job_start(&op->job, &kind, NULL, on_end, NULL);
	return op;
}

static enum err_code sync_of(enum how how, const char *path, int fd)
{
	start(how, path, fd);
	loop_run();
	return ended.code;
}

static unsigned count_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int synced_fd;

static int failing_fsync(int fd)
{
	synced_fd = fd;
	errno = ENOSPC;
	return -1;
}

static int no_aio(unsigned n, unsigned long *context)
{
	(void)n;
	(void)context;
	errno = ENOSYS;
	return -1;
}

static void test_failing(const char *file, int fd)
{
	struct sys_backend odd = sys_real;

	odd.io_setup = no_aio;
	odd.fsync = failing_fsync;
	aio_fini();
	sys_use(&odd);
	is_int(sync_of(BY_FD, file, fd), ERR_OS, "ENOSPC: %s", ended.text);
	ok(!went_on, "the body ends there");
	is_int(synced_fd, fd, "it was that file");
	is_int(sync_of(ABOVE, file, -1), ERR_OS, "above: %s", ended.text);
	sys_use(&sys_real);
	aio_fini();
}

int main(void)
{
	struct err err = ERR_INIT;
	const char *file;
	unsigned fds;
	struct op *op;
	int fd;

	temp_make();
	log_set_level(LOG_ERROR);
	if (loop_init(&err) != 0)
		return 1;
	file = temp_path("file");
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	is_int(sync_of(BY_PATH, file, -1), ERR_NONE, "a file by its name");
	ok(went_on, "the body goes on");
	fds = count_fds();
	is_int(sync_of(BY_FD, file, fd), ERR_NONE, "one that is open");
	is_int(sync_of(ABOVE, file, -1), ERR_NONE, "the directory above");
	is_int(sync_of(BY_PATH, temp_root, -1), ERR_NONE, "a directory");
	is_int(sync_of(BY_PATH, "/nowhere/x", -1), ERR_OS, "no such file");
	is_str(ended.text,
		"cannot make '/nowhere/x' durable: No such file or directory",
		"says which and why");
	ok(!went_on, "the body ends there");
	op = start(BY_PATH, file, -1);
	loop_turn(false);
	job_cancel(&op->job);
	loop_run();
	is_int(ended.code, ERR_CANCELLED, "cancelled in the middle");
	is_int(count_fds(), fds, "nothing stays open");
	test_failing(file, fd);
	loop_fini();
	return done();
}
