/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The volume of [seed]; see op_seed.h. */
#include "supervisor/op_seed.h"

#include <fcntl.h>

#include "base/durable.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "base/sys.h"
#include "supervisor/remove.h"
#include "supervisor/seed.h"

#define XORRISO_MS 60000

struct op_seed {
	struct job job;
	struct seed seed;
	char *path;
	char *beside; /* the new one, until it is in place */
	char *files;  /* directory of what goes into it */
	struct spawn_tool tool;
	bool ended;
	struct durable durable;
};

/* ---- its files ---- */

static int write_one(const struct op_seed *op, const char *name,
	const struct str *text, struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s/%s", op->files, name);

	return fd_write_file(
		AT_FDCWD, path, str_text(text), text->len, 0600, false, err);
}

static int write_files(struct op_seed *op, struct err *err)
{
	if (remove_tree(op->files, err) || fd_make_dirs(op->files, 0700, err) ||
		write_one(op, "user-data", &op->seed.user_data, err) ||
		write_one(op, "meta-data", &op->seed.meta_data, err))
		return -1;
	return op->seed.network.len == 0 ? 0
					 : write_one(op, "network-config",
						   &op->seed.network, err);
}

/* ---- xorriso ---- */

static void on_tool_end(struct spawn_tool *tool)
{
	struct op_seed *op = container_of(tool, struct op_seed, tool);

	op->ended = true;
	job_wake(&op->job);
}

static int start_tool(struct op_seed *op, struct err *err)
{
	AUTO_FREE char *mark = seed_mark(op->seed.id);
	const char *const argv[] = { "xorriso", "-no_rc", "-as", "mkisofs",
		"-quiet", "-V", "CIDATA", "-A", mark, "-J", "-R", "-o",
		op->beside, op->files, NULL };
	AUTO_FREE char *found = spawn_find(argv[0]);

	if (!found)
		return err_set(err, ERR_UNSUPPORTED,
			"[seed] needs xorriso, which is not installed");
	sys_unlinkat(AT_FDCWD, op->beside, 0); /* of a crash */
	op->tool.on_end = on_tool_end;
	return spawn_tool_start(&op->tool, argv, err);
}

static bool did_well(struct op_seed *op)
{
	const struct sys_exit *how = &op->tool.exit;
	AUTO_STR struct str words = STR_INIT;

	if (how->known && !how->signalled && how->code == 0)
		return true;
	str_add_visible(
		&words, str_text(&op->tool.errors), op->tool.errors.len);
	job_fail(&op->job, ERR_OS, "xorriso ended by %s %d: %s",
		how->signalled ? "signal" : "exit", how->code,
		str_text(&words));
	return false;
}

static bool put_in_place(struct op_seed *op)
{
	struct err err = ERR_INIT;

	if (!sys_renameat(AT_FDCWD, op->beside, AT_FDCWD, op->path))
		return true;
	err_os(&err, "cannot write '%s'", op->path);
	job_fail_err(&op->job, &err);
	return false;
}

/* ---- the job ---- */

static enum job_state seed_run(struct job *job)
{
	struct op_seed *op = container_of(job, struct op_seed, job);

	JOB_BEGIN(job);
	if (write_files(op, &job->err) || start_tool(op, &job->err))
		return JOB_ENDS;
	JOB_AWAIT(job, op->ended, XORRISO_MS);
	if (!did_well(op))
		return JOB_ENDS;
	JOB_DURABLE(
		job, &op->durable, durable_path(&op->durable, job, op->beside));
	if (!put_in_place(op))
		return JOB_ENDS;
	JOB_DURABLE(
		job, &op->durable, durable_above(&op->durable, job, op->path));
	JOB_END(job);
}

static void seed_cleanup(struct job *job)
{
	struct op_seed *op = container_of(job, struct op_seed, job);
	struct err ignored = ERR_INIT;

	durable_stop(&op->durable);
	spawn_tool_stop(&op->tool);
	sys_unlinkat(AT_FDCWD, op->beside, 0); /* gone if all went well */
	(void)!remove_tree(op->files, &ignored);
	seed_fini(&op->seed);
	free(op->path);
	free(op->beside);
	free(op->files);
	free(op);
}

static const struct job_kind seed_kind = { "seed", seed_run, NULL,
	seed_cleanup };

/* ---- its start ---- */

struct job *op_seed_begin(struct vm *vm, struct job *parent,
	void (*on_end)(struct job *job, void *arg), struct err *err)
{
	const struct vm_spec *spec = vm->running;
	AUTO_FREE char *path = seed_path(&vm->env->paths, vm->name);
	struct op_seed *op;
	struct seed seed;

	if (!spec->seed.written || !spec->seed.enabled)
		return NULL;
	if (seed_render(spec, &seed, err) || seed_is_made(path, seed.id)) {
		seed_fini(&seed);
		return NULL;
	}
	op = NEW(struct op_seed);
	op->seed = seed;
	op->path = TAKE(path);
	op->beside = xasprintf("%s" SEED_NEW, op->path);
	op->files = xasprintf("%s" SEED_FILES, op->path);
	job_start(&op->job, &seed_kind, vm->name, on_end, parent);
	op->job.parent = parent;
	return &op->job;
}
