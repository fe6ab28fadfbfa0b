/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies of the disks of a running VM; see live_copy.h. */
#include "supervisor/live_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "qmp/call.h"
#include "storage/image.h"
#include "storage/secret.h"
#include "supervisor/argv.h"
#include "supervisor/bitmaps.h"
#include "supervisor/live_image.h"

#define LOOK_MS 250
#define END_MS  60000
#define OPEN_MS 180000 /* a key of LUKS is seconds of a processor */

struct one {
	struct live_image image;
	char *secret_file; /* or NULL */
	char *base;        /* as its header is to name it; or NULL */
	bool persistent;   /* the disk's own image can keep a bitmap */
	char id[32];       /* "clone-root": node and job */
};

struct live_copy {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	struct list list; /* one.image.link */
	struct list *at;
	struct image_step make;
	uint64_t rate; /* bytes a second; 0: any */
	char *since;   /* the bitmap of what is to be copied; NULL: all */
	char *from;    /* the bitmap that begins at the instant; or NULL */
	enum freeze freeze;
	bool *frozen; /* whoever wants to know; with freeze */
	bool is_frozen, step_ended;
	struct err step_err, began_err;
	bool closed;
	struct durable durable;
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

static struct one *one_of(struct list *link)
{
	return list_entry(link, struct one, image.link);
}

struct live_copy *live_copy_new(struct vm *vm)
{
	struct live_copy *op = NEW(struct live_copy);

