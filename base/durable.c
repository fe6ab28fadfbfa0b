/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file or a directory becomes durable, as a job's step; see durable.h. */
#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"

static void end(struct durable *durable, int error)
{
	struct err err = ERR_INIT;

	durable->done = true;
	if (error) {
		errno = error;
		err_os(&err, "cannot make '%s' durable", durable->path);
		job_fail_err(durable->job, &err);
	}
	job_wake(durable->job);
}

static void on_synced(struct aio_sync *sync, int error)
{
	end(container_of(sync, struct durable, sync), error);
}

void durable_stop(struct durable *durable)
{
	aio_cancel(&durable->sync);
	if (durable->opened)
		fd_close(&durable->fd);
	durable->opened = false;
	free(TAKE(durable->path));
}

void durable_fd(
	struct durable *durable, struct job *job, int fd, const char *path)
{
	durable_stop(durable);
	durable->job = job;
	durable->path = xstrdup(path);
	durable->done = false;
	aio_fsync(&durable->sync, fd, on_synced);
}

static void open_and_sync(struct durable *durable, struct job *job,
	const char *name, const char *path)
{
	int fd = sys_openat(
		AT_FDCWD, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	int error = errno;

	if (fd >= 0) {
		durable_fd(durable, job, fd, path);
		durable->fd = fd;
		durable->opened = true;
		return;
	}
	durable_stop(durable);
	durable->job = job;
	durable->path = xstrdup(path);
	end(durable, error);
}

void durable_path(struct durable *durable, struct job *job, const char *path)
{
	open_and_sync(durable, job, path, path);
}

void durable_above(struct durable *durable, struct job *job, const char *path)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *dir = slash ? xstrndup(path, (size_t)(slash - path) + 1)
				    : xstrdup(".");

	open_and_sync(durable, job, dir, path);
}
