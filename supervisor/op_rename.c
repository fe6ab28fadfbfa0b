/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VM gets another name; see op_rename.h. */
#include "supervisor/op_rename.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/durable.h"
#include "base/fd.h"
#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/chain_record.h"
#include "supervisor/config.h"

#define MARK ".json"

enum { JOURNAL_MAX = 1024 * 1024 };

struct op_rename {
	struct job job;
	struct vm *vm;
	json_t *pairs;
	char *journal;               /* STATE/renaming/NAME.json */
	struct config_change change; /* the uuid, into the drop-in */
	struct durable durable;
	size_t at; /* the pair whose directory is synced */
	bool begun;
};

static char *journal_dir(const struct env *env)
{
	return xasprintf("%s/renaming", env->paths.state);
}

/* ---- the pairs ---- */

static const char *path_at(const json_t *pairs, size_t i, size_t side)
{
	return str_or(json_string_value(
			      json_array_get(json_array_get(pairs, i), side)),
		"");
}

/* From one side to the other; what is not there, is there already. */
static int rename_one(
	const json_t *pairs, size_t i, size_t from, struct err *err)
{
	const char *old = path_at(pairs, i, from);
	const char *new = path_at(pairs, i, !from);

	if (*old != '/' || *new != '/' ||
		!sys_renameat2(
			AT_FDCWD, old, AT_FDCWD, new, RENAME_NOREPLACE) ||
		errno == ENOENT)
		return 0;
	return err_os(err, "cannot rename '%s' to '%s'", old, new);
}

static int rename_all(const json_t *pairs, struct err *err)
{
	for (size_t i = 0; i < json_array_size(pairs); i++)
		if (rename_one(pairs, i, 0, err))
			return -1;
	return 0;
}

static void rename_back(const json_t *pairs)
{
	for (size_t i = json_array_size(pairs); i-- > 0;) {
		struct err err = ERR_INIT;

		if (rename_one(pairs, i, 1, &err))
			log_warn(NULL, "%s", err.text);
	}
}

/* ---- the job ---- */

static bool fail(struct op_rename *op, const struct err *err)
{
	job_fail_err(&op->job, err);
	return false;
}

/* A uuid that was derived from the name is written. */
static bool stage_uuid(struct op_rename *op)
{
	char section[] = "vm";
	char key[] = "uuid";
	struct config_edit edit = { section, key, op->vm->spec->uuid };
	const struct config_file file = { &op->vm->env->paths, op->vm->name,
		false };
	struct err err = ERR_INIT;

	return !config_change_prepare(&file, &edit, 1, &op->change, &err) ||
	       fail(op, &err);
}

static bool commit_uuid(struct op_rename *op)
{
	struct err err = ERR_INIT;

	return !config_change_commit(&op->change, &err) || fail(op, &err);
}

static bool write_journal(struct op_rename *op)
{
	AUTO_FREE char *dir = journal_dir(op->vm->env);
	AUTO_FREE char *text = jstream_text(op->pairs, JSON_COMPACT);
	struct err err = ERR_INIT;

	return (!fd_make_dirs(dir, 0700, &err) &&
		       !fd_write_file(AT_FDCWD, op->journal, text, strlen(text),
			       0600, false, &err)) ||
	       fail(op, &err);
}

static bool rename_files(struct op_rename *op)
{
	struct err err = ERR_INIT;

	op->begun = true;
	if (rename_all(op->pairs, &err))
		return fail(op, &err);
	chain_record_follow(op->vm->env, op->pairs);
	return true;
}

static enum job_state rename_run(struct job *job)
{
	struct op_rename *op = container_of(job, struct op_rename, job);

	JOB_BEGIN(job);
	if (!stage_uuid(op))
		return JOB_ENDS;
	JOB_DURABLE(job, &op->durable,
		durable_fd(&op->durable, job, op->change.fd, op->change.path));
	if (!commit_uuid(op))
		return JOB_ENDS;
	JOB_DURABLE(job, &op->durable,
		durable_fd(
			&op->durable, job, op->change.dir_fd, op->change.path));
	JOB_DURABLE(job, &op->durable,
		durable_fd(&op->durable, job, op->change.above_fd,
			op->change.path));
	if (!write_journal(op))
		return JOB_ENDS;
	JOB_DURABLE(job, &op->durable,
		durable_path(&op->durable, job, op->journal));
	JOB_DURABLE(job, &op->durable,
		durable_above(&op->durable, job, op->journal));
	if (!rename_files(op))
		return JOB_ENDS;
	for (op->at = 0; op->at < json_array_size(op->pairs); op->at++)
		JOB_DURABLE(job, &op->durable,
			durable_above(&op->durable, job,
				path_at(op->pairs, op->at, 1)));
	sys_unlinkat(AT_FDCWD, op->journal, 0);
	JOB_END(job);
}

static enum job_state rename_undo(struct job *job)
{
	struct op_rename *op = container_of(job, struct op_rename, job);

	if (op->begun)
		rename_back(op->pairs);
	sys_unlinkat(AT_FDCWD, op->journal, 0);
	return JOB_ENDS;
}

static void rename_cleanup(struct job *job)
{
	struct op_rename *op = container_of(job, struct op_rename, job);

	op->vm->held = NULL;
	durable_stop(&op->durable);
	config_change_fini(&op->change);
	json_decref(op->pairs);
	free(op->journal);
	free(op);
}

static const struct job_kind rename_kind = { "rename", rename_run, rename_undo,
	rename_cleanup };

struct job *op_rename_begin_steal(struct vm *vm, json_t *pairs,
	void (*on_end)(struct job *job, void *arg), void *arg)
{
	struct op_rename *op = NEW(struct op_rename);
	AUTO_FREE char *dir = journal_dir(vm->env);

	op->vm = vm;
	op->pairs = pairs;
	op->journal = xasprintf("%s/%s" MARK, dir, vm->name);
	op->change = (struct config_change){
		.fd = -1, .dir_fd = -1, .above_fd = -1
	};
	vm->held = "renamed";
	job_start(&op->job, &rename_kind, vm->name, on_end, arg);
	return &op->job;
}

/* ---- after a crash ---- */

static void recover_one(void *arg, const char *entry)
{
	const struct env *env = arg;
	AUTO_FREE char *dir = journal_dir(env);
	AUTO_FREE char *journal = xasprintf("%s/%s", dir, entry);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	json_t *pairs = NULL;

	if (str_ends(entry, MARK) &&
		!fd_read_file(AT_FDCWD, journal, JOURNAL_MAX, &text, &err)) {
		pairs = json_loadb(text.data, text.len, 0, NULL);
		log_info(NULL, "goes on with renaming: %s", entry);
		if (rename_all(pairs, &err))
			log_warn(NULL, "%s", err.text);
		chain_record_follow(env, pairs);
		json_decref(pairs);
	}
	sys_unlinkat(AT_FDCWD, journal, 0);
}

void op_rename_recover(const struct env *env)
{
	AUTO_FREE char *dir = journal_dir(env);

	sys_listdir(AT_FDCWD, dir, recover_one, (void *)(uintptr_t)env);
}
