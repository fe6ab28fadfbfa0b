/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot create, list, show, revert, delete, rename. */
#include <fcntl.h>

#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/commands.h"
#include "supervisor/live_snapshot.h"
#include "supervisor/mounts.h"
#include "supervisor/op_snapshot.h"
#include "supervisor/snapshot_disks.h"
#include "supervisor/snapshot_fit.h"
#include "supervisor/snapshots.h"

/* ---- looking ---- */

/* What is remembered of the VM that the request names; NULL: answered. */
static json_t *read_tree(struct request *rq, struct vm **vm)
{
	struct err err = ERR_INIT;
	json_t *tree;

	*vm = command_vm(rq);
	if (!*vm)
		return NULL;
	tree = snapshots_read(&(*vm)->env->paths, (*vm)->name, &err);
	if (!tree)
		request_fail(rq, &err);
	return tree;
}

/* Bytes that its memory takes on disk; null: it has none, or it is lost. */
static json_t *memory_size(const struct vm *vm, const json_t *snapshot)
{
	AUTO_FREE char *path =
		live_snapshot_memory(vm, member_text(snapshot, "tag"));
	struct stat st;

	if (sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW))
		return json_null();
	return json_integer((json_int_t)st.st_blocks * 512);
}

/* Without what is long, or ours alone. */
static json_t *row_of(
	const struct vm *vm, const json_t *tree, const json_t *snapshot)
{
	json_t *name = json_object_get(snapshot, "name");
	const json_t *disk;
	json_t *disks = json_array();
	size_t i;

	json_array_foreach(json_object_get(snapshot, "disks"), i, disk)
		json_array_append(disks, json_object_get(disk, "disk"));
	return json_pack("{s:O,s:O,s:O,s:O,s:b,s:b,s:o,s:b,s:O?,s:b,s:o,s:O*}",
		"name", name, "parent", json_object_get(snapshot, "parent"),
		"time", json_object_get(snapshot, "time"), "description",
		json_object_get(snapshot, "description"), "current",
		json_equal(name, json_object_get(tree, "current")), "memory",
		json_is_true(json_object_get(snapshot, "memory")),
		"memory-size", memory_size(vm, snapshot), "scheduled",
		json_is_true(json_object_get(snapshot, "scheduled")), "nvram",
		json_object_get(snapshot, "nvram"), "tpm",
		json_is_true(json_object_get(snapshot, "tpm")), "disks", disks,
		"group", json_object_get(snapshot, "group"));
}

void command_snapshot_list(struct request *rq)
{
	struct vm *vm;
	AUTO_JSON json_t *tree = read_tree(rq, &vm);
	json_t *rows;
	const json_t *snapshot;
	size_t i;

	if (!tree)
		return;
	rows = json_array();
	json_array_foreach(json_object_get(tree, "snapshots"), i, snapshot)
		json_array_append_new(rows, row_of(vm, tree, snapshot));
	request_reply_steal(rq, json_pack("{s:o}", "snapshots", rows));
}

void command_snapshot_show(struct request *rq)
{
	struct vm *vm;
	AUTO_JSON json_t *tree = read_tree(rq, &vm);
	struct err err = ERR_INIT;
	const json_t *found;
	json_t *reply;

	if (!tree)
		return;
	found = snapshots_find(tree, request_string(rq, "snapshot"), &err);
	if (!found) {
		request_fail(rq, &err);
		return;
	}
	reply = row_of(vm, tree, found);
	json_object_set(reply, "disks", json_object_get(found, "disks"));
	json_object_set(reply, "tag", json_object_get(found, "tag"));
	json_object_set(reply, "config", json_object_get(found, "config"));
	json_object_set_new(reply, "mounts",
		mounts_of(vm->name, member_text(found, "tag")));
	request_reply_steal(rq, reply);
}

/* ---- changing ---- */

/* Down or running, and nobody at work on it; else answered. */
static bool is_at_rest(struct request *rq, struct vm *vm)
{
	struct err err = ERR_INIT;

	if (!op_snapshot_check(vm, &err))
		return true;
	request_fail(rq, &err);
	return false;
}

static void on_end(struct job *job, void *arg)
{
	struct request *rq = arg;
	AUTO_JSON json_t *reply = json_pack("{s:b,s:s*,s:o}", "changed", 1,
		"name", op_snapshot_name(job), "message",
		json_sprintf("snapshot '%s' %s",
			str_or(op_snapshot_name(job), "?"),
			op_snapshot_action(job)));

	vm_job_over(job, rq->vm);
	rq->job = NULL;
	rq->vm = NULL;
	if (job->err.code)
		request_fail(rq, &job->err);
	else
		request_reply_steal(rq, TAKE(reply));
}

typedef struct job *begin_fn(struct vm *vm, const struct op_snapshot_wish *wish,
	op_snapshot_end *on_end, void *arg);

static void begin(struct request *rq, struct vm *vm, begin_fn *start,
	const struct op_snapshot_wish *wish)
{
	bool later = request_bool(rq, "job");
	struct job *job;

	if (later) {
		job = start(vm, wish, vm_job_over, vm);
		vm_job_add(vm, job);
		request_reply_steal(rq, json_pack("{s:o}", "job",
						json_sprintf("j%u", job->id)));
		return;
	}
	rq->vm = vm;
	rq->job = start(vm, wish, on_end, rq);
	vm_job_add(vm, rq->job);
}

