/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VM becomes two; see op_clone.h. */
#include "supervisor/op_clone.h"

#include <errno.h>
#include <fcntl.h>

#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/chain_record.h"
#include "supervisor/journal.h"

struct op_clone *op_clone_of(struct job *job)
{
	return container_of(job, struct op_clone, job);
}

/* ---- what it will do ---- */

struct op_clone *op_clone_new(struct vm *vm, const char *name)
{
	struct op_clone *op = NEW(struct op_clone);

	op->vm = vm;
	op->name = xstrdup(name);
	op->journal = json_array();
	op->notes = json_array();
	op->change = (struct config_change){
		.fd = -1, .dir_fd = -1, .above_fd = -1
	};
	return op;
}

void op_clone_free(struct op_clone *op)
{
	durable_stop(&op->durable);
	config_change_fini(&op->change);
	for (size_t i = 0; i < op->nsteps; i++) {
		free(op->steps[i].old);
		free(op->steps[i].path);
		free(op->steps[i].base);
		free(op->steps[i].from);
	}
	free(op->steps);
	live_copy_free(op->live);
	live_link_free(op->link);
	json_decref(op->journal);
	json_decref(op->notes);
	free(op->text);
	free(op->name);
	free(op);
}

static struct clone_step *add_step(struct op_clone *op, const char *path)
{
	struct clone_step *step;

	op->steps =
		xreallocarray(op->steps, op->nsteps + 1, sizeof(op->steps[0]));
	step = &op->steps[op->nsteps++];
	*step = (struct clone_step){ .path = xstrdup(path), .format = "qcow2" };
	return step;
}

void op_clone_add_copy(struct op_clone *op, const char *from,
	const char *from_format, const char *path, const char *format)
{
	struct clone_step *step = add_step(op, path);

	step->from = xstrdup(from);
	step->from_format = from_format;
	step->format = format;
	json_array_append_new(op->journal, json_string(path));
}

void op_clone_add_verbatim(struct op_clone *op, const char *from,
	const char *path, const char *format)
{
	op_clone_add_copy(op, from, format, path, format);
	op->steps[op->nsteps - 1].verbatim = true;
}

void op_clone_add_live(struct op_clone *op, const struct live_copy_wish *wish)
{
	if (!op->live)
		op->live = live_copy_new(op->vm);
	live_copy_add(op->live, wish);
	json_array_append_new(op->journal, json_string(wish->path));
}

void op_clone_add_link(struct op_clone *op, const struct live_link_wish *wish)
{
	if (!op->link)
		op->link = live_link_new(op->vm, op->name);
	json_array_append_new(op->journal, json_string(wish->copy));
	json_array_append_new(op->journal, live_link_add(op->link, wish));
}

void op_clone_add_overlay(struct op_clone *op, const char *image,
	const char *base, const char *path)
{
	struct clone_step *step = add_step(op, image);

	step->old = xstrdup(image);
	step->base = xstrdup(base);
	add_step(op, path)->base = xstrdup(base);
	json_array_append_new(op->journal, json_string(path));
	json_array_append_new(op->journal,
		json_pack("{s:s,s:s}", "base", base, "image", image));
}

/* ---- the steps ---- */