	op->vm = vm;
	list_init(&op->list);
	return op;
}

void live_copy_free(struct live_copy *op)
{
	if (!op)
		return;
	list_each(&op->list, it, next) {
		struct one *one = one_of(it);

		list_del(it);
		live_image_fini(&one->image);
		free(one->secret_file);
		free(one->base);
		free(one);
	}
	free(op->since);
	free(op->from);
	free(op);
}

void live_copy_add(struct live_copy *op, const struct live_copy_wish *wish)
{
	struct one *one = NEW(struct one);

	one->secret_file =
		wish->secret_file ? xstrdup(wish->secret_file) : NULL;
	one->base = wish->base ? xstrdup(wish->base) : NULL;
	live_image_init(&one->image, wish->disk, wish->path, wish->format);
	snprintf(one->id, sizeof(one->id), LIVE_COPY_OURS "%s", wish->disk);
	list_add(&op->list, &one->image.link);
}

void live_copy_limit(struct live_copy *op, uint64_t rate)
{
	op->rate = rate;
}

void live_copy_track(struct live_copy *op, const char *since, const char *from)
{
	op->since = since ? xstrdup(since) : NULL;
	op->from = xstrdup(from);
}

void live_copy_freeze(struct live_copy *op, enum freeze how, bool *frozen)
{
	op->freeze = how;
	op->frozen = frozen;
}

/* ---- empty images of the same size ---- */

/* Which of them can keep a bitmap. */
static void see_bitmaps(struct live_copy *op)
{
	list_each(&op->list, it, next) {
		struct one *one = one_of(it);
		AUTO_FREE char *top = live_image_top(op->vm, one->image.disk);

		one->persistent =
			bitmaps_persist(bitmaps_node(op->call.result, top));
	}
	op->at = op->list.next;
}

/* Starts to make the next image; false: there is none left. */
static bool make_next(struct live_copy *op)
{
	struct one *one = one_of(op->at);
	struct secret secret = { NULL };
	struct err err = ERR_INIT;

	if (op->at == &op->list)
		return false;
	if (one->secret_file && secret_read(one->secret_file, &secret, &err)) {
		job_fail_err(&op->job, &err);
		return false;
	}
	const struct image_wish wish = { .path = one->image.path,
		.format = one->image.format,
		.base = one->base,
		.base_format = "qcow2",
		.size = one->image.size,
		.options = one->secret_file ? QEMU_IMG_LUKS : NULL,
		.new_secret = &secret };
	op->at = op->at->next;
	image_step_start(&op->make, op->vm->env->qemu_img, &wish, op->vm->name,
		&op->job);
	secret_fini(&secret);
	return true;
}

/* For a successor: QEMU may have what is named after us. */
static bool set_mark(struct live_copy *op, const char *text)
{
	struct err err = ERR_INIT;

	if (!live_copy_mark(op->vm, text, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

/* ---- given to QEMU ---- */

static json_t *node_of(const struct one *one)
{
	AUTO_FREE char *file = xasprintf("/dev/fdset/%d", one->image.set);
	AUTO_FREE char *below = xasprintf("%s.f", one->id);
	json_t *node = json_pack("{s:s,s:s,s:s,s:{s:s,s:s,s:s,s:s}}", "driver",
		one->image.format, "node-name", one->id, "detect-zeroes",
		one->base ? "off" : "unmap", "file", "driver", "file",
		"node-name", below, "filename", file, "discard", "unmap");

	json_object_set_new(node, "discard", json_string("unmap"));
	if (str_eq(one->image.format, "qcow2"))
		json_object_set_new(node, "backing", json_null());
	if (one->secret_file) {
		AUTO_FREE char *secret = argv_disk_secret_id(one->image.disk);

		json_object_set_new(node, "encrypt",
			json_pack("{s:s,s:s}", "format", "luks", "key-secret",
				secret));
	}
	return node;
}

static void send_node(struct live_copy *op)
{
	const struct one *one = one_of(op->at);

	op->at = op->at->next;
	qmp_call_start(&op->call, &op->job, QMP_OF(op),
		QMP_COMMAND_IN(one->secret_file ? OPEN_MS : 0, "blockdev-add",
			node_of(one)),
		false);
}

static json_t *backup_action(
	const struct live_copy *op, const struct one *one, const char *top)
{
	json_t *data = json_pack("{s:s,s:s,s:s,s:s,s:b,s:I}", "job-id", one->id,
		"device", top, "target", one->id, "sync",
		op->since ? "bitmap" : "full", "auto-dismiss", 0, "speed",
		(json_int_t)op->rate);

	if (op->since) { /* it stays as it is: the copy may yet be lost */
		json_object_set_new(data, "bitmap", json_string(op->since));
		json_object_set_new(data, "bitmap-mode", json_string("never"));
	}
	return json_pack("{s:s,s:o}", "type", "blockdev-backup", "data", data);
}

/* All of them begin at one instant, and end well together or not at all. */
static json_t *transaction(const struct live_copy *op)
{
	json_t *actions = json_array();

	list_each(&op->list, it, next) {
		const struct one *one = one_of(it);
		AUTO_FREE char *top = live_image_top(op->vm, one->image.disk);

		if (op->from)
			json_array_append_new(actions,
				json_pack("{s:s,s:{s:s,s:s,s:b}}", "type",
					"block-dirty-bitmap-add", "data",
					"node", top, "name", op->from,
					"persistent", one->persistent));
		json_array_append_new(actions, backup_action(op, one, top));
	}
	if (op->from) /* QEMU groups no bitmaps: a failure ends the others */
		return json_pack("{s:o}", "actions", actions);
	return json_pack("{s:o,s:{s:s}}", "actions", actions, "properties",
		"completion-mode", "grouped");
}

/* ---- how far they are ---- */

static void show_progress(struct live_copy *op)
{
	struct job_progress sum = { .phase = "copying" };
	json_t *each;
	size_t i;

	json_array_foreach(op->call.result, i, each)
	{
		if (!live_copy_is_ours(each, "id"))
			continue;
		sum.done += (uint64_t)json_integer_value(
			json_object_get(each, "current-progress"));
		sum.total += (uint64_t)json_integer_value(
			json_object_get(each, "total-progress"));
	}
	for (struct job *job = &op->job; job; job = job->parent)
		job->progress = sum;
}

/*
 * One of them failed; or all have ended.  A QEMU that was started meanwhile
 * knows of none, and would be taken for one that is done.
 */
static bool is_over(struct live_copy *op)
{
	size_t known = 0;
	bool over = true;
	json_t *each;
	size_t i;

	show_progress(op);
	json_array_foreach(op->call.result, i, each)
	{
		const char *error =
			json_string_value(json_object_get(each, "error"));
		const char *status = str_or(
			json_string_value(json_object_get(each, "status")), "");

		if (!live_copy_is_ours(each, "id"))
			continue;
		known++;
		over &= str_eq(status, "concluded");
		if (error && !strstr(error, "cancel"))
			job_fail(&op->job, ERR_QMP, "cannot copy: %s", error);
	}
	if (known != list_count(&op->list))
		job_fail(&op->job, ERR_GONE, "QEMU is gone");
	return over || op->job.err.code;
}

/* ---- taken away again ---- */

static void on_closed(struct job *job UNUSED, void *arg)
{
	struct live_copy *op = arg;

	op->closed = true;
}

static void start_close(struct live_copy *op)
{
	op->closed = false;
	live_copy_reap_begin(op->vm, on_closed, op)->parent = &op->job;
}

/* ---- the job ---- */

static void sync_next(struct live_copy *op)
{
	durable_path(&op->durable, &op->job, one_of(op->at)->image.path);
	op->at = op->at->next;
}

static void on_step_end(struct job *job, void *arg)
{
	struct live_copy *op = arg;

	op->step_ended = true;
	op->step_err = job->err;
}

/* From here on it may be frozen, whatever the agent answers. */
static bool start_freeze(struct live_copy *op)
{
	if (!set_mark(op, LIVE_COPY_FROZEN))
		return false;
	op->is_frozen = true;
	op->step_ended = false;
	freeze_begin(op->vm, true, &op->job, on_step_end, op);
	return true;
}

/* Without an agent that may be no matter. */
static bool may_go_on(struct live_copy *op)
{
	*op->frozen = !op->step_err.code;
	if (!op->step_err.code || op->freeze == FREEZE_IF_AGENT)
		return true;
	job_fail_err(&op->job, &op->step_err);
	return false;
}

static void start_thaw(struct live_copy *op)
{
	op->is_frozen = op->step_ended = false;
	freeze_begin(op->vm, false, &op->job, on_step_end, op);
}

static enum job_state copy_run(struct job *job)
{
	struct live_copy *op = container_of(job, struct live_copy, job);

	JOB_BEGIN(job);
	QMP_CALL(job, &op->call, QMP_OF(op), "query-named-block-nodes",
		json_pack("{s:b}", "flat", 1));
	if (!live_images_size(&op->list, &op->call, op->vm))
		return JOB_ENDS;
	see_bitmaps(op);
	while (make_next(op))
		IMAGE_STEP_AWAIT(job, &op->make);
	if (!live_images_open(&op->list, job) || !set_mark(op, ""))
		return JOB_ENDS;
	op->at = op->list.next;
	while (op->at != &op->list) {
		while (live_image_send(&one_of(op->at)->image, &op->call, job,
			QMP_OF(op), one_of(op->at)->id)) {
			JOB_AWAIT(job, op->call.replied, JOB_FOREVER);
			live_image_sent(&one_of(op->at)->image, &op->call);
		}
		send_node(op);
		JOB_AWAIT(job, op->call.replied, JOB_FOREVER);
	}
	if (op->freeze != FREEZE_NO) {
		if (!start_freeze(op))
			return JOB_ENDS;
		JOB_AWAIT(job, op->step_ended, JOB_FOREVER); /* its own */
		if (!may_go_on(op))
			return JOB_ENDS;
	}
	if (!live_images_are_wanted(&op->list, job, op->vm))
		return JOB_ENDS;
	QMP_TRY(job, &op->call, QMP_OF(op), "transaction", transaction(op));
	op->began_err = op->call.err;
	if (op->is_frozen) {
		start_thaw(op);
		JOB_AWAIT(job, op->step_ended, JOB_FOREVER); /* its own */
	}
	if (op->began_err.code)
		return job_fail_err(job, &op->began_err);
	do {
		JOB_AWAIT_OR_TIMEOUT(job, !op->vm->machine.ready, LOOK_MS);
		QMP_CALL(job, &op->call, QMP_OF(op), "query-jobs", NULL);
	} while (!is_over(op));
	if (job->err.code)
		return JOB_ENDS;
	start_close(op);
	JOB_AWAIT(job, op->closed, JOB_FOREVER); /* a job of its own */
	for (op->at = op->list.next; op->at != &op->list;)
		JOB_DURABLE(job, &op->durable, sync_next(op));
	JOB_END(job);
}

static enum job_state copy_undo(struct job *job)
{
	struct live_copy *op = container_of(job, struct live_copy, job);

	JOB_BEGIN(job);
	if (op->vm->machine.ready && op->is_frozen) {
		start_thaw(op);
		JOB_AWAIT(job, op->step_ended, END_MS);
	}
	if (op->vm->machine.ready) {
		start_close(op);
		JOB_AWAIT(job, op->closed, END_MS);
	}
	JOB_END(job);
}

static void copy_cleanup(struct job *job)
{
	struct live_copy *op = container_of(job, struct live_copy, job);

	durable_stop(&op->durable);
	qmp_call_fini(&op->call);
	live_copy_free(op);
}

struct job *live_copy_start(struct live_copy *op, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg)
{
	static const struct job_kind kind = { "live-copy", copy_run, copy_undo,
		copy_cleanup };

	job_start(&op->job, &kind, op->vm->name, on_end, arg);
	op->job.parent = parent;
	return &op->job;
}
