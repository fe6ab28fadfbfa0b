/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images that are on top of others: put on another base, made to stand
 * alone, written into their base.  Interrupted anywhere, what a guest would
 * read is what it was: a base gets only what hides it above, and is refused to
 * others until that is whole (committing.h); a header is changed only when all
 * that it takes is on disk.  qemu-img alone writes the header before its
 * tables (seen with 7.2): so it copies in a run of its own that cannot reach
 * the header, and changes that in a second one, which writes nothing behind it.
 */
#include "supervisor/op_image.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "storage/backing.h"
#include "storage/format.h"
#include "supervisor/committing.h"
#include "supervisor/journal.h"

enum { HEADER_NAME_MAX = 1023, FILL_ENDS = 1 };

static bool is_backed(const struct op_image *op)
{
	return json_object_get(op->printed, "backing-filename") != NULL;
}

static bool may_change(struct op_image *op)
{
	op->bytes = (uint64_t)json_integer_value(
		json_object_get(op->printed, "virtual-size"));
	if (json_array_size(json_object_get(op->printed, "snapshots")) &&
		!op->unsafe) {
		job_fail(&op->job, ERR_STATE,
			"image '%s' has snapshots inside, which would change "
			"with what is below: delete them first",
			op->volume.path);
		return false;
	}
	if (!json_is_true(json_object_get(op->printed, "encrypted")))
		return true;
	job_fail(&op->job, ERR_UNSUPPORTED,
		"image '%s' is encrypted: convert it to one without a base",
		op->volume.path);
	return false;
}

/* ---- rebase, flatten ---- */

/*
 * The same file by a name that no header has room for, so that a run ends
 * when all is copied.  New.
 */
static char *unwritable(const char *path)
{
	AUTO_STR struct str name = STR_INIT;

	while (name.len <= HEADER_NAME_MAX)
		str_add(&name, "/.");
	str_add(&name, path);
	return str_take(&name);
}

/*
 * Copies what the new base lacks: its end is a failure in any case, and what
 * it did not do is left to the run that follows.
 */
static void start_fill(struct op_image *op)
{
	AUTO_FREE char *base =
		unwritable(op->from.path ? op->from.path : "/dev/null");
	const char *words[] = { "rebase", "-p", "-f", op->volume.format, "-b",
		base, "-F", op->from.path ? op->from.format : "raw",
		op->volume.path, NULL };

	op->job.progress.phase = "copying";
	op_image_run(op, words, "copy", UINT64_C(1) << FILL_ENDS);
}

static void start_rebase(struct op_image *op)
{
	const char *words[18] = { "rebase", "-p", "-t", "writethrough", "-f",
		op->volume.format };
	size_t n = 6;

	op->job.progress.phase = op->from.path ? "rebasing" : "flattening";
	if (op->unsafe)
		words[n++] = "-u";
	words[n++] = "-b";
	words[n++] = op->from.path ? op->from.path : "";
	if (op->from.path) {
		words[n++] = "-F";
		words[n++] = op->from.format;
	}
	words[n] = op->volume.path;
	op_image_run(op, words, op->from.path ? "rebase" : "flatten", 0);
}

