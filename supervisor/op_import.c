/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images from outside; see op_import.h. */
#include "supervisor/op_import.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cage.h"
#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/foreign.h"
#include "storage/ovf.h"

#define LOOK_BYTES   "1048576" /* that looking may write: to nowhere */
#define LOOK_SECONDS "60"
#define SUM_SECONDS  "86400" /* of processor, for a terabyte */
#define TEXT_SECONDS "10"

static struct op_image *op_of(struct job *job)
{
	return container_of(job, struct op_image, job);
}

/* ---- looking ---- */

/* A disk that lies in an archive is read there. */
static char *opened_part(const struct op_image *op)
{
	AUTO_JSON json_t *node = json_pack("{s:s,s:{s:s,s:I,s:I,s:{s:s,s:s}}}",
		"driver", "vmdk", "file", "driver", "raw", "offset",
		(json_int_t)op->part.offset, "size", (json_int_t)op->part.bytes,
		"file", "driver", "file", "filename", QEMU_IMG_SOURCE);
	char *text = node ? jstream_text(node, JSON_COMPACT) : NULL;
	char *opened = text ? xasprintf("json:%s", text) : NULL;

	free(text);
	return opened;
}

static int check(struct op_image *op, struct err *err)
{
	if (op->source <= 0) /* the supervisor's own, of a cache */
		op->source = foreign_open(op->from.path, err);
	if (op->source < 0)
		return -1;
	if (!op->part.name)
		return foreign_check(op->source, op->from.path, op->from.format,
			op->snapshots, err);
	op->opened = opened_part(op);
	BUG_ON(!op->opened);
	return foreign_check_part(op->source, op->from.path, op->part.offset,
		op->part.bytes, err);
}

