/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disks of one backup; see backup_disk.h. */
#include "supervisor/backup_disk.h"

#include <fcntl.h>

#include "base/mem.h"
#include "base/sys.h"
#include "storage/image.h"
#include "supervisor/backups.h"
#include "supervisor/bitmaps.h"

#define TABLES ((uint64_t)1 << 20) /* of a qcow2 image, and its manifest */

static struct backup_disk *disk_of(struct list *link)
{
	return list_entry(link, struct backup_disk, link);
}

void backup_disks_free(struct list *disks)
{
	list_each(disks, it, next) {
		struct backup_disk *disk = disk_of(it);

		list_del(it);
		free(disk->name);
		free(disk->source);
		free(disk->top);
		free(disk->leaf);
		free(disk->path);
		free(disk->base);
		free(disk);
	}
}

/* ---- which ---- */

/* What can be changed while it runs is as the file says. */
static bool is_wanted(const struct vm *vm, const struct spec_disk *disk)
{
	const struct spec_disk *written =
		vm->spec ? spec_disk_of(vm->spec, disk->name) : NULL;

	return !disk->made && !disk->disc && !disk->readonly &&
	       (written ? written->backup : disk->backup);
}

static int check_disk(const struct spec_disk *disk, struct err *err)
{
	if (disk->secret_file)
		return err_set(err, ERR_UNSUPPORTED,
			"disk '%s' is encrypted: set its backup = no",
			disk->name);
	if (disk->url)
		return err_set(err, ERR_UNSUPPORTED,
			"disk '%s' is '%s': set its backup = no", disk->name,
			disk->url);
	return 0;
}

static int collect_one(const struct vm *vm, const struct vm_spec *spec,
	const struct spec_disk *disk, struct list *out, struct err *err)
{
	AUTO_FREE char *path =
		argv_disk_path(spec, disk, vm->env->paths.images);
	int format = argv_disk_format(disk, path, err);
	struct backup_disk *one;

	if (format == FORMAT_NONE || check_disk(disk, err))
		return -1;
	one = NEW(struct backup_disk);
	one->name = xstrdup(disk->name);
	one->source = TAKE(path);
	one->top = argv_disk_top(disk, disk->name);
	one->format = spec_format_names[format];
	one->leaf = xasprintf("%s.qcow2", disk->name);
	list_add(out, &one->link);
	return 0;
}

int backup_disks_collect(const struct vm *vm, struct list *out, struct err *err)
{
	const struct vm_spec *spec = vm_spec_now(vm);

	list_each(&spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);

		if (is_wanted(vm, disk) &&
			collect_one(vm, spec, disk, out, err))
			return -1;
	}
	if (!list_is_empty(out))
		return 0;
	return err_set(err, ERR_STATE, "it has no disk that goes into one");
}

/* ---- how much ---- */

/* Of an image with all that it is on top of. */
static uint64_t used_of(const json_t *image)
{
	uint64_t used = 0;

	for (; image; image = json_object_get(image, "backing-image"))
		used += (uint64_t)json_integer_value(
			json_object_get(image, "actual-size"));
	return used;
}

static json_int_t size_of(const json_t *node)
{
	return json_integer_value(json_object_get(
		json_object_get(node, "image"), "virtual-size"));
}

const char *backup_disks_look(
	struct list *disks, const json_t *nodes, const json_t *parent)
{
	AUTO_FREE char *bitmap =
		xasprintf(BITMAPS_OURS "%s", backups_id(parent));
	const char *first = NULL;

	list_each(disks, it, next) {
		struct backup_disk *disk = disk_of(it);
		const json_t *node = bitmaps_node(nodes, disk->top);
		const json_t *old = backups_disk(parent, disk->name);
		const char *why;

		disk->used = used_of(json_object_get(node, "image"));
		if (!bitmaps_count(node, bitmap, &disk->dirty, &why) && old)
			first = first ? first : why;
		else if (!old)
			first = first ? first : "it has a new disk";
		else if (json_integer_value(json_object_get(old, "virtual")) !=
			 size_of(node))
			first = first ? first : "a disk has another size";
	}
	return first;
}

void backup_disks_stat(struct list *disks)
{
	list_each(disks, it, next) {
		struct backup_disk *disk = disk_of(it);
		struct stat st;

		if (!sys_fstatat(AT_FDCWD, disk->source, &st, 0))
			disk->used = (uint64_t)st.st_blocks * 512;
	}
}

void backup_disks_place(
	struct list *disks, const char *dir, const char *id, const char *parent)
{
	list_each(disks, it, next) {
		struct backup_disk *disk = disk_of(it);

		disk->path = backups_path(dir, id, disk->leaf);
		disk->base =
			parent ? backups_path("..", parent, disk->leaf) : NULL;
	}
}

uint64_t backup_disks_need(const struct list *disks)
{
	uint64_t need = 0;

	list_each(disks, it, next) {
		const struct backup_disk *disk = disk_of(it);

		need += TABLES + (disk->base ? disk->dirty : disk->used);
	}
	return need;
}

int backup_disks_manifest(
	const struct list *disks, json_t **out, struct err *err)
{
	json_t *all = json_array();

	list_each(disks, it, next) {
		const struct backup_disk *disk = disk_of(it);
		const char *format;
		uint64_t virtual;
		bool backing;
		struct stat st;

		if (image_header(
			    disk->path, &format, &virtual, &backing, err)) {
			json_decref(all);
			return -1;
		}
		if (sys_fstatat(AT_FDCWD, disk->path, &st, AT_SYMLINK_NOFOLLOW))
			st.st_size = 0;
		json_array_append_new(
			all, json_pack("{s:s,s:s,s:s,s:I,s:I,s:s}", "name",
				     disk->name, "file", disk->leaf, "format",
				     "qcow2", "virtual", (json_int_t) virtual,
				     "size", (json_int_t)st.st_size, "sha256",
				     disk->sum));
	}
	*out = all;
	return 0;
}
