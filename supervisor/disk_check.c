/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk is made of one of four forms (REFERENCE 1.4), and its format is
 * told, never guessed.  The same checks serve a file and `disk attach`.
 */
#include "supervisor/disk_check.h"

#include "base/mem.h"
#include "storage/remote.h"
#include "supervisor/argv.h"
#include "supervisor/pool.h"

static void check_form(const struct spec_disk *disk, const char *section,
	const struct remarks *to)
{
	if (disk->url && (disk->image || disk->base || disk->size))
		remark_error(to, section, "url",
			"url excludes image, base and size");
	if (disk->image && disk->base)
		remark_error(to, section, "base",
			"image and base exclude one another");
	if (!disk->url && !disk->image && !disk->base && !disk->size)
		remark_error(
			to, section, NULL, "needs image, base, size or url");
}

/* A password is for what QEMU can open with it. */
static void check_secret(const struct spec_disk *disk, const char *section,
	const struct remarks *to)
{
	struct err ignored = ERR_INIT;
	const char *name = disk->url ? disk->url : disk->image;
	int format = disk->base || !name
			     ? FORMAT_QCOW2
			     : argv_base_format(disk, name, &ignored);

	if (!disk->secret_file || format == FORMAT_NONE)
		return;
	if (disk->url ? !remote_takes_secret(disk->url) &&
				format != FORMAT_QCOW2
		      : format != FORMAT_QCOW2)
		remark_error(to, section, "secret-file",
			disk->url ? "is for iscsi://USER@..., rbd: and qcow2"
				  : "only a qcow2 image can be encrypted");
}

/* QEMU has one word for both, and not for all of them. */
static void check_policies(const struct spec_disk *disk, const char *section,
	const struct remarks *to)
{
	bool nvme = disk->bus == BUS_NVME;

	if (nvme && disk->on_eio != EIO_BY_DISK)
		remark_error(to, section, "on-eio",
			"nvme always tells the guest: say bus = virtio");
	else if (nvme && disk->on_enospc == ENOSPC_REPORT)
		remark_error(to, section, "on-enospc",
			"nvme always pauses: say bus = virtio");
	else if (nvme && disk->url)
		remark_note(to, section, "url",
			"on bus = nvme the guest is told of a server that "
			"went away: say bus = virtio to hold it");
	else if (disk->on_enospc == ENOSPC_REPORT && argv_disk_holds(disk))
		remark_error(to, section, "on-enospc",
			"report needs on-eio = report");
	else if (disk->on_enospc == ENOSPC_PAUSE && disk->on_eio == EIO_IGNORE)
		remark_note(to, section, "on-eio",
			"ignore loses what is written without space as well");
}

/* A name that does not tell needs the key. */
static void check_format(const struct spec_disk *disk, const char *section,
	const struct remarks *to)
{
	const char *key = disk->image ? "image" : "base";
	const char *name = disk->image ? disk->image : disk->base;
	struct err ignored = ERR_INIT;

	if (!name || argv_base_format(disk, name, &ignored) != FORMAT_NONE)
		return;
	const char *slash = strrchr(name, '/');
	remark_error(to, section, key,
		"'%s' does not tell the format: say format = raw or format = "
		"qcow2",
		slash ? slash + 1 : name);
}

void disk_check(const struct spec_disk *disk, const struct remarks *to)
{
	AUTO_FREE char *section = xasprintf("disk.%s", disk->name);

	if (!remark_is_sound(to, section))
		return;
	check_form(disk, section, to);
	check_format(disk, section, to);
	check_secret(disk, section, to);
	check_policies(disk, section, to);
	if (str_eq(spec_aio_names[disk->aio], "native") &&
		!str_eq(spec_cache_names[disk->cache], "none"))
		remark_error(to, section, "aio", "native needs cache = none");
}

/* ---- disk attach ---- */

/* One "key=value" of a command as an entry of [disk.NAME]. */
static int add_pair(struct ini *ini, const char *section, const char *pair,
	const char *dir, struct err *err)
{
	const char *equals = strchr(pair, '=');

	if (!equals || equals == pair)
		return err_set(err, ERR_USAGE, "'%s': say KEY=VALUE", pair);
	AUTO_FREE char *key = xstrndup(pair, (size_t)(equals - pair));
	if (ini_find(ini, section, key))
		return err_set(err, ERR_USAGE, "'%s' is given twice", key);
	ini_add(ini, section, key, equals + 1, "disk", dir);
	return 0;
}

static int add_pairs(struct ini *ini, const char *section,
	const char *const *pairs, const char *dir, struct err *err)
{
	ini_add(ini, section, NULL, NULL, "disk", dir);
	for (; *pairs; pairs++)
		if (add_pair(ini, section, *pairs, dir, err) < 0)
			return -1;
	return 0;
}

/* Fills a spec of this disk alone; its element, taken out, or NULL. */
static struct spec_disk *fill_one(const struct vm_spec *vm,
	const struct ini *ini, const struct paths *paths, struct findings *f)
{
	struct vm_spec *scratch = spec_new();
	struct key_scope scope = { vm->name, vm->prefix, vm->instance, "",
		NULL };
	struct remarks to = { ini, "disk", f };
	struct spec_disk *disk = NULL;

	int rc = keys_fill(
		scratch, spec_sections, spec_nsections, ini, &scope, f);
	if (rc == 0 && !list_is_empty(&scratch->disks)) {
		disk = list_entry(scratch->disks.next, struct spec_disk, link);
		pool_apply(disk, paths, &to);
		disk_check(disk, &to);
		list_del(&disk->link);
	}
	spec_free(scratch);
	return disk;
}

struct spec_disk *spec_disk_from_pairs(const struct vm_spec *vm,
	const char *name, const char *const *pairs, const char *dir,
	const struct paths *paths, struct err *err)
{
	AUTO_FREE char *section = xasprintf("disk.%s", name);
	struct spec_disk *disk = NULL;
	struct findings f;
	struct ini ini;

	if (spec_disk_of(vm, name)) {
		err_set(err, ERR_EXISTS, "disk '%s' exists already", name);
		return NULL;
	}
	if (!keys_device_is_valid(name)) {
		err_set(err, ERR_USAGE,
			"'%s' is no name of a disk: a-z, 0-9 and '-', at most "
			"15",
			name);
		return NULL;
	}
	findings_init(&f);
	ini_init(&ini);
	if (add_pairs(&ini, section, pairs, dir, err) == 0) {
		disk = fill_one(vm, &ini, paths, &f);
		if (f.errors > 0)
			findings_to_err(&f, err);
		else if (!disk)
			err_set(err, ERR_USAGE,
				"disk '%s': enabled = no leaves nothing", name);
		if (f.errors > 0 || !disk) {
			spec_disk_free(disk);
			disk = NULL;
		}
	}
	findings_fini(&f);
	ini_fini(&ini);
	return disk;
}

void spec_disk_free(struct spec_disk *disk)
{
	const struct section *table;

	if (!disk)
		return;
	keys_lookup(spec_sections, spec_nsections, "disk", NULL, &table);
	keys_free_element(&disk->link, table);
}
