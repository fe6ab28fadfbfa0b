/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images of other places; see op_pull.h. */
#include "supervisor/op_pull.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>

#include "base/cage.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/remote.h"
#include "supervisor/op_import.h"

#define DIGITS       64
#define LOOK_MS      200
#define END_MS       10000
#define SECONDS      "86400" /* of processor: decryption of much */
#define ROOM_LEFT    (UINT64_C(64) << 20)
#define FILE_URL     "file://"
#define CONTENT_SIZE "content-length:"

static struct op_image *op_of(struct job *job)
{
	return container_of(job, struct op_image, job);
}

char *op_pull_cache(const struct paths *paths, const char *sha256)
{
	return xasprintf("%s/cache/%s", paths->state, sha256);
}

/* ---- what can be seen before anything is fetched ---- */

static bool fail(struct op_image *op, const struct err *err)
{
	job_fail_err(&op->job, err);
	return false;
}

static bool may_begin(struct op_image *op)
{
	AUTO_FREE char *dir = xasprintf("%s/cache", op->env->paths.state);
	struct err err = ERR_INIT;
	struct stat st;

	if (env_needs_cage(op->env, &err))
		return fail(op, &err);
	if (!sys_fstatat(AT_FDCWD, op->volume.path, &st, AT_SYMLINK_NOFOLLOW))
		err_set(&err, ERR_EXISTS, "image '%s' exists already",
			op->volume.path);
	else if (!fd_make_dirs(dir, 0700, &err))
		return true;
	return fail(op, &err);
}

/* Its bytes are looked at again before they are used. */
static bool is_cached(const struct op_image *op)
{
	struct stat st;

	return !sys_fstatat(
		       AT_FDCWD, op->from.path, &st, AT_SYMLINK_NOFOLLOW) &&
	       S_ISREG(st.st_mode);
}

/* ---- fetching ---- */