static bool may_begin(struct op_image *op)
{
	struct err err = ERR_INIT;

	if (!env_needs_cage(op->env, &err) && !check(op, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

/* ---- what a manifest says of an archive ---- */

static void on_sum_end(struct job *job, void *arg)
{
	struct op_image *op = arg;
	const struct ova_member *said = &op->part.sums[op->summed];
	const struct str *out = &qemu_img_of(job)->tool.out;
	size_t len = strlen(said->digest);

	op->run = NULL;
	op->run_err = job->err;
	if (!job->err.code && (out->len <= len || out->data[len] != ' ' ||
				      memcmp(out->data, said->digest, len)))
		ova_manifest_refuse(op->from.path, said->name,
			"has another digest than that of", &op->run_err);
	job_wake(&op->job);
}

/* A caged program with a part of the archive as its input. */
static void start_on_part(struct op_image *op, uint64_t at, uint64_t length,
	const char *const words[3], void (*on_end)(struct job *job, void *arg))
{
	AUTO_FREE char *what = xasprintf("cannot check '%s'", op->from.path);
	AUTO_FREE char *offset = xasprintf("%" PRIu64, at);
	AUTO_FREE char *bytes = xasprintf("%" PRIu64, length);
	const char *argv[] = { CAGE_SELF, "--cage-part", offset, bytes,
		QEMU_IMG_SOURCE, "-", LOOK_BYTES, words[0], words[1], words[2],
		NULL };
	struct qemu_img_how how = { .what = what, .source = op->source };

	op->job.progress.phase = "checking";
	op->run = qemu_img_start(argv, &how, &op->job, on_end, op);
}

static bool start_sum(struct op_image *op)
{
	const struct ova_member *said = &op->part.sums[op->summed];
	AUTO_FREE char *program = spawn_find(said->program);
	const char *const words[] = { SUM_SECONDS, program, NULL };

	if (program)
		start_on_part(op, said->offset, said->bytes, words, on_sum_end);
	else
		job_fail(&op->job, ERR_UNSUPPORTED,
			"'%s' has a manifest (.mf), and %s is not installed",
			op->from.path, said->program);
	return program != NULL;
}

/* ---- what its description says ---- */

static void on_text_end(struct job *job, void *arg)
{
	struct op_image *op = arg;

	op->run = NULL;
	op->run_err = job->err;
	op->ovf = job->err.code ? NULL
				: qemu_img_json(qemu_img_of(job), &op->run_err);
	job_wake(&op->job);
}

static void start_text(struct op_image *op)
{
	static const char *const words[] = { TEXT_SECONDS, CAGE_SELF, "--ovf" };

	start_on_part(op, op->part.text_offset, op->part.text_bytes, words,
		on_text_end);
}

static bool is_described(struct op_image *op)
{
	struct err err = ERR_INIT;

	if (!ovf_check_disk(op->ovf, op->from.path, op->part.name,
		    &op->described, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

/* The size that the disk has by its description, which may not say one. */
static bool has_described_size(struct op_image *op)
{
	if (!op->described || op->described == op->copied)
		return true;
	job_fail(&op->job, ERR_CONFIG,
		"'%s' is refused: its .ovf says that '%.60s' has %" PRIu64
		" bytes, but it has %" PRIu64,
		op->from.path, op->part.name, op->described, op->copied);
	return false;
}

/* What makes such a VM of it; new, NULL: nothing is said of that. */
static json_t *next_command(const struct op_image *op)
{
	const json_t *vm = json_object_get(op->ovf, "vm");
	AUTO_FREE char *name = ovf_vm_name(member_text(vm, "name"));
	json_int_t cpus = json_integer_value(json_object_get(vm, "cpus"));
	json_int_t memory = json_integer_value(json_object_get(vm, "memory"));
	AUTO_STR struct str text = STR_INIT;

	if (!vm)
		return NULL;
	str_addf(&text, "vmward create %s --base %s", name ? name : "NAME",
		op->volume.name);
	if (memory > 0) {
		str_add(&text, " --memory ");
		str_add_bytes(&text, (uint64_t)memory);
	}
	if (cpus > 0)
		str_addf(&text, " --cpus %" JSON_INTEGER_FORMAT, cpus);
	return json_string(str_text(&text));
}

static json_t *result_of(const struct op_image *op)
{
	json_t *result = json_pack("{s:b,s:s,s:s,s:I}", "changed", 1, "path",
		op->volume.path, "format", op->volume.format, "size",
		(json_int_t)op->copied);
	json_t *next = next_command(op);

	if (next) {
		json_object_set(result, "vm", json_object_get(op->ovf, "vm"));
		json_object_set_new(result, "message",
			json_sprintf(
				"imported; next: %s", json_string_value(next)));
		json_object_set_new(result, "next", next);
	}
	return result;
}

/* ---- what qemu-img says of it ---- */

static void on_look_end(struct job *job, void *arg)
{
	struct op_image *op = arg;
	struct err ignored = ERR_INIT;

	op->run = NULL;
	op->run_err = job->err;
	json_decref(op->printed);
	op->printed = job->err.code ? NULL
				    : qemu_img_json(qemu_img_of(job), &ignored);
	job_wake(&op->job);
}

static void start_look(struct op_image *op)
{
	AUTO_FREE char *what = xasprintf("cannot read '%s'", op->from.path);
	const char *argv[] = { CAGE_SELF, "--cage", QEMU_IMG_SOURCE, "-",
		LOOK_BYTES, LOOK_SECONDS, op->env->qemu_img, "info",
		"--output=json", op->opened ? op->opened : "-f",
		op->opened ? NULL : op->from.format, QEMU_IMG_SOURCE, NULL };
	struct qemu_img_how how = { .what = what, .source = op->source };

	op->job.progress.phase = "looking";
	op->run = qemu_img_start(argv, &how, &op->job, on_look_end, op);
}

static bool has(const json_t *info, const char *key)
{
	const json_t *value = json_object_get(info, key);

	return value && !json_is_null(value) && !json_is_false(value);
}

/* qemu-img knows more of some formats than our reading of their headers. */
static const char *fault_of(const struct op_image *op)
{
	json_t *more = json_object_get(
		json_object_get(op->printed, "format-specific"), "data");
	json_t *extents = json_object_get(more, "extents");
	size_t i;
	json_t *extent;

	if (has(op->printed, "backing-filename"))
		return "it is on top of another file";
	if (has(op->printed, "encrypted"))
		return "it is encrypted";
	if (has(more, "data-file"))
		return "its data is in another file";
	if (json_array_size(json_object_get(op->printed, "snapshots")) &&
		!op->snapshots)
		return "it has snapshots inside";
	json_array_foreach(extents, i, extent)
	{
		const char *name =
			json_string_value(json_object_get(extent, "filename"));

		/* of an archive the one extent is said as we said it */
		if (!name || (op->opened ? i > 0 || !str_starts(name, "json:")
					 : !str_eq(name, QEMU_IMG_SOURCE)))
			return "its data is in other files";
	}
	return NULL;
}

static bool is_harmless(struct op_image *op)
{
	json_int_t size = json_integer_value(
		json_object_get(op->printed, "virtual-size"));
	const char *fault =
		op->printed ? fault_of(op) : "qemu-img says nothing of it";

	op->copied = size > 0 ? (uint64_t)size : 0;
	if (!fault && (!op->copied || op->copied > FOREIGN_MOST))
		fault = "its size makes no sense";
	if (!fault)
		return true;
	job_fail(&op->job, ERR_CONFIG, "'%s' is refused: %s", op->from.path,
		fault);
	return false;
}

/* ---- room ---- */

static bool has_room(struct op_image *op)
{
	struct err err = ERR_INIT;
	struct stat st;
	uint64_t needed = 0;

	if (op->part.name)
		needed = op->part.bytes;
	else if (!sys_fstat(op->source, &st))
		needed = (uint64_t)st.st_blocks * 512;
	if (!pool_claim(&op->env->paths, op->volume.path, op->copied,
		    &op->claim, &err) &&
		!volume_has_space(&op->volume, needed, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

/* ---- copying ---- */

static void start_copy(struct op_image *op)
{
	const struct image_wish wish = { .path = op->volume.path,
		.format = op->volume.format,
		.size = op->copied,
		.options = op->options,
		.from = QEMU_IMG_SOURCE,
		.from_format = op->from.format,
		.from_opened = op->opened,
		.from_fd = op->source,
		.compress = op->compress,
		.caged = true };

	op_image_create(op, &wish);
	op->job.progress.phase = "importing";
}

/* ---- the job ---- */

static enum job_state import_run(struct job *job)
{
	struct op_image *op = container_of(job, struct op_image, job);

	JOB_BEGIN(job);
	if (!may_begin(op))
		return JOB_ENDS;
	for (; op->summed < op->part.n_sums; op->summed++) {
		if (!start_sum(op))
			return JOB_ENDS;
		JOB_AWAIT(job, !op->run, JOB_FOREVER);
		if (op->run_err.code)
			return job_fail_err(job, &op->run_err);
	}
	if (op->part.name) {
		start_text(op);
		JOB_AWAIT(job, !op->run, JOB_FOREVER);
		if (op->run_err.code)
			return job_fail_err(job, &op->run_err);
		if (!is_described(op))
			return JOB_ENDS;
	}
	start_look(op);
	JOB_AWAIT(job, !op->run, JOB_FOREVER);
	if (op->run_err.code)
		return job_fail_err(job, &op->run_err);
	if (!is_harmless(op) || !has_described_size(op) || !has_room(op))
		return JOB_ENDS;
	start_copy(op);
	IMAGE_STEP_AWAIT(job, &op->make);
	op->result = result_of(op);
	JOB_END(job);
}

static void import_cleanup(struct job *job)
{
	op_image_free(op_of(job));
}

void op_image_import(struct op_image *op, op_image_end *on_end, void *arg)
{
	static const struct job_kind kind = { "image-import", import_run, NULL,
		import_cleanup };

	job_start(&op->job, &kind, op->volume.name, on_end, arg);
}
