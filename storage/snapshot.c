/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internal snapshots of images; see snapshot.h. */
#include "storage/snapshot.h"

#include <errno.h>
#include <fcntl.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/backing.h"

#define CHECK_FINE                                    \
	(UINT64_C(1) << QEMU_IMG_CHECK_CORRUPT |      \
		UINT64_C(1) << QEMU_IMG_CHECK_LEAKS | \
		UINT64_C(1) << QEMU_IMG_CHECK_NONE)

static const struct {
	const char *verb;
	const char *option; /* of `qemu-img snapshot`; NULL: only a look */
} acts[] = {
	[SNAPSHOT_LOOK] = { "read", NULL },
	[SNAPSHOT_MAKE] = { "take a snapshot of", "-c" },
	[SNAPSHOT_APPLY] = { "revert", "-a" },
	[SNAPSHOT_DROP] = { "delete a snapshot of", "-d" },
};

static const char *image_at(const struct image_tags *op)
{
	return str_or(
		json_string_value(json_array_get(op->images, op->at)), "");
}

/* ---- qemu-img ---- */

static bool has_tag(json_t *info, const char *tag)
{
	json_t *snapshot;
	size_t i;

	json_array_foreach(json_object_get(info, "snapshots"), i, snapshot)
	{
		if (str_eq(member_text(snapshot, "name"), tag))
			return true;
	}
	return false;
}

static void on_run_end(struct job *job, void *arg)
{
	struct image_tags *op = arg;
	struct err ignored = ERR_INIT;
	AUTO_JSON json_t *info =
		job->err.code ? NULL
			      : qemu_img_json(qemu_img_of(job), &ignored);

	op->run = NULL;
	op->run_err = job->err;
	if (!info)
		return;
	op->found = has_tag(info, op->tag);
	json_decref(op->bitmaps);
	op->bitmaps = json_incref(json_object_get(
		json_object_get(
			json_object_get(info, "format-specific"), "data"),
		"bitmaps"));
}

static void run(struct image_tags *op, const char *const *argv,
	const char *verb, uint64_t fine)
{
	AUTO_FREE char *what =
		xasprintf("cannot %s image '%s'", verb, image_at(op));

	op->run = qemu_img_start(argv,
		&(struct qemu_img_how){
			.what = what, .hide = op->url, .fine = fine },
		&op->job, on_run_end, op);
}

static void run_info(struct image_tags *op)
{
	const char *argv[] = { op->qemu_img, "info", "-U", "--output=json",
		"-f", "qcow2", image_at(op), NULL };

	run(op, argv, "read", 0);
}

static void run_act(struct image_tags *op)
{
	const char *argv[] = { op->qemu_img, "snapshot", "-q",
		acts[op->act].option, op->tag, op->url, NULL };

	run(op, argv, acts[op->act].verb, 0);
}

/*
 * qemu-img reverts no image with dirty bitmaps, which would lie afterwards;
 * whoever goes by one finds it gone.  False: there is none left.
 */
static bool run_forget(struct image_tags *op)
{
	AUTO_JSON json_t *bitmap = json_incref(json_array_get(op->bitmaps, 0));
	const char *argv[] = { op->qemu_img, "bitmap", "--remove", "-f",
		"qcow2", image_at(op),
		str_or(json_string_value(json_object_get(bitmap, "name")), ""),
		NULL };

	if (!bitmap || op->act != SNAPSHOT_APPLY)
		return false;
	json_array_remove(op->bitmaps, 0);
	run(op, argv, "take bitmaps out of", 0);
	return true;
}

static void run_check(struct image_tags *op)
{
	const char *argv[] = { op->qemu_img, "check", "-q", "-r", "leaks", "-f",
		"qcow2", image_at(op), NULL };

	run(op, argv, "check", CHECK_FINE);
}

/* ---- the job ---- */

/* `snapshot` takes no format: like this it believes nothing else either. */
static void name_image(struct image_tags *op)
{
	AUTO_JSON json_t *node =
		json_pack("{s:s,s:n,s:{s:s,s:s}}", "driver", "qcow2", "backing",
			"file", "driver", "file", "filename", image_at(op));
	AUTO_FREE char *text = jstream_text(node, JSON_COMPACT);

	free(op->url);
	op->url = xasprintf("json:%s", text);
}

/* The image is sound; false: it is gone, or the job failed. */
static bool begin_image(struct image_tags *op)
{
	const struct chain_rules rules = { .only_itself = true };
	struct err err = ERR_INIT;
	struct stat st;

	if (op->act == SNAPSHOT_DROP &&
		sys_fstatat(AT_FDCWD, image_at(op), &st, 0) && errno == ENOENT)
		return false;
	if (backing_check(image_at(op), "qcow2", &rules, &err)) {
		job_fail_err(&op->job, &err);
		return false;
	}
	name_image(op);
	return true;
}

/* What the look found lets it go on with the image; else the next one. */
static bool goes_on(struct image_tags *op)
{
	if (op->found == (op->act != SNAPSHOT_MAKE))
		return op->act != SNAPSHOT_LOOK;
	if (op->act != SNAPSHOT_DROP)
		job_fail(&op->job, ERR_STATE, "image '%s' has %s '%s' inside",
			image_at(op), op->found ? "a snapshot" : "no snapshot",
			op->tag);
	return false;
}

static enum job_state images_run(struct job *job)
{
	struct image_tags *op = container_of(job, struct image_tags, job);

	JOB_BEGIN(job);
	for (; op->at < json_array_size(op->images); op->at++) {
		if (!begin_image(op)) {
			if (job->err.code)
				return JOB_ENDS;
			continue;
		}
		run_info(op);
		JOB_AWAIT(job, !op->run, JOB_FOREVER); /* a job of its own */
		if (op->run_err.code)
			return job_fail_err(job, &op->run_err);
		if (goes_on(op)) {
			while (run_forget(op)) {
				JOB_AWAIT(job, !op->run, JOB_FOREVER);
				if (op->run_err.code)
					return job_fail_err(job, &op->run_err);
			}
			run_act(op);
			JOB_AWAIT(job, !op->run, JOB_FOREVER); /* the same */
			if (op->run_err.code)
				return job_fail_err(job, &op->run_err);
		}
		if (job->err.code)
			return JOB_ENDS;
		if (op->act == SNAPSHOT_LOOK)
			continue;
		if (op->interrupted) {
			run_check(op); /* what it leaves is not our business */
			JOB_AWAIT(job, !op->run, JOB_FOREVER); /* the same */
		}
		JOB_DURABLE(job, &op->durable,
			durable_path(&op->durable, job, image_at(op)));
	}
	JOB_END(job);
}

static void images_cleanup(struct job *job)
{
	struct image_tags *op = container_of(job, struct image_tags, job);

	durable_stop(&op->durable);
	json_decref(op->images);
	json_decref(op->bitmaps);
	free(op->qemu_img);
	free(op->tag);
	free(op->url);
	free(op);
}

static const struct job_kind images_kind = {
	.name = "snapshot-images",
	.run = images_run,
	.cleanup = images_cleanup,
};

struct job *snapshot_start(const char *qemu_img,
	const struct snapshot_wish *wish, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg)
{
	struct image_tags *op = NEW(struct image_tags);

	op->qemu_img = xstrdup(qemu_img);
	op->act = wish->act;
	op->tag = xstrdup(wish->tag);
	op->images = json_incref(wish->images);
	op->interrupted = wish->interrupted;
	job_start(&op->job, &images_kind, parent ? parent->target : NULL,
		on_end, arg);
	op->job.parent = parent;
	return &op->job;
}
