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
#include "supervisor/live_image.h"

#define MARK     "clone"
#define OURS     "clone-" /* jobs, nodes and descriptors in QEMU */
#define LOOK_MS  250
#define AGAIN_MS 100
#define TRIES    300 /* a backup that is cancelled ends soon */
#define END_MS   60000
#define OPEN_MS  180000 /* a key of LUKS is seconds of a processor */

struct one {
	struct list link; /* live_copy.list */
	char *disk;
	char *secret_file; /* or NULL */
	struct live_image image;
	char id[32]; /* "clone-root": node and job */
};

struct live_copy {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	struct list list; /* one.link */
	struct list *at;
	struct image_create *make;
	struct err make_err;
	uint64_t rate; /* bytes a second; 0: any */
	bool closed;
	struct durable durable;
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

static struct one *one_of(struct list *link)
{
	return list_entry(link, struct one, link);
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
		free(one->disk);
		free(one->secret_file);
		free(one);
	}
	free(op);
}

void live_copy_add(struct live_copy *op, const struct live_copy_wish *wish)
{
	struct one *one = NEW(struct one);

	one->disk = xstrdup(wish->disk);
	one->secret_file =
		wish->secret_file ? xstrdup(wish->secret_file) : NULL;
	live_image_init(&one->image, wish->path, wish->format);
	snprintf(one->id, sizeof(one->id), OURS "%s", wish->disk);
	list_add(&op->list, &one->link);
}

void live_copy_limit(struct live_copy *op, uint64_t rate)
{
	op->rate = rate;
}

/* ---- empty images of the same size ---- */

/* The node that the guest's device is on. */
static char *top_of(const struct live_copy *op, const char *disk)
{
	return argv_disk_top(spec_disk_of(op->vm->running, disk), disk);
}

static bool know_sizes(struct live_copy *op)
{
	list_each(&op->list, it, next) {
		struct one *one = one_of(it);

		AUTO_FREE char *top = top_of(op, one->disk);

		one->image.size = live_image_node_size(op->call.result, top);
		if (!one->image.size) {
			job_fail(&op->job, ERR_NOT_FOUND,
				"QEMU has no disk '%s'", one->disk);
			return false;
		}
	}
	op->at = op->list.next;
	return true;
}

static void on_made(struct job *job, void *arg)
{
	struct live_copy *op = arg;

	op->make = NULL;
	op->make_err = job->err;
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
		.size = one->image.size,
		.options = one->secret_file ? QEMU_IMG_LUKS : NULL,
		.new_secret = &secret };
	op->at = op->at->next;
	op->make = image_create_start(op->vm->env->qemu_img, &wish,
		op->vm->name, &op->job, on_made, op);
	secret_fini(&secret);
	return true;
}

static bool open_images(struct live_copy *op)
{
	struct err err = ERR_INIT;

	list_each(&op->list, it, next) {
		struct one *one = one_of(it);

		if (live_image_open(&one->image, one->image.path, &err)) {
			job_fail_err(&op->job, &err);
			return false;
		}
	}
	op->at = op->list.next;
	return true;
}

