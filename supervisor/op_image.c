/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work on images, as jobs; see op_image.h. */
#include "supervisor/op_image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/committing.h"
#include "supervisor/holder.h"

#define CHECK_FINE                                    \
	(UINT64_C(1) << QEMU_IMG_CHECK_CORRUPT |      \
		UINT64_C(1) << QEMU_IMG_CHECK_LEAKS | \
		UINT64_C(1) << QEMU_IMG_CHECK_NONE)

struct op_image *op_image_of(struct job *job)
{
	return container_of(job, struct op_image, job);
}

/* ---- qemu-img ---- */

static void on_run_end(struct job *job, void *arg)
{
	struct op_image *op = arg;
	struct qemu_img *run = qemu_img_of(job);
	struct err ignored = ERR_INIT;

	op->run = NULL;
	op->run_err = job->err;
	op->code = run->tool.exit.code;
	op->locked = job->err.code &&
		     strstr(str_text(&run->tool.errors), "Failed to get");
	json_decref(op->printed);
	op->printed = job->err.code ? NULL : qemu_img_json(run, &ignored);
	job_wake(&op->job);
}

/* Which of the two images the secret opens. */
static const struct volume *opened(const struct op_image *op)
{
	return op->from.path ? &op->from : &op->volume;
}

/* The words; where there is a secret, the image is named by what opens it. */
static void add_words(const struct op_image *op, const char *const *words,
	const char *opts, const char *argv[20])
{
	size_t n = 1;

	for (; *words && n < 18; words++) {
		if (opts && str_eq(*words, "-f")) {
			argv[n++] = "--object";
			argv[n++] = QEMU_IMG_SECRET;
			argv[n++] = "--image-opts";
			words++;
		} else if (opts && *words == opened(op)->path) {
			argv[n++] = opts;
		} else {
			argv[n++] = *words;
		}
	}
}

void op_image_run(struct op_image *op, const char *const *words,
	const char *verb, uint64_t fine)
{
	AUTO_FREE char *what =
		xasprintf("cannot %s image '%s'", verb, op->volume.path);
	AUTO_FREE char *opts =
		op->secret.bytes
			? qemu_img_opts(opened(op)->path, opened(op)->format)
			: NULL;
	const char *argv[20] = { op->env->qemu_img };

	add_words(op, words, opts, argv);
	op->run = qemu_img_start(argv,
		&(struct qemu_img_how){ .what = what,
			.fine = fine,
			.total = op->bytes,
			.on_words = op->on_words,
			.arg = op,
			.secret = &op->secret },
		&op->job, on_run_end, op);
	op->on_words = NULL;
}

/* In place of qemu-img's words, which name the file twice and nobody. */
static void tell_holder(struct op_image *op)
{
	struct err *err = &op->run_err;
	const struct volume *held = &op->volume;
	AUTO_FREE char *who = holder_of(held->path);
	AUTO_FREE char *verb = xstrndup(err->text, strcspn(err->text, "'"));

	if (!who && op->from.path) {
		held = &op->from;
		who = holder_of(held->path);
	}
	err_set(err, ERR_BUSY, "%s'%s': '%s' is locked by %s", verb,
		op->volume.path, held->name, who ? who : "another process");
}

enum job_state op_image_fail(struct op_image *op)
{
	struct err *err = &op->run_err;
	AUTO_STR struct str needed = STR_INIT;
	size_t len = strlen(err->text);

	if (op->needed && strstr(err->text, "No space left")) {
		str_add_bytes(&needed, op->needed);
		snprintf(err->text + len, sizeof(err->text) - len,
			": it needs up to %s", str_text(&needed));
	}
	if (op->locked || strstr(err->text, "Is another process using"))
		tell_holder(op);
	return job_fail_err(&op->job, err);
}