static bool make_temporary(struct op_image *op)
{
	struct err err = ERR_INIT;
	uint32_t random;

	if (!sys_random(&random, sizeof(random))) {
		op->pull.temporary =
			xasprintf("%s.tmp.%08" PRIx32, op->from.path, random);
		op->pull.fd = sys_openat(AT_FDCWD, op->pull.temporary,
			O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	}
	if (op->pull.fd > 0) {
		/* held against a sweep */
		(void)sys_flock(op->pull.fd, LOCK_EX | LOCK_NB);
		return true;
	}
	free(TAKE(op->pull.temporary));
	err_os(&err, "cannot make a file in the cache");
	return fail(op, &err);
}

static void on_look(struct loop_timer *timer)
{
	struct op_image *op = container_of(timer, struct op_image, pull.timer);
	struct stat st;

	if (!sys_fstat(op->pull.fd, &st))
		op->job.progress.done = (uint64_t)st.st_size;
	loop_timer_start(timer, LOOK_MS, on_look);
}

/* A header of the reply; behind a redirection another one comes. */
static void on_header(void *arg, const char *line)
{
	struct op_image *op = arg;
	size_t len = strlen(CONTENT_SIZE);

	if (strncasecmp(line, CONTENT_SIZE, len))
		return;
	line += len + strspn(line + len, " ");
	op->job.progress.total = str_digits(line);
}

static void on_run_end(struct job *job, void *arg)
{
	struct op_image *op = arg;
	struct qemu_img *run = qemu_img_of(job);

	loop_timer_stop(&op->pull.timer);
	op->run = NULL;
	op->run_err = job->err;
	free(TAKE(op->pull.found));
	if (!job->err.code && run->tool.out.len >= DIGITS)
		op->pull.found = xstrndup(run->tool.out.data, DIGITS);
	job_wake(&op->job);
}

/* The most that the file system takes, and some of that is left. */
static void most_bytes(const struct op_image *op, char out[24])
{
	uint64_t space = 0;

	if (sys_free_space(op->pull.temporary, &space) || space < ROOM_LEFT)
		space = ROOM_LEFT;
	snprintf(out, 24, "%" PRIu64,
		space > 2 * ROOM_LEFT ? space - ROOM_LEFT : space);
}

static void run(struct op_image *op, const char *const *argv,
	void (*on_words)(void *arg, const char *line))
{
	AUTO_FREE char *what = xasprintf("cannot fetch '%.150s'", op->pull.url);

	op->run = qemu_img_start(argv,
		&(struct qemu_img_how){
			.what = what, .on_words = on_words, .arg = op },
		&op->job, on_run_end, op);
	loop_timer_start(&op->pull.timer, LOOK_MS, on_look);
}

/* A mirror on this host. */
static bool copy_file(struct op_image *op, const char *program)
{
	const char *url = op->pull.url + strlen(FILE_URL);
	AUTO_FREE char *path = remote_decode(url, strlen(url));
	struct err err = ERR_INIT;
	char bytes[24];
	struct stat st;

	if (!path)
		err_set(&err, ERR_CONFIG, "'%s' is no name of a file", url);
	else if (sys_fstatat(AT_FDCWD, path, &st, 0))
		err_set(&err, errno == ENOENT ? ERR_NOT_FOUND : ERR_OS,
			"cannot fetch '%s': %s", op->pull.url, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		err_set(&err, ERR_CONFIG, "'%s' is no plain file", path);
	if (err.code)
		return fail(op, &err);
	op->job.progress.total = (uint64_t)st.st_size;
	most_bytes(op, bytes);
	run(op,
		(const char *const[]){ CAGE_SELF, "--cage", path,
			op->pull.temporary, bytes, SECONDS, program, "--", path,
			op->pull.temporary, NULL },
		NULL);
	return true;
}

/* It gives up on a server that says nothing for two minutes. */
static void start_curl(struct op_image *op, const char *program)
{
	char bytes[24];

	most_bytes(op, bytes);
	run(op,
		(const char *const[]){ CAGE_SELF, "--cage-online",
			op->pull.temporary, op->pull.temporary, bytes, SECONDS,
			program, "-q", "--fail", "--location", "--silent",
			"--show-error", "--max-redirs", "5", "--proto",
			"=http,https", "--proto-redir", "=http,https",
			"--connect-timeout", "30", "--speed-time", "120",
			"--speed-limit", "1", "--dump-header", "-", "--output",
			op->pull.temporary, "--", op->pull.url, NULL },
		on_header);
}

static bool begin_fetch(struct op_image *op)
{
	bool local = str_starts(op->pull.url, FILE_URL);
	AUTO_FREE char *program = spawn_find(local ? "cp" : "curl");

	op->job.progress = (struct job_progress){ .phase = "fetching" };
	if (!program) {
		job_fail(&op->job, ERR_UNSUPPORTED, "%s is not installed",
			local ? "cp" : "curl");
		return false;
	}
	if (!make_temporary(op))
		return false;
	if (local)
		return copy_file(op, program);
	start_curl(op, program);
	return true;
}

/* ---- looking at it ---- */

static const char *fetched(const struct op_image *op)
{
	return op->pull.temporary ? op->pull.temporary : op->from.path;
}

static bool begin_digest(struct op_image *op)
{
	AUTO_FREE char *program = spawn_find("sha256sum");
	AUTO_FREE char *what = xasprintf("cannot check '%s'", fetched(op));
	const char *argv[] = { CAGE_SELF, "--cage", fetched(op), "-", "65536",
		SECONDS, program, "--", fetched(op), NULL };

	op->job.progress = (struct job_progress){ .phase = "checking" };
	if (!program) {
		job_fail(&op->job, ERR_UNSUPPORTED,
			"sha256sum is not installed");
		return false;
	}
	op->run = qemu_img_start(argv, &(struct qemu_img_how){ .what = what },
		&op->job, on_run_end, op);
	return true;
}

/* What was kept and is spoilt is thrown away: the next pull fetches it. */
static bool is_genuine(struct op_image *op)
{
	if (op->pull.found && str_eq(op->pull.found, op->pull.sha256))
		return true;
	job_fail(&op->job, ERR_CONFIG,
		"'%.100s' is not what it should be: its sha256 is %s, not %s; "
		"nothing of it was kept",
		op->pull.url, str_or(op->pull.found, "unknown"),
		op->pull.sha256);
	if (!op->pull.temporary)
		(void)sys_unlinkat(AT_FDCWD, op->from.path, 0);
	return false;
}

static bool keep(struct op_image *op)
{
	struct err err = ERR_INIT;

	if (!sys_renameat(
		    AT_FDCWD, op->pull.temporary, AT_FDCWD, op->from.path)) {
		free(TAKE(op->pull.temporary));
		return true;
	}
	err_os(&err, "cannot keep '%s'", op->from.path);
	return fail(op, &err);
}

/* ---- the job ---- */

static void on_import_end(struct job *job, void *arg)
{
	struct op_image *op = arg;
	struct op_image *import = op_image_of(job);

	op->pull.import = NULL;
	op->run_err = job->err;
	op->result = TAKE(import->result);
	job_wake(&op->job);
}

/* It is a stranger's still, if the right one's. */
static void start_import(struct op_image *op)
{
	struct volume to = { .name = xstrdup(op->volume.name),
		.path = xstrdup(op->volume.path),
		.format = op->volume.format,
		.pool = op->volume.pool ? xstrdup(op->volume.pool) : NULL };
	struct op_image *import = op_image_new_steal(op->env, &to);

	import->from = (struct volume){ .name = xstrdup(op->from.name),
		.path = xstrdup(op->from.path),
		.format = op->from.format };
	import->copy = true;
	import->compress = op->compress;
	import->snapshots = op->snapshots;
	import->rules = op->rules;
	op->job.progress = (struct job_progress){ .phase = "importing" };
	op_image_import(import, on_import_end, op);
	import->job.parent = &op->job;
	op->pull.import = &import->job;
}

static enum job_state pull_run(struct job *job)
{
	struct op_image *op = container_of(job, struct op_image, job);

	JOB_BEGIN(job);
	if (!may_begin(op))
		return JOB_ENDS;
	if (!is_cached(op)) {
		if (!begin_fetch(op))
			return JOB_ENDS;
		JOB_AWAIT(job, !op->run, JOB_FOREVER); /* as long as it comes */
		if (op->run_err.code)
			return job_fail_err(job, &op->run_err);
	}
	if (!begin_digest(op))
		return JOB_ENDS;
	JOB_AWAIT(job, !op->run, JOB_FOREVER);
	if (op->run_err.code)
		return job_fail_err(job, &op->run_err);
	if (!is_genuine(op))
		return JOB_ENDS;
	if (op->pull.temporary) {
		JOB_DURABLE(job, &op->durable,
			durable_fd(&op->durable, job, op->pull.fd,
				op->pull.temporary));
		if (!keep(op))
			return JOB_ENDS;
	}
	start_import(op);
	JOB_AWAIT(job, !op->pull.import, JOB_FOREVER); /* a job of its own */
	if (op->run_err.code)
		return job_fail_err(job, &op->run_err);
	json_object_set_new(op->result, "sha256", json_string(op->pull.sha256));
	JOB_END(job);
}

static enum job_state pull_undo(struct job *job)
{
	struct op_image *op = container_of(job, struct op_image, job);

	JOB_BEGIN(job);
	if (op->pull.import) {
		job_cancel(op->pull.import);
		JOB_AWAIT(job, !op->pull.import, END_MS);
	}
	if (op->pull.temporary)
		(void)sys_unlinkat(AT_FDCWD, op->pull.temporary, 0);
	JOB_END(job);
}

static void pull_cleanup(struct job *job)
{
	struct op_image *op = op_of(job);

	loop_timer_stop(&op->pull.timer);
	op_image_free(op);
}

void op_image_pull(struct op_image *op, op_image_end *on_end, void *arg)
{
	static const struct job_kind kind = { "image-pull", pull_run, pull_undo,
		pull_cleanup };

	job_start(&op->job, &kind, op->volume.name, on_end, arg);
}
