/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a copy of live disks has in QEMU is taken away; see live_copy.h. */
#include "supervisor/live_copy.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "qmp/call.h"

#define AGAIN_MS 100
#define TRIES    300 /* a backup that is cancelled ends soon */
#define MARK_MAX 64

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

bool live_copy_is_ours(const json_t *of, const char *key)
{
	const char *name = json_string_value(json_object_get(of, key));

	return name && str_starts(name, LIVE_COPY_OURS);
}

struct reap {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	json_t *list; /* QEMU's answer that is gone through */
	size_t at;
	unsigned tries;
	bool more; /* a job of ours is there still */
	bool dismisses;
	bool thawed;
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

		if (!live_copy_is_ours(each, "id"))
			continue;
		op->dismisses = str_eq(status, "concluded");
		op->verb = op->dismisses ? "job-dismiss" : "job-cancel";
		op->arguments =
			json_pack("{s:O}", "id", json_object_get(each, "id"));
		return true;
	}
	return false;
}

/* One that is cancelled ends some time; one that is dismissed is gone. */
static void note_job(struct reap *op)
{
	op->more |= !op->dismisses || op->call.err.code;
}

/* A node of a format: what it is on goes with it. */
static bool next_old_node(struct reap *op)
{
	while (op->at < json_array_size(op->list)) {
		json_t *name = json_object_get(
			json_array_get(op->list, op->at++), "node-name");
		const char *text = str_or(json_string_value(name), "");

		if (!str_starts(text, LIVE_COPY_OURS) || str_ends(text, ".f"))
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

		if (!live_copy_is_ours(
			    json_array_get(json_object_get(set, "fds"), 0),
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

/* By us, or by a supervisor that died before it ended that. */
static bool was(const struct vm *vm, const char *word)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, LIVE_COPY_MARK);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;

	return !fd_read_file(AT_FDCWD, path, MARK_MAX, &text, &err) &&
	       strstr(str_text(&text), word);
}

static void drop_mark(const struct vm *vm)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, LIVE_COPY_MARK);

	sys_unlinkat(AT_FDCWD, path, 0);
}

static void on_thawed(struct job *job UNUSED, void *arg)
{
	struct reap *op = arg;

	op->thawed = true;
}

static enum job_state reap_run(struct job *job)
{
	struct reap *op = container_of(job, struct reap, job);

	JOB_BEGIN(job);
	if (was(op->vm, LIVE_COPY_STOPPED))
		QMP_TRY(job, &op->call, QMP_OF(op), "cont", NULL);
	if (was(op->vm, LIVE_COPY_FROZEN)) {
		freeze_begin(op->vm, false, job, on_thawed, op);
		JOB_AWAIT(job, op->thawed, JOB_FOREVER); /* its own */
	}
	for (op->tries = 0; op->tries < TRIES; op->tries++) {
		QMP_TRY(job, &op->call, QMP_OF(op), "query-jobs", NULL);
		take_list(op);
		op->more = false;
		while (next_job(op)) {
			QMP_TRY(job, &op->call, QMP_OF(op), op->verb,
				TAKE(op->arguments));
			note_job(op);
		}
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
	drop_mark(op->vm);
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

int live_copy_mark(const struct vm *vm, const char *text, struct err *err)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, LIVE_COPY_MARK);

	return fd_write_file(
		AT_FDCWD, path, text, strlen(text), 0600, false, err);
}

bool live_copy_was_begun(const struct vm *vm)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, LIVE_COPY_MARK);
	struct stat st;

	return !sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);
}
