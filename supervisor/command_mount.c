/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot mount, unmount, export. */
#include "base/mem.h"
#include "base/member.h"
#include "supervisor/commands.h"
#include "supervisor/mounts.h"
#include "supervisor/op_mount.h"
#include "supervisor/snapshots.h"

/* The snapshot that is named, in its tree (new); NULL: answered. */
static const json_t *named(struct request *rq, struct vm **vm, json_t **tree)
{
	struct err err = ERR_INIT;
	const json_t *found = NULL;

	*tree = NULL;
	*vm = command_vm(rq);
	if (!*vm)
		return NULL;
	*tree = snapshots_read(&(*vm)->env->paths, (*vm)->name, &err);
	if (*tree)
		found = snapshots_find(
			*tree, request_string(rq, "snapshot"), &err);
	if (!found)
		request_fail(rq, &err);
	return found;
}

static void reply_mounts(struct request *rq, const struct vm *vm, bool changed)
{
	AUTO_JSON json_t *tree = NULL;
	struct err none = ERR_INIT;
	const char *name = request_string(rq, "snapshot");
	const json_t *found;

	tree = snapshots_read(&vm->env->paths, vm->name, &none);
	found = snapshots_find(tree, name, &none);
	request_reply_steal(
		rq, json_pack("{s:b,s:s,s:o}", "changed", changed, "name", name,
			    "mounts",
			    mounts_of(vm->name, member_text(found, "tag"))));
}

static bool reply_plan(struct request *rq)
{
	if (!request_bool(rq, "dry-run"))
		return false;
	request_reply_steal(
		rq, json_pack("{s:[o]}", "actions",
			    json_sprintf("%s %s %s", rq->verb->name,
				    request_string(rq, "vm"),
				    request_string(rq, "snapshot"))));
	return true;
}

static struct vm *end(struct request *rq, struct job *job)
{
	struct vm *vm = rq->vm;

	vm_job_over(job, vm);
	rq->job = NULL;
	rq->vm = NULL;
	if (job->err.code)
		request_fail(rq, &job->err);
	return job->err.code ? NULL : vm;
}

static void on_mounted(struct job *job, void *arg)
{
	struct request *rq = arg;
	const struct vm *vm = end(rq, job);

	if (vm)
		reply_mounts(rq, vm, true);
}

void command_snapshot_mount(struct request *rq)
{
	struct vm *vm;
	AUTO_JSON json_t *tree = NULL;
	const json_t *found = named(rq, &vm, &tree);
	struct err err = ERR_INIT;

	if (!found || reply_plan(rq))
		return;
	if (mounts_has(vm->name, member_text(found, "tag"))) {
		reply_mounts(rq, vm, false);
		return;
	}
	if (vm_check_free(vm, &err)) {
		request_fail(rq, &err);
		return;
	}
	rq->vm = vm;
	rq->job = op_mount_begin(
		vm, found, request_string(rq, "disk"), on_mounted, rq);
	vm_job_add(vm, rq->job);
}

void command_snapshot_unmount(struct request *rq)
{
	struct vm *vm;
	AUTO_JSON json_t *tree = NULL;
	const json_t *found = named(rq, &vm, &tree);
	const char *tag = member_text(found, "tag");
	bool changed;

	if (!found || reply_plan(rq))
		return;
	changed = mounts_has(vm->name, tag);
	mounts_end(vm->name, tag);
	reply_mounts(rq, vm, changed);
}

static void on_exported(struct job *job, void *arg)
{
	struct request *rq = arg;
	AUTO_JSON json_t *files = json_deep_copy(op_export_made(job));

	if (end(rq, job))
		request_reply_steal(
			rq, json_pack("{s:b,s:s,s:O,s:o}", "changed", 1, "name",
				    request_string(rq, "snapshot"), "files",
				    files, "message",
				    json_sprintf("snapshot '%s' exported: %zu "
						 "files in '%s'",
					    request_string(rq, "snapshot"),
					    json_array_size(files),
					    request_string(rq, "directory"))));
}

void command_snapshot_export(struct request *rq)
{
	struct vm *vm;
	AUTO_JSON json_t *tree = NULL;
	const json_t *found = named(rq, &vm, &tree);
	bool later = request_bool(rq, "job");
	struct err err = ERR_INIT;
	struct job *job;

	if (!found || reply_plan(rq))
		return;
	if (vm_check_free(vm, &err) || env_needs_qemu_img(vm->env, &err)) {
		request_fail(rq, &err);
		return;
	}
	job = op_export_begin(vm, found, request_string(rq, "directory"),
		later ? vm_job_over : on_exported, later ? (void *)vm : rq);
	vm_job_add(vm, job);
	if (later) {
		request_reply_steal(rq, json_pack("{s:o}", "job",
						json_sprintf("j%u", job->id)));
		return;
	}
	rq->vm = vm;
	rq->job = job;
}
