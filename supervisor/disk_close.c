/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Closing the images of a disk in a running QEMU; see disk_close.h. */
#include "supervisor/disk_close.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "qmp/call.h"
#include "supervisor/argv.h"
#include "supervisor/fdset_sweep.h"

enum { TRIES = 50, AGAIN_MS = 100 };

struct disk_close {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	char *disk;
	unsigned layers; /* put on it since QEMU began */
	json_t *sets;    /* what QEMU has, each with the name of its node */
	size_t depth;    /* of the next node */
	size_t at;       /* the next of the sets */
	json_t *removed; /* their numbers */
	json_t *arguments;
	unsigned tries;
	bool stood; /* the guest, while they were removed */
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

/* "disk-root:/images/a.qcow2", or "" if it is none of ours. */
static const char *name_of(const json_t *set)
{
	const json_t *fd = json_array_get(json_object_get(set, "fds"), 0);

	return str_or(json_string_value(json_object_get(fd, "opaque")), "");
}

/* Whether a set so named is for the node. */
static bool is_for(const char *name, const char *node)
{
	size_t len = strlen(node);

	return str_starts(name, node) && name[len] == ':';
}

static bool has_set(const struct disk_close *op, const char *node)
{
	json_t *set;
	size_t i;

	json_array_foreach(op->sets, i, set)
	{
		if (is_for(name_of(set), node))
			return true;
	}
	return false;
}

static bool has_more(const struct disk_close *op)
{
	AUTO_FREE char *node =
		argv_disk_node_name(op->disk, op->layers, op->depth);

	return has_set(op, node);
}

static json_t *next_node(struct disk_close *op)
{
	AUTO_FREE char *node =
		argv_disk_node_name(op->disk, op->layers, op->depth);

	return json_pack("{s:s}", "node-name", node);
}

/* "disk-root", and "disk-root.1" and so on below it. */
static bool is_ours(const struct disk_close *op, const char *name)
{
	AUTO_FREE char *top = argv_disk_node_name(op->disk, 0, 0);
	size_t len = strlen(top);

	return str_starts(name, top) && (name[len] == ':' || name[len] == '.');
}

/* The next set of this disk; NULL: there is none left. */
static json_t *next_set(struct disk_close *op)
{
	while (op->at < json_array_size(op->sets)) {
		const json_t *set = json_array_get(op->sets, op->at++);

		if (!is_ours(op, name_of(set)))
			continue;
		json_array_append(
			op->removed, json_object_get(set, "fdset-id"));
		return json_pack(
			"{s:O}", "fdset-id", json_object_get(set, "fdset-id"));
	}
	return NULL;
}

/* Its device may be out of the tree, but not freed yet. */
static bool is_busy(const struct disk_close *op)
{
	return op->call.err.code && op->vm->machine.ready &&
	       strstr(op->call.err.text, "in use");
}

/* Closed before, by a life that did not live to say so, or never opened. */
static bool is_lacking(const struct disk_close *op)
{
	return op->call.err.code == ERR_QMP &&
	       strstr(op->call.err.text, "Failed to find node");
}

static json_t *secret_of(const struct disk_close *op)
{
	AUTO_FREE char *id = argv_disk_secret_id(op->disk);

	return json_pack("{s:s}", "id", id);
}

static enum job_state close_run(struct job *job)
{
	struct disk_close *op = container_of(job, struct disk_close, job);

	JOB_BEGIN(job);
	QMP_TRY(job, &op->call, QMP_OF(op), "query-fdsets", NULL);
	op->sets = json_incref(op->call.result);
	for (op->tries = 0; op->tries < TRIES; op->tries++) {
		QMP_TRY(job, &op->call, QMP_OF(op), "blockdev-del",
			next_node(op));
		if (!is_busy(op))
			break;
		JOB_AWAIT_OR_TIMEOUT(job, !op->vm->machine.ready, AGAIN_MS);
	}
	if (op->call.err.code && !is_lacking(op))
		return job_fail_err(job, &op->call.err);
	for (op->depth = 1; has_more(op); op->depth++)
		QMP_TRY(job, &op->call, QMP_OF(op), "blockdev-del",
			next_node(op));
	op->stood = op->vm->state != VM_RUNNING;
	while ((op->arguments = next_set(op)) != NULL)
		QMP_TRY(job, &op->call, QMP_OF(op), "remove-fd",
			TAKE(op->arguments));
	QMP_TRY(job, &op->call, QMP_OF(op), "object-del",
		secret_of(op)); /* most disks have none */
	op->stood |= op->vm->state != VM_RUNNING;
	if (op->stood && op->vm->machine.ready)
		fdset_sweep_later(op->vm, op->removed);
	JOB_END(job);
}

static void close_cleanup(struct job *job)
{
	struct disk_close *op = container_of(job, struct disk_close, job);

	qmp_call_fini(&op->call);
	json_decref(op->sets);
	json_decref(op->removed);
	free(op->disk);
	free(op);
}

static const struct job_kind close_kind = { "disk-close", close_run, NULL,
	close_cleanup };

struct job *disk_close_start(struct vm *vm, const char *disk,
	struct job *parent, void (*on_end)(struct job *job, void *arg),
	void *arg)
{
	struct disk_close *op = NEW(struct disk_close);
	const struct spec_disk *its =
		vm->running ? spec_disk_of(vm->running, disk) : NULL;

	op->vm = vm;
	op->disk = xstrdup(disk);
	op->removed = json_array();
	op->layers = its ? its->layers : 0;
	job_start(&op->job, &close_kind, vm->name, on_end, arg);
	op->job.parent = parent;
	return &op->job;
}
