/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must be made before a disk can be opened; see image_plan.h. */
#include "supervisor/image_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/image.h"
#include "supervisor/argv.h"
#include "supervisor/pool.h"

/* The bytes that a guest will be able to fill. */
static uint64_t size_of(const struct image_plan *plan)
{
	struct err ignored = ERR_INIT;
	const char *format;
	uint64_t size = 0;
	bool backed;

	if (plan->wish.size || !plan->base ||
		image_header(plan->base, &format, &size, &backed, &ignored))
		return plan->wish.size;
	return size;
}

/* Its quota, and how new images of it are laid out. */
static int heed_pool(struct image_plan *plan, const struct spec_disk *disk,
	const struct paths *paths, struct pool_claim *claim, struct err *err)
{
	const struct pool *pool = pool_of_file(paths, plan->path);
	const char *how;

	if (!pool)
		return 0;
	if (pool_claim(paths, plan->path, size_of(plan), claim, err))
		return err_wrap(err, "disk '%s': ", disk->name);
	how = plan->base ? NULL : pool_preallocation(pool, plan->wish.format);
	if (how)
		plan->options = xasprintf("preallocation=%s", how);
	return 0;
}

static int heed_secret(
	struct image_plan *plan, const struct spec_disk *disk, struct err *err)
{
	char *options = plan->options;

	if (disk->secret_file &&
		secret_read(disk->secret_file, &plan->secret, err))
		return err_wrap(err, "disk '%s': ", disk->name);
	if (disk->secret_file) {
		plan->options = xasprintf("%s%s" QEMU_IMG_LUKS,
			str_or(options, ""), options ? "," : "");
		plan->wish.new_secret = &plan->secret;
		free(options);
	}
	plan->wish.options = plan->options;
	return 0;
}

static int check_beneath(const struct image_plan *plan,
	const struct paths *paths, struct err *err)
{
	const struct pool *pool = pool_of_file(paths, plan->path);

	return pool ? pool_admits(pool, strrchr(plan->path, '/') + 1, err) : 0;
}

static int plan_missing(struct image_plan *plan, const struct spec_disk *disk,
	const struct paths *paths, struct pool_claim *claim, struct err *err)
{
	int format;

	if (disk->base && *disk->base)
		plan->base = argv_base_path(disk, paths->images);
	plan->wish.base = plan->base;
	plan->wish.size = disk->size;
	format = plan->base ? argv_base_format(disk, plan->base, err)
			    : FORMAT_RAW;
	if (format == FORMAT_NONE)
		return err_wrap(err, "disk '%s': ", disk->name);
	plan->wish.base_format = plan->base ? spec_format_names[format] : NULL;
	if (plan->base &&
		sys_fstatat(AT_FDCWD, plan->base, &(struct stat){ 0 }, 0))
		return err_os(err, "disk '%s': cannot read base '%s'",
			disk->name, plan->base);
	if (!plan->base && !plan->wish.size)
		return err_set(err, ERR_NOT_FOUND,
			"disk '%s': no image '%s'; give size = or base = to "
			"make it",
			disk->name, plan->path);
	return heed_pool(plan, disk, paths, claim, err) ||
			       heed_secret(plan, disk, err)
		       ? -1
		       : 1;
}

int image_plan_make(const struct vm_spec *spec, const struct spec_disk *disk,
	const struct paths *paths, struct image_plan *plan,
	struct pool_claim *claim, struct err *err)
{
	struct stat st;
	int format;

	*plan = (struct image_plan){ .path = argv_disk_path(
					     spec, disk, paths->images) };
	plan->wish.path = plan->path;
	format = argv_disk_format(disk, plan->path, err);
	if (format == FORMAT_NONE)
		return err_wrap(err, "disk '%s': ", disk->name);
	plan->wish.format = spec_format_names[format];
	if (disk->made || disk->disc || disk->url)
		return 0;
	if (check_beneath(plan, paths, err))
		return err_wrap(err, "disk '%s': ", disk->name);
	if (!sys_fstatat(AT_FDCWD, plan->path, &st, 0))
		return 0;
	if (errno != ENOENT)
		return err_os(err, "disk '%s': cannot read '%s'", disk->name,
			plan->path);
	return plan_missing(plan, disk, paths, claim, err);
}

void image_plan_fini(struct image_plan *plan)
{
	free(plan->path);
	free(plan->base);
	free(plan->options);
	secret_fini(&plan->secret);
}
