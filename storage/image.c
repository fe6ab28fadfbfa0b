/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-img overwrites what it finds, leaves half-made files and syncs
 * nothing: so it gets a file that we made (0600, ours alone, locked against
 * a sweep), and the image takes its name only once it is on disk.
 */
#include "storage/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/cage.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

enum { RANDOM_DIGITS = 8 };

static const char mark[] = ".tmp.";

static struct image_create *op_of(struct job *job)
{
	return container_of(job, struct image_create, job);
}

static void fail_os(struct image_create *op)
{
	struct err err = ERR_INIT;

	err_os(&err, "cannot create image '%s'", op->path);
	job_fail_err(&op->job, &err);
}

static void fail_exists(struct image_create *op)
{
	job_fail(&op->job, ERR_EXISTS, "image '%s' exists already", op->path);
}

/* ---- the steps ---- */

static int open_dir(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash && slash > path ? (size_t)(slash - path) : 1;
	AUTO_FREE char *dir = xstrndup(slash ? path : ".", len);

	return sys_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
}

static int make_temporary(struct image_create *op)
{
	AUTO_FREE char *name = NULL;
	uint32_t random;
	struct stat st;

	if (sys_fstatat(AT_FDCWD, op->path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		fail_exists(op);
		return -1;
	}
	op->dir_fd = open_dir(op->path);
	if (op->dir_fd < 0 || sys_random(&random, sizeof(random)) != 0)
		return -1;
	name = xasprintf("%s%s%08" PRIx32, op->path, mark, random);
	op->fd = sys_openat(AT_FDCWD, name,
		O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (op->fd < 0)
		return -1;
	op->temporary = TAKE(name);
	/* where flock does not work, a sweep removes nothing either */
	(void)sys_flock(op->fd, LOCK_EX | LOCK_NB);
	return 0;
}

static void on_run_end(struct job *job, void *arg)
{
	struct image_create *op = arg;

	op->run_err = job->err;
	op->run = NULL;
	job_wake(&op->job);
}

static size_t add_secrets(
	const struct image_create *op, const char *argv[], size_t n)
{
	if (op->secret.bytes) {
		argv[n++] = "--object";
		argv[n++] = QEMU_IMG_SECRET;
	}
	if (op->new_secret.bytes) {
		argv[n++] = "--object";
		argv[n++] = QEMU_IMG_NEW_SECRET;
	}
	return n;
}

/* The words after `qemu-img create`; their number. */
static size_t add_create(
	const struct image_create *op, const char *argv[], size_t n)
{
	argv[n++] = "create";
	argv[n++] = "-q";
	n = add_secrets(op, argv, n);
	argv[n++] = "-f";
	argv[n++] = op->format;
	if (op->unread)
		argv[n++] = "-u";
	if (op->base) {
		argv[n++] = "-b";
		argv[n++] = op->base;
		argv[n++] = "-F";
		argv[n++] = op->base_format;
	}
	return n;
}

static size_t add_convert(
	const struct image_create *op, const char *argv[], size_t n)
{
	argv[n++] = "convert";
	argv[n++] = "-p";
	n = add_secrets(op, argv, n);
	if (op->secret.bytes) {
		argv[n++] = "--image-opts";
	} else if (!op->from_opened) {
		argv[n++] = "-f";
		argv[n++] = op->from_format;
	}
	if (op->snapshot) {
		argv[n++] = "-l";
		argv[n++] = op->snapshot;
	}
	argv[n++] = "-O";
	argv[n++] = op->format;
	if (op->compress)
		argv[n++] = "-c";
	return n;
}

struct limits {
	char bytes[24];
	char seconds[24];
};

/* Room for tables and slack; time for a slow processor, 16 MiB a second. */
static size_t add_cage(const struct image_create *op, struct limits *limits,
	const char *argv[])
{
	size_t n = 0;

	snprintf(limits->bytes, sizeof(limits->bytes), "%" PRIu64,
		op->size + op->size / 8 + (UINT64_C(256) << 20));
	snprintf(limits->seconds, sizeof(limits->seconds), "%" PRIu64,
		60 + (op->size >> 24));
	argv[n++] = CAGE_SELF;
	argv[n++] = "--cage";
	argv[n++] = op->from;
	argv[n++] = op->temporary;
	argv[n++] = limits->bytes;
	argv[n++] = limits->seconds;
	return n;
}

/* cp alone knows how to share blocks without holding us up. */
static void start_cp(struct image_create *op)
{
	AUTO_FREE char *what =
		xasprintf(op->reflink ? "cannot share the blocks of '%s'"
				      : "cannot copy '%s'",
			op->from);
	struct qemu_img_how how = { .what = what, .total = op->size };
	const char *argv[] = { "cp",
		op->reflink ? "--reflink=always" : "--reflink=auto", "--",
		op->from, op->temporary, NULL };

	op->run = qemu_img_start(argv, &how, &op->job, on_run_end, op);
}

static void start_tool(struct image_create *op)
{
	AUTO_FREE char *what = xasprintf("cannot create image '%s'", op->path);
	struct qemu_img_how how = {
		.what = what,
		.hide = op->temporary,
		.total = op->size,
		.secret = &op->secret,
		.new_secret = &op->new_secret,
		.source = op->from_fd,
	};
	AUTO_FREE char *opened =
		op->secret.bytes ? qemu_img_opts(op->from, op->from_format)
				 : NULL;
	struct limits limits;
	char size[24];
	const char *argv[36];
	size_t n = op->caged ? add_cage(op, &limits, argv) : 0;

	argv[n++] = op->qemu_img;
	n = op->from ? add_convert(op, argv, n) : add_create(op, argv, n);
	if (op->options) {
		argv[n++] = "-o";
		argv[n++] = op->options;
	}
	if (op->from)
		argv[n++] = opened            ? opened
			    : op->from_opened ? op->from_opened
					      : op->from;
	argv[n++] = op->temporary;
	if (op->size > 0 && !op->from) {
		snprintf(size, sizeof(size), "%" PRIu64, op->size);
		argv[n++] = size;
	}
	argv[n] = NULL;
	op->run = qemu_img_start(argv, &how, &op->job, on_run_end, op);
}

static bool begin(struct image_create *op)
{
	op->job.progress.phase = op->from ? "converting" : "creating";
	if (make_temporary(op) != 0) {
		fail_os(op);
		return false;
	}
	if (op->reflink || op->verbatim)
		start_cp(op);
	else
		start_tool(op);
	return true;
}

/* Some file systems know no RENAME_NOREPLACE: look, then rename. */
static int rename_new(const char *from, const char *to)
{
	struct stat st;

	if (sys_renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (sys_fstatat(AT_FDCWD, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return sys_renameat(AT_FDCWD, from, AT_FDCWD, to);
}

static bool put_in_place(struct image_create *op)
{
	if (rename_new(op->temporary, op->path) == 0) {
		op->placed = true;
		return true;
	}
	if (errno == EEXIST)
		fail_exists(op);
	else
		fail_os(op);
	return false;
}

/* ---- the job ---- */

static enum job_state create_run(struct job *job)
{
	struct image_create *op = container_of(job, struct image_create, job);

	JOB_BEGIN(job);
	if (!begin(op))
		return JOB_ENDS;
	JOB_AWAIT(job, !op->run, JOB_FOREVER); /* a job of its own */
	if (op->run_err.code)
		return job_fail_err(job, &op->run_err);
	job->progress.phase = "syncing";
	JOB_DURABLE(job, &op->durable,
		durable_fd(&op->durable, job, op->fd, op->path));
	if (!put_in_place(op))
		return JOB_ENDS;
	JOB_DURABLE(job, &op->durable,
		durable_fd(&op->durable, job, op->dir_fd, op->path));
	JOB_END(job);
}

static enum job_state create_undo(struct job *job)
{
	struct image_create *op = op_of(job);
	const char *left = op->placed ? op->path : op->temporary;

	if (left && sys_unlinkat(AT_FDCWD, left, 0) != 0 && errno != ENOENT) {
		struct err err = ERR_INIT;

		err_os(&err, "cannot remove '%s'", left);
		return job_fail_err(job, &err);
	}
	return JOB_ENDS;
}

static void create_cleanup(struct job *job)
{
	struct image_create *op = op_of(job);

	durable_stop(&op->durable);
	fd_close(&op->fd);
	fd_close(&op->dir_fd);
	free(op->qemu_img);
	free(op->path);
	free(op->format);
	free(op->base);
	free(op->base_format);
	free(op->options);
	free(op->from);
	free(op->from_format);
	free(op->from_opened);
	free(op->snapshot);
	if (op->from_fd > 0)
		fd_close(&op->from_fd);
	free(op->temporary);
	secret_fini(&op->secret);
	secret_fini(&op->new_secret);
	free(op);
}

static const struct job_kind create_kind = {
	.name = "image-create",
	.run = create_run,
	.undo = create_undo,
	.cleanup = create_cleanup,
};

struct image_create *image_create_start(const char *qemu_img,
	const struct image_wish *wish, const char *target, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg)
{
	struct image_create *op = NEW(struct image_create);

	op->qemu_img = xstrdup(qemu_img);
	op->path = xstrdup(wish->path);
	op->format = xstrdup(wish->format);
	if (wish->base) {
		op->base = xstrdup(wish->base);
		op->base_format = xstrdup(wish->base_format);
	}
	op->unread = wish->unread;
	op->size = wish->size;
	op->options = wish->options ? xstrdup(wish->options) : NULL;
	if (wish->from) {
		op->from = xstrdup(wish->from);
		op->from_format = xstrdup(wish->from_format);
		op->from_opened =
			wish->from_opened ? xstrdup(wish->from_opened) : NULL;
		if (wish->snapshot)
			op->snapshot =
				xasprintf("snapshot.name=%s", wish->snapshot);
		op->from_fd = wish->from_fd > 0 ? sys_dup(wish->from_fd) : 0;
	}
	op->compress = wish->compress;
	op->caged = wish->caged;
	op->reflink = wish->reflink;
	op->verbatim = wish->verbatim;
	op->secret = secret_copy(wish->secret);
	op->new_secret = secret_copy(wish->new_secret);
	op->fd = -1;
	op->dir_fd = -1;
	job_start(&op->job, &create_kind, target, on_end, arg);
	op->job.parent = parent;
	return op;
}

static void on_step_end(struct job *job, void *arg)
{
	struct image_step *step = arg;

	step->run = NULL;
	step->err = job->err;
}

void image_step_start(struct image_step *step, const char *qemu_img,
	const struct image_wish *wish, const char *target, struct job *parent)
{
	step->run = image_create_start(
		qemu_img, wish, target, parent, on_step_end, step);
}

/* ---- what a crash left ---- */

struct sweep {
	const char *dir;
	int dir_fd;
};

bool image_is_temporary(const char *name)
{
	size_t len = strlen(name);
	size_t tail = strlen(mark) + RANDOM_DIGITS;
	const char *at;

	if (len <= tail)
		return false;
	at = name + len - tail;
	return str_starts(at, mark) &&
	       strspn(at + strlen(mark), "0123456789abcdef") == RANDOM_DIGITS;
}

static void sweep_one(void *arg, const char *name)
{
	const struct sweep *sweep = arg;
	AUTO_CLOSE int fd = -1;
	struct stat st;

	if (!image_is_temporary(name))
		return;
	fd = sys_openat(sweep->dir_fd, name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0 || sys_fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
		sys_flock(fd, LOCK_EX | LOCK_NB) != 0)
		return;
	if (sys_unlinkat(sweep->dir_fd, name, 0) == 0)
		log_info(NULL, "removed the unfinished image '%s/%s'",
			sweep->dir, name);
}

void image_sweep(const char *dir)
{
	AUTO_CLOSE int fd = sys_openat(
		AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	struct sweep sweep = { dir, fd };

	if (fd >= 0)
		(void)sys_listdir(fd, ".", sweep_one, &sweep);
}
