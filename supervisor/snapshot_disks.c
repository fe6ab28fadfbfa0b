/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which disks of a VM its snapshots are of; see snapshot_disks.h. */
#include "supervisor/snapshot_disks.h"

#include <fcntl.h>

#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"

/* One whose content belongs to the VM's. */
static bool is_meant(const struct spec_disk *disk)
{
	return !disk->made && !disk->disc && !disk->readonly && disk->snapshot;
}

static int refuse(
	const struct spec_disk *disk, const char *why, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
		"disk '%s' %s; snapshot = no in [disk.%s] leaves it out",
		disk->name, why, disk->name);
}

static int check_disk(
	const struct vm *vm, const struct spec_disk *disk, struct err *err)
{
	AUTO_FREE char *path = NULL;
	struct stat st;

	if (disk->url)
		return refuse(disk, "is a server's, not an image here", err);
	if (disk->secret_file)
		return refuse(disk,
			"is encrypted, which snapshots cannot be of yet", err);
	path = argv_disk_path(vm_spec_now(vm), disk, vm->env->paths.images);
	if (argv_disk_format(disk, path, err) != FORMAT_QCOW2)
		return err->code ? -1
				 : refuse(disk,
					   "is not qcow2, the format that "
					   "has snapshots",
					   err);
	if (!sys_fstatat(AT_FDCWD, path, &st, 0))
		return 0;
	return err_os(err, "disk '%s': cannot look at '%s'", disk->name, path);
}

int snapshot_disks_check(const struct vm *vm, struct err *err)
{
	unsigned n = 0;

	if (vm_spec_now(vm)->vm.ephemeral)
		return err_set(err, ERR_UNSUPPORTED,
			"[vm] ephemeral = yes: its disks are thrown away");
	list_each(&vm_spec_now(vm)->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);

		if (!is_meant(disk))
			continue;
		if (check_disk(vm, disk, err))
			return -1;
		n++;
	}
	return n ? 0
		 : err_set(err, ERR_UNSUPPORTED,
			   "it has no disk that a snapshot could be of");
}

void snapshot_disks_list(const struct vm *vm, json_t *disks, json_t *images)
{
	list_each(&vm_spec_now(vm)->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);
		AUTO_FREE char *path = argv_disk_path(
			vm_spec_now(vm), disk, vm->env->paths.images);

		if (!is_meant(disk))
			continue;
		json_array_append_new(disks, json_pack("{s:s,s:s}", "disk",
						     disk->name, "path", path));
		json_array_append_new(images, json_string(path));
	}
}

static const char *path_in(const json_t *disks, const char *name)
{
	const json_t *disk;
	size_t i;

	json_array_foreach(disks, i, disk)
	{
		if (str_eq(member_text(disk, "disk"), name))
			return member_text(disk, "path");
	}
	return NULL;
}

/* Each disk of one side is on the other, with the same image. */
static int compare(const json_t *disks, const json_t *others, const char *where,
	struct err *err)
{
	const json_t *disk;
	size_t i;

	json_array_foreach(disks, i, disk)
	{
		const char *name = member_text(disk, "disk");
		const char *path = member_text(disk, "path");
		const char *other = path_in(others, name);

		if (!other)
			return err_set(err, ERR_STATE,
				"disk '%s' is not %s: the VM had other disks "
				"then",
				name, where);
		if (!str_eq(path, other))
			return err_set(err, ERR_STATE,
				"disk '%s' had another image then: '%s' and "
				"'%s'",
				name, path, other);
	}
	return 0;
}

int snapshot_disks_compare(
	const struct vm *vm, const json_t *then, struct err *err)
{
	AUTO_JSON json_t *now = json_array();
	AUTO_JSON json_t *images = json_array();

	if (snapshot_disks_check(vm, err))
		return -1;
	snapshot_disks_list(vm, now, images);
	return compare(now, then, "in the snapshot", err) ||
			       compare(then, now, "what it has now", err)
		       ? -1
		       : 0;
}

json_t *snapshot_disks_of(const struct vm *vm, const json_t *images)
{
	AUTO_JSON json_t *all = json_array();
	AUTO_JSON json_t *paths = json_array();
	json_t *found = json_array();
	json_t *disk;
	size_t i;

	snapshot_disks_list(vm, all, paths);
	json_array_foreach(all, i, disk)
	{
		const json_t *image;
		size_t j;

		json_array_foreach(images, j, image)
		{
			if (json_equal(image, json_object_get(disk, "path")))
				json_array_append(found, disk);
		}
	}
	return found;
}