static bool has_qemu_img(struct op_image *op)
{
	struct err err = ERR_INIT;

	if (!env_needs_qemu_img(op->env, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

static bool check(struct op_image *op, const struct volume *volume,
	const struct chain_rules *rules)
{
	struct err err = ERR_INIT;

	if (!has_qemu_img(op))
		return false;
	if (!backing_check(volume->path, volume->format, rules, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

/* The pool's quota admits so many bytes more. */
static bool has_quota(struct op_image *op, uint64_t bytes)
{
	struct err err = ERR_INIT;

	if (!pool_claim(
		    &op->env->paths, op->volume.path, bytes, &op->claim, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

/* The secret is there if, and only if, it is needed. */
static bool can_open(struct op_image *op, const struct volume *volume)
{
	bool given = op->secret.bytes && volume == opened(op);
	struct err ignored = ERR_INIT;
	struct backing header;
	bool encrypted;

	if (backing_read(volume->path, volume->format, &header, &ignored))
		header.encrypted = false;
	encrypted = header.encrypted;
	backing_fini(&header);
	if (encrypted == given)
		return true;
	job_fail(&op->job, given ? ERR_USAGE : ERR_DENIED,
		given ? "image '%s' is not encrypted: it takes no --secret-file"
		      : "image '%s' is encrypted: --secret-file of check, "
			"resize and convert opens it",
		volume->path);
	return false;
}

bool op_image_is_sound(struct op_image *op, const struct volume *volume)
{
	return check(op, volume, &op->rules) && can_open(op, volume);
}

bool op_image_is_itself(struct op_image *op, const struct volume *volume)
{
	const struct chain_rules rules = { .only_itself = true };

	return check(op, volume, &rules);
}

/* ---- info ---- */

static void copy_member(
	json_t *to, const char *name, json_t *from, const char *theirs)
{
	json_t *value = json_object_get(from, theirs);

	json_object_set(to, name, value ? value : json_null());
}

static json_t *names_of_snapshots(json_t *info)
{
	json_t *names = json_array();
	size_t i;
	json_t *snapshot;

	json_array_foreach(json_object_get(info, "snapshots"), i, snapshot)
		json_array_append(names, json_object_get(snapshot, "name"));
	return names;
}

static json_t *summary(const struct op_image *op, json_t *info)
{
	json_t *more = json_object_get(
		json_object_get(info, "format-specific"), "data");
	json_t *result = json_pack("{s:s,s:s,s:s}", "name", op->volume.name,
		"path", op->volume.path, "format", op->volume.format);

	copy_member(result, "size", info, "virtual-size");
	copy_member(result, "allocated", info, "actual-size");
	copy_member(result, "cluster-size", info, "cluster-size");
	copy_member(result, "backing", info, "full-backing-filename");
	copy_member(result, "backing-format", info, "backing-filename-format");
	copy_member(result, "encrypted", info, "encrypted");
	copy_member(result, "dirty", info, "dirty-flag");
	copy_member(result, "corrupt", more, "corrupt");
	copy_member(result, "compression", more, "compression-type");
	copy_member(result, "extended-l2", more, "extended-l2");
	json_object_set_new(result, "snapshots", names_of_snapshots(info));
	return result;
}

void op_image_ask(struct op_image *op)
{
	const char *words[] = { "info", "-U", "--output=json", "-f",
		op->volume.format, op->volume.path, NULL };

	op_image_run(op, words, "read", 0);
}

static enum job_state info_run(struct job *job)
{
	struct op_image *op = container_of(job, struct op_image, job);

	JOB_BEGIN(job);
	if (!op_image_is_itself(op, &op->volume))
		return JOB_ENDS;
	op_image_ask(op);
	IMAGE_AWAIT_RUN(op);
	if (!op->printed)
		return job_fail(job, ERR_OS, "cannot read image '%s': %s",
			op->volume.path, "qemu-img printed no JSON");
	op->result = summary(op, op->printed);
	JOB_END(job);
}

/* ---- check ---- */

static void start_check(struct op_image *op)
{
	const char *words[10] = { "check", "--output=json", "-f",
		op->volume.format };
	size_t n = 4;

	op->job.progress.phase = op->repair ? "repairing" : "checking";
	if (op->repair) {
		words[n++] = "-r";
		words[n++] = op->repair_all ? "all" : "leaks";
	} else {
		words[n++] = "-U";
	}
	words[n] = op->volume.path;
	op_image_run(op, words, op->repair ? "repair" : "check", CHECK_FINE);
}

static json_t *verdict(const struct op_image *op)
{
	static const char *const words[] = { [0] = "clean",
		[QEMU_IMG_CHECK_CORRUPT] = "corrupt",
		[QEMU_IMG_CHECK_LEAKS] = "leaks" };
	json_t *result = json_pack("{s:s,s:s}", "name", op->volume.name,
		"verdict",
		op->code == QEMU_IMG_CHECK_NONE ? "no check for this format"
						: words[op->code]);

	copy_member(result, "leaks", op->printed, "leaks");
	copy_member(result, "corruptions", op->printed, "corruptions");
	copy_member(result, "leaks-fixed", op->printed, "leaks-fixed");
	copy_member(
		result, "corruptions-fixed", op->printed, "corruptions-fixed");
	return result;
}

static enum job_state check_run(struct job *job)
{
	struct op_image *op = container_of(job, struct op_image, job);

	JOB_BEGIN(job);
	if (!op_image_is_sound(op, &op->volume))
		return JOB_ENDS;
	start_check(op);
	IMAGE_AWAIT_RUN(op);
	if (op->repair)
		IMAGE_SYNC(op, op->volume.path);
	op->result = verdict(op);
	JOB_END(job);
}

/* ---- resize ---- */

static void start_resize(struct op_image *op)
{
	char size[24];
	const char *words[8] = { "resize", "-q", "-f", op->volume.format };
	size_t n = 4;

	snprintf(size, sizeof(size), "%" PRIu64, op->size);
	op->job.progress.phase = "resizing";
	if (op->shrink)
		words[n++] = "--shrink";
	words[n++] = op->volume.path;
	words[n] = size;
	op_image_run(op, words, "resize", 0);
}

/* info was asked before: what it is now. */
static bool may_resize(struct op_image *op)
{
	json_int_t now = json_integer_value(
		json_object_get(op->printed, "virtual-size"));
	AUTO_STR struct str text = STR_INIT;

	if (op->printed && (json_int_t)op->size > now)
		return has_quota(op, op->size - (uint64_t)now);
	if (!op->printed || op->shrink || (json_int_t)op->size == now)
		return true;
	str_add_bytes(&text, (uint64_t)now);
	job_fail(&op->job, ERR_STATE,
		"image '%s' has %s, more than that: --shrink cuts its end "
		"off, with what is in it",
		op->volume.path, str_text(&text));
	return false;
}

static enum job_state resize_run(struct job *job)
{
	struct op_image *op = container_of(job, struct op_image, job);

	JOB_BEGIN(job);
	if (!op_image_is_sound(op, &op->volume))
		return JOB_ENDS;
	op_image_ask(op);
	IMAGE_AWAIT_RUN(op);
	if (!may_resize(op))
		return JOB_ENDS;
	start_resize(op);
	IMAGE_AWAIT_RUN(op);
	IMAGE_SYNC(op, op->volume.path);
	op->result = json_pack(
		"{s:b,s:I}", "changed", 1, "size", (json_int_t)op->size);
	JOB_END(job);
}

/* ---- create, clone, convert ---- */

static bool look_at_source(struct op_image *op)
{
	struct err ignored = ERR_INIT;
	const char *format;
	bool backed;

	if (!op_image_is_sound(op, &op->from))
		return false;
	if (image_header(
		    op->from.path, &format, &op->copied, &backed, &ignored))
		op->copied = 0;
	return true;
}

/*
 * As qcow2 whatever it is to be: qemu-img knows no better for the others,
 * and of raw it would count the holes.
 */
static void start_measure(struct op_image *op)
{
	const char *words[] = { "measure", "--output=json", "-f",
		op->from.format, "-O", "qcow2", op->from.path, NULL };

	op->job.progress.phase = "measuring";
	op_image_run(op, words, "create", 0);
}

/* A compressed copy takes less than was measured: then nobody knows. */
static bool has_space(struct op_image *op)
{
	struct err err = ERR_INIT;

	op->needed = (uint64_t)json_integer_value(
		json_object_get(op->printed, "required"));
	if (op->filled && op->copied > op->needed)
		op->needed = op->copied;
	if (op->compress || !volume_has_space(&op->volume, op->needed, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

void op_image_create(struct op_image *op, const struct image_wish *wish)
{
	image_step_start(
		&op->make, op->env->qemu_img, wish, op->volume.name, &op->job);
}

static void start_make(struct op_image *op)
{
	struct image_wish wish = { .path = op->volume.path,
		.format = op->volume.format,
		.size = op->size,
		.options = op->options,
		.secret = op->secret.bytes ? &op->secret : NULL,
		.new_secret = op->new_secret.bytes ? &op->new_secret : NULL };

	if (op->from.path && op->copy) {
		/* what its progress is counted in */
		wish.size = op->copied;
		wish.from = op->from.path;
		wish.from_format = op->from.format;
		wish.compress = op->compress;
		wish.reflink = op->reflink;
	} else if (op->from.path) {
		wish.base = op->from.path;
		wish.base_format = op->from.format;
	}
	op_image_create(op, &wish);
}

static enum job_state make_run(struct job *job)
{
	struct op_image *op = container_of(job, struct op_image, job);

	JOB_BEGIN(job);
	if (op->from.path ? !look_at_source(op) : !has_qemu_img(op))
		return JOB_ENDS;
	if (!has_quota(op, op->size ? op->size : op->copied))
		return JOB_ENDS;
	if (op->copy && !op->reflink) {
		start_measure(op);
		IMAGE_AWAIT_RUN(op);
		if (!has_space(op))
			return JOB_ENDS;
	}
	start_make(op);
	job->progress.phase = op->copy ? "converting" : "creating";
	JOB_AWAIT(job, !op->make.run, JOB_FOREVER);
	op->run_err = op->make.err;
	if (op->run_err.code)
		return op_image_fail(op);
	op->result = json_pack("{s:b,s:s,s:s}", "changed", 1, "path",
		op->volume.path, "format", op->volume.format);
	JOB_END(job);
}

/* ---- delete ---- */

static bool remove_it(struct op_image *op)
{
	struct err err = ERR_INIT;

	if (!sys_unlinkat(AT_FDCWD, op->volume.path, 0))
		return true;
	if (errno == ENOENT)
		err_set(&err, ERR_NOT_FOUND, "no image '%s'", op->volume.path);
	else
		err_os(&err, "cannot delete image '%s'", op->volume.path);
	job_fail_err(&op->job, &err);
	return false;
}

static enum job_state delete_run(struct job *job)
{
	struct op_image *op = container_of(job, struct op_image, job);

	JOB_BEGIN(job);
	if (!remove_it(op))
		return JOB_ENDS;
	committing_forget(&op->env->paths, op->volume.path);
	JOB_DURABLE(job, &op->durable,
		durable_above(&op->durable, job, op->volume.path));
	op->result = json_pack("{s:b}", "changed", 1);
	JOB_END(job);
}

/* ---- all of them ---- */

void op_image_cleanup(struct job *job)
{
	op_image_free(op_image_of(job));
}

struct op_image *op_image_new_steal(
	const struct env *env, struct volume *volume)
{
	struct op_image *op = NEW(struct op_image);

	op->env = env;
	op->volume = *volume;
	*volume = (struct volume){ NULL };
	return op;
}

void op_image_free(struct op_image *op)
{
	durable_stop(&op->durable);
	pool_claim_release(&op->claim);
	secret_fini(&op->secret);
	secret_fini(&op->new_secret);
	volume_fini(&op->volume);
	volume_fini(&op->from);
	ova_disk_fini(&op->part);
	free(op->opened);
	free(op->record);
	free(op->pull.url);
	free(op->pull.sha256);
	free(op->pull.temporary);
	free(op->pull.found);
	if (op->source > 0)
		fd_close(&op->source);
	if (op->pull.fd > 0)
		fd_close(&op->pull.fd);
	free(op->options);
	json_decref(op->printed);
	json_decref(op->ovf);
	json_decref(op->differs_at);
	json_decref(op->map.extents);
	json_decref(op->result);
	free(op);
}

IMAGE_VERB(info)
IMAGE_VERB(check)
IMAGE_VERB(resize)
IMAGE_VERB(make)
IMAGE_VERB(delete)