static void reply_action(struct request *rq, const char *name)
{
	request_reply_steal(
		rq, json_pack("{s:[o]}", "actions",
			    json_sprintf("%s %s%s%s", rq->verb->name,
				    request_string(rq, "vm"), *name ? " " : "",
				    name)));
}

int command_snapshot_check(const struct request *rq, struct err *err)
{
	bool memory = request_bool(rq, "memory");
	const char *name = request_string(rq, "name");

	if (memory && request_bool(rq, "disk-only"))
		return err_set(err, ERR_USAGE,
			"a snapshot is --memory or --disk-only, not both");
	if (memory && request_bool(rq, "freeze"))
		return err_set(err, ERR_USAGE,
			"--freeze is for disks alone: the memory has what the "
			"guest did not write yet");
	return *name ? snapshots_check_name(name, err) : 0;
}

void command_snapshot_create(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	const char *name = request_string(rq, "name");
	const struct op_snapshot_wish wish = { .name = *name ? name : NULL,
		.memory = request_bool(rq, "memory"),
		.freeze = request_bool(rq, "freeze") ? FREEZE_YES : FREEZE_NO,
		.description = request_string(rq, "description") };
	struct err err = ERR_INIT;

	if (!vm || command_group_create(rq) || !is_at_rest(rq, vm))
		return;
	if (!command_snapshot_check(rq, &err) && wish.freeze &&
		vm->state != VM_RUNNING)
		err_set(&err, ERR_STATE, "it is %s: nothing is to be frozen",
			vm_state_word(vm));
	else if (!err.code && wish.memory && !snapshot_step_is_live(vm))
		err_set(&err, ERR_STATE, "it is %s, and has no memory",
			vm_state_word(vm));
	if (err.code || snapshot_disks_check(vm, &err))
		request_fail(rq, &err);
	else if (request_bool(rq, "dry-run"))
		reply_action(rq, name);
	else
		begin(rq, vm, op_snapshot_create, &wish);
}

/* By its name, or as --latest or --current say; NULL with err. */
static const json_t *chosen(
	const struct request *rq, const json_t *tree, struct err *err)
{
	const char *name = request_string(rq, "snapshot");
	bool latest = request_bool(rq, "latest");
	bool current = request_bool(rq, "current");
	const json_t *found;

	if (!!*name + latest + current != 1) {
		err_set(err, ERR_USAGE,
			"say which snapshot: its name, --latest or --current");
		return NULL;
	}
	if (latest) {
		found = snapshots_latest(tree);
		if (!found)
			err_set(err, ERR_NOT_FOUND, "it has no snapshot");
		return found;
	}
	if (current)
		name = json_string_value(json_object_get(tree, "current"));
	if (name)
		return snapshots_find(tree, name, err);
	err_set(err, ERR_NOT_FOUND, "its disks come from no snapshot");
	return NULL;
}

void command_snapshot_revert(struct request *rq)
{
	struct vm *vm;
	AUTO_JSON json_t *tree = read_tree(rq, &vm);
	struct op_snapshot_wish wish = { .name = NULL };
	struct err err = ERR_INIT;
	const json_t *found;

	if (!tree || !is_at_rest(rq, vm))
		return;
	found = chosen(rq, tree, &err);
	if (!found || snapshot_disks_check(vm, &err)) {
		request_fail(rq, &err);
		return;
	}
	if (command_group_work(rq, found))
		return;
	wish.name = json_string_value(json_object_get(found, "name"));
	if (request_bool(rq, "dry-run"))
		reply_action(rq, wish.name);
	else
		begin(rq, vm, op_snapshot_revert, &wish);
}

void command_snapshot_delete(struct request *rq)
{
	struct vm *vm;
	AUTO_JSON json_t *tree = read_tree(rq, &vm);
	const json_t *words = json_object_get(rq->args, "snapshots");
	size_t n = json_array_size(words);
	AUTO_FREE const char **names = NULL;
	struct op_snapshot_wish wish = { .name = NULL };
	struct err err = ERR_INIT;

	if (!tree || !is_at_rest(rq, vm))
		return;
	names = xcalloc(n + 1, sizeof(*names));
	for (size_t i = 0; i < n && !err.code; i++) {
		names[i] = json_string_value(json_array_get(words, i));
		(void)!snapshots_find(tree, names[i], &err);
	}
	wish.names = names;
	if (n == 0)
		err_set(&err, ERR_USAGE, "say which snapshots");
	else if (n > 1 && request_bool(rq, "group"))
		err_set(&err, ERR_USAGE, "--group is for one snapshot");
	if (err.code)
		request_fail(rq, &err);
	else if (command_group_work(rq, snapshots_find(tree, names[0], &err)))
		return;
	else if (request_bool(rq, "dry-run"))
		reply_action(rq, names[0]);
	else
		begin(rq, vm, op_snapshot_delete, &wish);
}

void command_snapshot_rename(struct request *rq)
{
	struct vm *vm;
	AUTO_JSON json_t *tree = read_tree(rq, &vm);
	const struct op_snapshot_wish wish = { .name = request_string(
						       rq, "snapshot"),
		.to = request_string(rq, "new") };
	struct err err = ERR_INIT;

	if (!tree)
		return;
	if (vm_check_free(vm, &err))
		request_fail(rq, &err);
	else if (snapshots_check_name(wish.to, &err) ||
		 !snapshots_find(tree, wish.name, &err))
		request_fail(rq, &err);
	else if (request_bool(rq, "dry-run"))
		reply_action(rq, wish.name);
	else
		begin(rq, vm, op_snapshot_rename, &wish);
}
