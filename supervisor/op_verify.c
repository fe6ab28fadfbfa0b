/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Backups are read again; see op_verify.h. */
#include "supervisor/op_verify.h"

#include "base/jstream.h"
#include "base/mem.h"
#include "supervisor/backups.h"
#include "supervisor/sum.h"

struct op_verify {
	struct job job;
	struct vm *vm;
	char *dir, *id; /* id NULL: all */
	json_t *todo;   /* [{"path", "sha256"}] */
	size_t at;
	char sum[SUM_SIZE];
	struct job *step;
	struct err step_err;
	struct err first; /* what was found to be bad */
	unsigned good, bad;
};

static void add_images(struct op_verify *op, const json_t *manifest)
{
	const char *id = backups_id(manifest);
	AUTO_JSON json_t *files = backups_files(manifest);
	json_t *disk;
	size_t i;

	json_array_foreach(files, i, disk)
	{
		AUTO_FREE char *path = backups_path(op->dir, id,
			str_or(json_string_value(json_object_get(disk, "file")),
				""));

		json_array_append_new(
			op->todo, json_pack("{s:s,s:O}", "path", path, "sha256",
					  json_object_get(disk, "sha256")));
	}
}

/* The first thing that was found is told. */
static void note_bad(struct op_verify *op, const char *what, const char *how)
{
	if (op->bad++ == 0)
		err_set(&op->first, ERR_OS, "%s%s", what, how);
}

/* Which images are to be read. */
static bool plan(struct op_verify *op)
{
	AUTO_JSON json_t *list = backups_list(op->dir);
	struct err err = ERR_INIT;
	const json_t *one = backups_find(list, str_or(op->id, ""), &err);
	json_t *each;
	size_t i;

	op->todo = json_array();
	if (!one) {
		job_fail_err(&op->job, &err);
		return false;
	}
	json_array_foreach(list, i, each)
	{
		const char *why =
			json_string_value(json_object_get(each, "broken"));

		if (!op->id)
			add_images(op, each);
		if (why && (!op->id || each == one))
			note_bad(op, why, "");
	}
	for (; op->id && one; one = backups_parent(list, one))
		add_images(op, one);
	return true;
}

static void on_step(struct job *job, void *arg)
{
	struct op_verify *op = arg;
	const json_t *it = json_array_get(op->todo, op->at - 1);
	const char *path = json_string_value(json_object_get(it, "path"));
	const char *want = json_string_value(json_object_get(it, "sha256"));

	op->step = NULL;
	if (job->err.code)
		note_bad(op, job->err.text, "");
	else if (!str_eq(str_or(want, ""), op->sum))
		note_bad(op, path, " is not as it was written");
	else
		op->good++;
}

static bool read_next(struct op_verify *op)
{
	const json_t *it = json_array_get(op->todo, op->at);
	struct err err = ERR_INIT;

	if (!it)
		return false;
	op->at++;
	op->job.progress = (struct job_progress){ .phase = "checksums",
		.done = op->at - 1,
		.total = json_array_size(op->todo) };
	op->step = sum_begin(json_string_value(json_object_get(it, "path")),
		op->sum, &op->job, on_step, op, &err);
	if (!op->step)
		job_fail_err(&op->job, &err);
	return op->step != NULL;
}

static enum job_state verify_run(struct job *job)
{
	struct op_verify *op = container_of(job, struct op_verify, job);

	JOB_BEGIN(job);
	if (!plan(op))
		return JOB_ENDS;
	while (read_next(op))
		JOB_AWAIT(job, !op->step, JOB_FOREVER); /* a job of its own */
	if (op->bad)
		return job_fail_err(job, &op->first);
	JOB_END(job);
}

static void verify_cleanup(struct job *job)
{
	struct op_verify *op = container_of(job, struct op_verify, job);

	json_decref(op->todo);
	free(op->dir);
	free(op->id);
	free(op);
}

struct job *op_verify_begin(struct vm *vm, const char *dir, const char *id,
	struct job *parent, op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "backup-verify", verify_run, NULL,
		verify_cleanup };
	struct op_verify *op = NEW(struct op_verify);

	op->vm = vm;
	op->dir = xstrdup(dir);
	op->id = id ? xstrdup(id) : NULL;
	job_start(&op->job, &kind, vm->name, on_end, arg);
	op->job.parent = parent;
	return &op->job;
}

unsigned op_verify_good(const struct job *job)
{
	return container_of(job, const struct op_verify, job)->good;
}