/* For a successor: QEMU may have what is named after us. */
static bool set_mark(struct live_copy *op)
{
	AUTO_FREE char *path = machine_priv_path(&op->vm->machine, MARK);
	struct err err = ERR_INIT;

	if (!fd_write_file(AT_FDCWD, path, "", 0, 0600, false, &err))
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
		"unmap", "file", "driver", "file", "node-name", below,
		"filename", file, "discard", "unmap");

	json_object_set_new(node, "discard", json_string("unmap"));
	if (str_eq(one->image.format, "qcow2"))
		json_object_set_new(node, "backing", json_null());
	if (one->secret_file) {
		AUTO_FREE char *secret = argv_disk_secret_id(one->disk);

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

/* All of them begin at one instant, and end well together or not at all. */
static json_t *transaction(const struct live_copy *op)
{
	json_t *actions = json_array();

	list_each(&op->list, it, next) {
		const struct one *one = one_of(it);
		AUTO_FREE char *top = top_of(op, one->disk);

		json_array_append_new(actions,
			json_pack("{s:s,s:{s:s,s:s,s:s,s:s,s:b,s:I}}", "type",
				"blockdev-backup", "data", "job-id", one->id,
				"device", top, "target", one->id, "sync",
				"full", "auto-dismiss", 0, "speed",
				(json_int_t)op->rate));
	}
	return json_pack("{s:o,s:{s:s}}", "actions", actions, "properties",
		"completion-mode", "grouped");
}

/* ---- how far they are ---- */

static bool is_ours(const json_t *of, const char *key)
{
	const char *name = json_string_value(json_object_get(of, key));

	return name && str_starts(name, OURS);
}

static void show_progress(struct live_copy *op)
{
	struct job_progress sum = { .phase = "copying" };
	json_t *each;
	size_t i;

	json_array_foreach(op->call.result, i, each)
	{
		if (!is_ours(each, "id"))
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

		if (!is_ours(each, "id"))
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

struct reap {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	json_t *list; /* QEMU's answer that is gone through */
	size_t at;
	unsigned tries;
	bool more; /* a job of ours has not ended */
	const char *verb;
	json_t *arguments;
};

/* The next job: what is to be done about it; false: that was the last. */
static bool next_job(struct reap *op)
{
	while (op->at < json_array_size(op->list)) {
		const json_t *each = json_array_get(op->list, op->at++);
		const char *status = str_or(
			json_string_value(json_object_get(each, "status")), "");

		if (!is_ours(each, "id"))
			continue;
		op->more = true;
		op->verb = str_eq(status, "concluded") ? "job-dismiss"
						       : "job-cancel";
		op->arguments =
			json_pack("{s:O}", "id", json_object_get(each, "id"));
		return true;
	}
	return false;
}

/* A node of a format: what it is on goes with it. */
static bool next_old_node(struct reap *op)
{
	while (op->at < json_array_size(op->list)) {
		json_t *name = json_object_get(
			json_array_get(op->list, op->at++), "node-name");
		const char *text = str_or(json_string_value(name), "");

		if (!str_starts(text, OURS) || str_ends(text, ".f"))
			continue;
		op->arguments = json_pack("{s:O}", "node-name", name);
		return true;
	}
	return false;
}

static bool next_old_set(struct reap *op)
{
	while (op->at < json_array_size(op->list)) {
		const json_t *set = json_array_get(op->list, op->at++);

		if (!is_ours(json_array_get(json_object_get(set, "fds"), 0),
			    "opaque"))
			continue;
		op->arguments = json_pack(
			"{s:O}", "fdset-id", json_object_get(set, "fdset-id"));
		return true;
	}
	return false;
}

static void take_list(struct reap *op)
{
	json_decref(op->list);
	op->list = json_incref(op->call.result);
	op->at = 0;
}

static enum job_state reap_run(struct job *job)
{
	struct reap *op = container_of(job, struct reap, job);

	JOB_BEGIN(job);
	for (op->tries = 0; op->tries < TRIES; op->tries++) {
		QMP_TRY(job, &op->call, QMP_OF(op), "query-jobs", NULL);
		take_list(op);
		op->more = false;
		while (next_job(op))
			QMP_TRY(job, &op->call, QMP_OF(op), op->verb,
				TAKE(op->arguments));
		if (!op->more || !op->vm->machine.ready)
			break;
		JOB_AWAIT_OR_TIMEOUT(job, !op->vm->machine.ready, AGAIN_MS);
	}
	QMP_TRY(job, &op->call, QMP_OF(op), "query-named-block-nodes",
		json_pack("{s:b}", "flat", 1));
	take_list(op);
	while (next_old_node(op))
		QMP_TRY(job, &op->call, QMP_OF(op), "blockdev-del",
			TAKE(op->arguments));
	QMP_TRY(job, &op->call, QMP_OF(op), "query-fdsets", NULL);
	take_list(op);
	while (next_old_set(op))
		QMP_TRY(job, &op->call, QMP_OF(op), "remove-fd",
			TAKE(op->arguments));
	(void)live_copy_was_begun(op->vm);
	JOB_END(job);
}

static void reap_cleanup(struct job *job)
{
	struct reap *op = container_of(job, struct reap, job);

	qmp_call_fini(&op->call);
	json_decref(op->list);
	free(op);
}

struct job *live_copy_reap_begin(
	struct vm *vm, void (*on_end)(struct job *job, void *arg), void *arg)
{
	static const struct job_kind kind = { "clone-reap", reap_run, NULL,
		reap_cleanup };
	struct reap *op = NEW(struct reap);

	op->vm = vm;
	job_start(&op->job, &kind, vm->name, on_end, arg);
	return &op->job;
}

bool live_copy_was_begun(const struct vm *vm)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, MARK);

	return sys_unlinkat(AT_FDCWD, path, 0) == 0;
}

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

static enum job_state copy_run(struct job *job)
{
	struct live_copy *op = container_of(job, struct live_copy, job);

	JOB_BEGIN(job);
	QMP_CALL(job, &op->call, QMP_OF(op), "query-named-block-nodes",
		json_pack("{s:b}", "flat", 1));
	if (!know_sizes(op))
		return JOB_ENDS;
	while (make_next(op)) {
		JOB_AWAIT(job, !op->make, JOB_FOREVER); /* a job of its own */
		if (op->make_err.code)
			return job_fail_err(job, &op->make_err);
	}
	if (!open_images(op) || !set_mark(op))
		return JOB_ENDS;
	while (op->at != &op->list) {
		while (live_image_send(&one_of(op->at)->image, &op->call, job,
			QMP_OF(op), one_of(op->at)->id)) {
			JOB_AWAIT(job, op->call.replied, JOB_FOREVER);
			live_image_sent(&one_of(op->at)->image, &op->call);
		}
		send_node(op);
		JOB_AWAIT(job, op->call.replied, JOB_FOREVER);
	}
	QMP_CALL(job, &op->call, QMP_OF(op), "transaction", transaction(op));
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
	if (op->make) {
		job_cancel(&op->make->job);
		JOB_AWAIT(job, !op->make, END_MS);
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