static bool write_journal(struct op_clone *op)
{
	struct err err = ERR_INIT;

	if (op->link)
		json_array_append_new(
			op->journal, json_pack("{s:s}", "text", op->text));
	if (!journal_write(op->vm->env, op->name, op->journal, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

typedef void sync_fn(
	struct durable *durable, struct job *job, const char *path);

static void sync_journal(struct op_clone *op, sync_fn *sync)
{
	AUTO_FREE char *path = journal_path(op->vm->env, op->name);

	sync(&op->durable, &op->job, path);
}

/* Starts to make the next image; false: there is none, or it failed. */
static bool make_next(struct op_clone *op)
{
	const struct clone_step *step = &op->steps[op->at];
	struct image_wish wish;
	struct err err = ERR_INIT;

	if (op->at == op->nsteps)
		return false;
	op->at++;
	if (step->old &&
		sys_renameat(AT_FDCWD, step->old, AT_FDCWD, step->base)) {
		err_os(&err, "cannot rename image '%s' to '%s'", step->old,
			step->base);
		job_fail_err(&op->job, &err);
		return false;
	}
	wish = (struct image_wish){ .path = step->path,
		.format = step->format,
		.base = step->base,
		.base_format = step->base ? "qcow2" : NULL,
		.from = step->from,
		.from_format = step->from_format,
		.verbatim = step->verbatim };
	image_step_start(&op->make, op->vm->env->qemu_img, &wish, op->vm->name,
		&op->job);
	return true;
}

static void on_worked(struct job *job, void *arg)
{
	struct op_clone *op = arg;

	op->working = NULL;
	op->work_err = job->err;
}

static void on_linked(struct job *job, void *arg)
{
	struct op_clone *op = arg;

	op->end = live_link_end(job);
	on_worked(job, arg);
}

/* What QEMU has; false: there is nothing of that. */
static bool begin_live(struct op_clone *op)
{
	if (op->live)
		op->working = live_copy_start(
			TAKE(op->live), &op->job, on_worked, op);
	op->linked = op->link != NULL;
	if (op->linked)
		op->working = live_link_start(
			TAKE(op->link), &op->job, on_linked, op);
	return op->working;
}

/* What the next start of the old one would find to be wrong. */
static bool forget_records(struct op_clone *op)
{
	bool known = chain_record(op->vm) != NULL;
	bool any = false;

	for (size_t i = 0; i < op->nsteps; i++) {
		if (!op->steps[i].old)
			continue;
		chain_record_forget(op->vm, op->steps[i].old);
		any = known;
	}
	return any;
}

/* What was written down for a successor. */
static void forget(struct op_clone *op)
{
	journal_forget(op->vm->env, op->name);
	if (op->linked)
		live_settle_unmark(op->vm);
}

static bool stage_file(struct op_clone *op)
{
	struct err err = ERR_INIT;

	if (!config_new_prepare(
		    &op->vm->env->paths, op->name, op->text, &op->change, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

/* The point of no return. */
static bool commit_file(struct op_clone *op)
{
	struct err err = ERR_INIT;

	op->committed = !config_change_commit(&op->change, &err);
	if (!op->committed)
		job_fail_err(&op->job, &err);
	return op->committed;
}

static enum job_state clone_run(struct job *job)
{
	struct op_clone *op = container_of(job, struct op_clone, job);

	JOB_BEGIN(job);
	if (!write_journal(op))
		return JOB_ENDS;
	JOB_DURABLE(job, &op->durable, sync_journal(op, durable_path));
	JOB_DURABLE(job, &op->durable, sync_journal(op, durable_above));
	JOB_DURABLE(job, &op->durable, sync_journal(op, journal_durable_dir));
	if (forget_records(op))
		JOB_DURABLE(job, &op->durable,
			chain_record_sync(op->vm, &op->durable, job));
	while (make_next(op))
		IMAGE_STEP_AWAIT(job, &op->make);
	if (!job->err.code && begin_live(op)) {
		JOB_AWAIT(job, !op->working, JOB_FOREVER); /* the same */
		if (op->work_err.code)
			return job_fail_err(job, &op->work_err);
	}
	if (job->err.code || !stage_file(op))
		return JOB_ENDS;
	JOB_DURABLE(job, &op->durable,
		durable_fd(&op->durable, job, op->change.fd, op->change.path));
	if (!commit_file(op))
		return JOB_ENDS;
	JOB_DURABLE(job, &op->durable,
		durable_fd(
			&op->durable, job, op->change.dir_fd, op->change.path));
	forget(op);
	JOB_END(job);
}

/* What the old one runs on by now stays so. */
static void drop_bases(json_t *journal)
{
	for (size_t i = json_array_size(journal); i-- > 0;)
		if (json_is_object(json_array_get(journal, i)))
			json_array_remove(journal, i);
}

/* Whatever was made goes; what was renamed has its name again. */
static enum job_state clone_undo(struct job *job)
{
	struct op_clone *op = container_of(job, struct op_clone, job);

	JOB_BEGIN(job);
	if (op->committed || op->end == LIVE_OPEN)
		return JOB_ENDS; /* it is there; or will be, or not */
	if (op->end == LIVE_DONE)
		drop_bases(op->journal);
	journal_roll(op->vm->env, op->name, op->journal);
	forget(op);
	JOB_END(job);
}

static void clone_cleanup(struct job *job)
{
	struct op_clone *op = op_clone_of(job);

	if (op->holds)
		op->vm->held = NULL;
	op_clone_free(op);
}

static const struct job_kind clone_kind = { "clone", clone_run, clone_undo,
	clone_cleanup };

void op_clone_start(struct op_clone *op,
	void (*on_end)(struct job *job, void *arg), void *arg)
{
	op->holds = !vm_is_up(op->vm);
	if (op->holds)
		op->vm->held = "cloned";
	job_start(&op->job, &clone_kind, op->vm->name, on_end, arg);
}
