/* SPDX-License-Identifier: GPL-2.0-or-later */
/* delete: a VM's file, drop-in and images, once it is down. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/argv.h"
#include "supervisor/commands.h"
#include "supervisor/committing.h"
#include "supervisor/op_delete.h"
#include "supervisor/order.h"
#include "supervisor/volume.h"

/* Nobody but the VM itself needs it. */
static bool is_own(
	struct registry *registry, const struct vm *vm, const char *path)
{
	AUTO_FREE char *own = xasprintf("%s (its disk ", vm->name);
	json_t *users = volume_users(registry, path, NEED_ANY);
	bool result = true;
	size_t i;
	json_t *user;

	json_array_foreach(users, i, user) result =
		result && str_starts(json_string_value(user), own);
	json_decref(users);
	return result;
}

/* It goes with the VM: a volume of a pool that is there, and its alone. */
static bool goes(struct registry *registry, const struct vm *vm,
	const struct spec_disk *disk, const char *path)
{
	struct stat st;

	return !disk->readonly && pool_of_file(&vm->env->paths, path) &&
	       sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && is_own(registry, vm, path);
}

static json_t *images_of(struct request *rq, const struct vm *vm)
{
	json_t *images = json_array();

	if (!vm->spec || request_bool(rq, "keep-disks"))
		return images;
	list_each(&vm->spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);
		AUTO_FREE char *path =
			argv_disk_path(vm->spec, disk, vm->env->paths.images);

		if (goes(request_registry(rq), vm, disk, path))
			json_array_append_new(images, json_string(path));
	}
	return images;
}

/* Down, with a file of its own, and not protected; else answered. */
static bool may_go(struct request *rq, struct vm *vm)
{
	AUTO_FREE char *file =
		xasprintf("%s/vms/%s.ini", vm->env->paths.config, vm->name);
	struct err err = ERR_INIT;
	struct stat st;

	if (vm->state != VM_STOPPED && vm->state != VM_FAILED &&
		vm->state != VM_SAVED) {
		request_failf(rq, ERR_STATE, "it is %s: stop it first",
			vm_state_word(vm));
	} else if (vm_check_free(vm, &err)) {
		request_fail(rq, &err);
	} else if (order_protects(vm, "delete")) {
		request_failf(rq, ERR_DENIED,
			"[vm] protect = delete: take it out of the file first");
	} else if (vm->env->file ||
		   sys_fstatat(AT_FDCWD, file, &st, AT_SYMLINK_NOFOLLOW)) {
		request_failf(rq, ERR_UNSUPPORTED,
			"it has no file of its own ('%s')", file);
	} else {
		return true;
	}
	return false;
}

static void reply_actions(
	struct request *rq, const struct vm *vm, json_t *images)
{
	json_t *actions = json_array();
	size_t i;
	json_t *image;

	json_array_append_new(actions, json_sprintf("delete %s", vm->name));
	json_array_foreach(images, i, image) json_array_append_new(actions,
		json_sprintf("delete image '%s'", json_string_value(image)));
	json_decref(images);
	request_reply_steal(rq, json_pack("{s:o}", "actions", actions));
}

static void on_end(struct job *job, void *arg)
{
	struct request *rq = arg;
	bool readable = rq->vm->spec != NULL;

	if (!command_job_ends(rq, job))
		return;
	request_reply_steal(
		rq, json_pack("{s:b,s:s}", "changed", 1, "message",
			    readable ? "deleted"
				     : "deleted; its file could not be read, "
				       "so its images stay"));
}

/* None has the rest of what a commit left half written; else answered. */
static bool may_images_go(
	struct request *rq, const struct vm *vm, const json_t *images)
{
	struct err err = ERR_INIT;
	size_t i;
	json_t *image;

	json_array_foreach(images, i, image)
	{
		if (!committing_check_moves(
			    &vm->env->paths, json_string_value(image), &err))
			continue;
		request_fail(rq, &err);
		return false;
	}
	return true;
}

void command_delete(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	json_t *images;

	if (!vm || !may_go(rq, vm))
		return;
	images = images_of(rq, vm);
	if (!may_images_go(rq, vm, images)) {
		json_decref(images);
		return;
	}
	if (request_bool(rq, "dry-run")) {
		reply_actions(rq, vm, images);
		return;
	}
	rq->vm = vm;
	rq->job = op_delete_begin_steal(vm, images, on_end, rq);
	vm_job_add(vm, rq->job);
}
