/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a VM; see op_delete.h. */
#include "supervisor/op_delete.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/durable.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/pool.h"
#include "supervisor/remove.h"

#define JOURNAL ".json"

enum { JOURNAL_MAX = 1024 * 1024 };

struct op_delete {
	struct job job;
	struct vm *vm;
	char *journal; /* state/deleting/NAME.json */
	char *file;    /* vms/NAME.ini */
	json_t *images;
	size_t at; /* the one whose directory is synced */
	struct durable durable;
};

static char *journal_dir(const struct env *env)
{
	return xasprintf("%s/deleting", env->paths.state);
}

static char *file_of(const struct env *env, const char *name)
{
	return xasprintf("%s/vms/%s.ini", env->paths.config, name);
}

/* ---- the steps ---- */

static bool write_journal(struct op_delete *op)
{
	AUTO_FREE char *dir = journal_dir(op->vm->env);
	AUTO_FREE char *text = json_dumps(op->images, JSON_COMPACT);
	struct err err = ERR_INIT;

	if (!fd_make_dirs(dir, 0700, &err) &&
		!fd_write_file(AT_FDCWD, op->journal, text, strlen(text), 0600,
			false, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

/* The point of no return. */
static bool remove_file(struct op_delete *op)
{
	struct err err = ERR_INIT;

	if (!sys_unlinkat(AT_FDCWD, op->file, 0) || errno == ENOENT)
		return true;
	err_os(&err, "cannot remove '%s'", op->file);
	job_fail_err(&op->job, &err);
	return false;
}

/* Only what is a plain file of a pool; what fails is said. */
static void remove_rest(
	const struct env *env, const char *file, const json_t *images)
{
	AUTO_FREE char *dropins = xasprintf("%s.d", file);
	struct err err = ERR_INIT;
	size_t i;
	json_t *image;

	json_array_foreach(images, i, image)
	{
		const char *path = str_or(json_string_value(image), "");

		if (!pool_of_file(&env->paths, path))
			continue;
		if (sys_unlinkat(AT_FDCWD, path, 0) && errno != ENOENT)
			log_warn(NULL, "cannot remove image '%s': %s", path,
				strerror(errno));
	}
	if (remove_tree(dropins, &err))
		log_warn(NULL, "%s", err.text);
}

static const char *image_at(const json_t *images, size_t at)
{
	return str_or(json_string_value(json_array_get(images, at)), "/");
}

static enum job_state delete_run(struct job *job)
{
	struct op_delete *op = container_of(job, struct op_delete, job);

	JOB_BEGIN(job);
	if (!write_journal(op))
		return JOB_ENDS;
	JOB_DURABLE(job, &op->durable,
		durable_path(&op->durable, job, op->journal));
	JOB_DURABLE(job, &op->durable,
		durable_above(&op->durable, job, op->journal));
	if (!remove_file(op))
		return JOB_ENDS;
	JOB_DURABLE(
		job, &op->durable, durable_above(&op->durable, job, op->file));
	remove_rest(op->vm->env, op->file, op->images);
	for (; op->at < json_array_size(op->images); op->at++)
		JOB_DURABLE(job, &op->durable,
			durable_above(&op->durable, job,
				image_at(op->images, op->at)));
	sys_unlinkat(AT_FDCWD, op->journal, 0);
	JOB_END(job);
}

/* Until the file is gone nothing has happened: the journal goes. */
static enum job_state delete_undo(struct job *job)
{
	struct op_delete *op = container_of(job, struct op_delete, job);
	struct stat st;

	if (!sys_fstatat(AT_FDCWD, op->file, &st, AT_SYMLINK_NOFOLLOW))
		sys_unlinkat(AT_FDCWD, op->journal, 0);
	return JOB_ENDS;
}

static void delete_cleanup(struct job *job)
{
	struct op_delete *op = container_of(job, struct op_delete, job);

	durable_stop(&op->durable);
	json_decref(op->images);
	free(op->journal);
	free(op->file);
	free(op);
}

static const struct job_kind delete_kind = { "delete", delete_run, delete_undo,
	delete_cleanup };

struct job *op_delete_begin_steal(struct vm *vm, json_t *images,
	void (*on_end)(struct job *job, void *arg), void *arg)
{
	struct op_delete *op = NEW(struct op_delete);
	AUTO_FREE char *dir = journal_dir(vm->env);

	op->vm = vm;
	op->images = images;
	op->journal = xasprintf("%s/%s" JOURNAL, dir, vm->name);
	op->file = file_of(vm->env, vm->name);
	job_start(&op->job, &delete_kind, vm->name, on_end, arg);
	return &op->job;
}

/* ---- after a crash ---- */

static void sync_dir_of(const char *path)
{
	AUTO_FREE char *dir =
		xstrndup(path, (size_t)(strrchr(path, '/') - path) + 1);
	AUTO_CLOSE int fd = sys_openat(
		AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd >= 0)
		sys_fsync(fd);
}

static void recover_one(void *arg, const char *entry)
{
	const struct env *env = arg;
	AUTO_FREE char *dir = journal_dir(env);
	AUTO_FREE char *journal = xasprintf("%s/%s", dir, entry);
	bool whole = str_ends(entry, JOURNAL);
	AUTO_FREE char *name =
		xstrndup(entry, strlen(entry) - (whole ? strlen(JOURNAL) : 0));
	AUTO_FREE char *file = file_of(env, name);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	struct stat st;
	json_t *images = NULL;

	if (whole &&
		sys_fstatat(AT_FDCWD, file, &st, AT_SYMLINK_NOFOLLOW) != 0 &&
		errno == ENOENT &&
		!fd_read_file(AT_FDCWD, journal, JOURNAL_MAX, &text, &err)) {
		images = json_loadb(text.data, text.len, 0, NULL);
		log_info(name, "goes on with deleting it");
		remove_rest(env, file, images);
		for (size_t i = 0; i < json_array_size(images); i++)
			sync_dir_of(image_at(images, i));
		json_decref(images);
	}
	sys_unlinkat(AT_FDCWD, journal, 0);
}

void op_delete_recover(const struct env *env)
{
	AUTO_FREE char *dir = journal_dir(env);

	sys_listdir(AT_FDCWD, dir, recover_one, (void *)(uintptr_t)env);
}