/* The new base; it must not be on top of the image. */
static bool is_base(struct op_image *op)
{
	struct chain_rules rules = op->rules;
	struct err err = ERR_INIT;

	rules.never = op->volume.path;
	if (!backing_check(op->from.path, op->from.format, &rules, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

static void start_measure(struct op_image *op)
{
	const char *words[] = { "measure", "--output=json", "-f",
		op->volume.format, "-O", op->volume.format, op->volume.path,
		NULL };

	op->needed = (uint64_t)json_integer_value(
		json_object_get(op->printed, "actual-size"));
	op->job.progress.phase = "measuring";
	op_image_run(op, words, "flatten", 0);
}

/* What it lacks of the size that it would have alone. */
static bool has_space(struct op_image *op)
{
	uint64_t whole = (uint64_t)json_integer_value(
		json_object_get(op->printed, "required"));
	struct err err = ERR_INIT;

	op->needed = whole > op->needed ? whole - op->needed : 0;
	if (!volume_has_space(&op->volume, op->needed, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

static enum job_state rebase_run(struct job *job)
{
	struct op_image *op = container_of(job, struct op_image, job);

	JOB_BEGIN(job);
	if (op->unsafe ? !op_image_is_itself(op, &op->volume)
		       : !op_image_is_sound(op, &op->volume))
		return JOB_ENDS;
	if (op->from.path && !op->unsafe && !is_base(op))
		return JOB_ENDS;
	op_image_ask(op);
	IMAGE_AWAIT_RUN(op);
	if (!may_change(op))
		return JOB_ENDS;
	if (!op->from.path && !is_backed(op)) {
		op->result = json_pack("{s:b}", "changed", 0);
		return JOB_ENDS;
	}
	if (!op->from.path) {
		start_measure(op);
		IMAGE_AWAIT_RUN(op);
		if (!has_space(op))
			return JOB_ENDS;
	}
	if (!op->unsafe) {
		start_fill(op);
		IMAGE_AWAIT_RUN(op);
		IMAGE_SYNC(op, op->volume.path);
	}
	start_rebase(op);
	IMAGE_AWAIT_RUN(op);
	IMAGE_SYNC(op, op->volume.path);
	op->result =
		json_pack("{s:b,s:s?}", "changed", 1, "backing", op->from.path);
	JOB_END(job);
}

/* ---- commit ---- */

static void start_commit(struct op_image *op)
{
	const char *words[10] = { "commit", "-p", "-f", op->volume.format };
	size_t n = 4;

	op->job.progress.phase = "committing";
	if (op->keep)
		words[n++] = "-d";
	words[n] = op->volume.path;
	op_image_run(op, words, "commit", 0);
}

/* The base is what the header says; others may not need it as it is. */
static int fill_base(
	struct registry *registry, struct op_image *op, struct err *err)
{
	struct backing below;
	int rc = backing_read(op->volume.path, "qcow2", &below, err);

	if (!rc && !below.path)
		rc = err_set(err, ERR_STATE, "image '%s' has no base",
			op->volume.path);
	if (!rc && (!below.is_file || !format_by_name(below.format)))
		rc = err_set(err, ERR_CONFIG,
			"image '%s' is on top of '%s': that is no file of a "
			"known format",
			op->volume.path, below.path);
	if (!rc) {
		op->from.name = xstrdup(below.path);
		op->from.path = xstrdup(below.path);
		op->from.format = format_by_name(below.format);
		rc = volume_must_be_free_but(
			registry, &op->from, NEED_ANY, op->volume.path, err);
	}
	backing_fini(&below);
	return rc;
}

int op_image_commit_check(
	struct registry *registry, struct op_image *op, struct err *err)
{
	return volume_check(&op->volume, err) ||
			       volume_must_be_free(registry, &op->volume,
				       NEED_RUNNING, err) ||
			       fill_base(registry, op, err)
		       ? -1
		       : 0;
}

/* From here on the base may be half written. */
static bool write_record(struct op_image *op)
{
	struct err err = ERR_INIT;

	op->record = committing_path(&op->env->paths, op->from.path);
	if (!committing_write(&op->env->paths, op->from.path, op->volume.path,
		    op->keep, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

static enum job_state commit_run(struct job *job)
{
	struct op_image *op = container_of(job, struct op_image, job);

	JOB_BEGIN(job);
	if (!op_image_is_sound(op, &op->volume))
		return JOB_ENDS;
	op_image_ask(op);
	IMAGE_AWAIT_RUN(op);
	if (!may_change(op))
		return JOB_ENDS;
	if (!write_record(op))
		return JOB_ENDS;
	IMAGE_SYNC(op, op->record);
	JOB_DURABLE(job, &op->durable,
		durable_above(&op->durable, job, op->record));
	JOB_DURABLE(job, &op->durable,
		journal_durable_dir(&op->durable, job, op->record));
	start_commit(op);
	IMAGE_AWAIT_RUN(op);
	IMAGE_SYNC(op, op->from.path);
	IMAGE_SYNC(op, op->volume.path);
	committing_forget(&op->env->paths, op->from.path);
	JOB_DURABLE(job, &op->durable,
		durable_above(&op->durable, job, op->record));
	op->result =
		json_pack("{s:b,s:s}", "changed", 1, "backing", op->from.path);
	JOB_END(job);
}

IMAGE_VERB(rebase)
IMAGE_VERB(commit)
