/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Throw-away disks; see ephemeral.h. */
#include "supervisor/ephemeral.h"

#include <fcntl.h>

#include "base/atom.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/argv.h"
#include "supervisor/tpm.h"

bool ephemeral_is(const struct vm_spec *spec, const struct env *env)
{
	return spec->vm.ephemeral || env->ephemeral;
}

static char *overlay_path(const struct vm_spec *spec,
	const struct spec_disk *disk, const struct env *env)
{
	return xasprintf("%s/ephemeral/%s-%s.qcow2", env->paths.state,
		spec->name, disk->name);
}

static bool exists(const char *path)
{
	struct stat st;

	return !sys_fstatat(AT_FDCWD, path, &st, 0);
}

/* What is there becomes the base; what would be made is made over there. */
static void turn(
	struct vm_spec *spec, struct spec_disk *disk, const struct env *env)
{
	AUTO_FREE char *path = argv_disk_path(spec, disk, env->paths.images);
	struct err err = ERR_INIT;

	if (disk->url) {
		disk->readonly = true; /* a server's cannot be thrown away */
		return;
	}
	if (disk->image && *disk->image && exists(path)) {
		disk->format = argv_disk_format(disk, path, &err);
		atom_set(&disk->base, path);
		disk->size = 0;
	}
	atom_drop(disk->image);
	disk->image = atom_take(overlay_path(spec, disk, env));
	if (!disk->base || !*disk->base)
		disk->format = FORMAT_QCOW2;
}

void ephemeral_apply(struct vm_spec *spec, const struct env *env)
{
	AUTO_FREE char *dir = xasprintf("%s/ephemeral", env->paths.state);
	struct err err = ERR_INIT;
	bool made = false;

	if (!ephemeral_is(spec, env))
		return;
	list_each(&spec->disks, it, next) {
		struct spec_disk *disk = list_entry(it, struct spec_disk, link);

		if (disk->readonly)
			continue;
		if (!made && fd_make_dirs(dir, 0700, &err))
			log_warn(spec->name, "%s", err.text);
		made = true;
		turn(spec, disk, env);
	}
}

void ephemeral_sweep(
	const struct vm_spec *spec, const struct env *env, bool once)
{
	if (!once && !ephemeral_is(spec, env))
		return;
	tpm_sweep(&env->paths, spec->name);
	list_each(&spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);
		AUTO_FREE char *path = overlay_path(spec, disk, env);

		if (!disk->readonly)
			sys_unlinkat(AT_FDCWD, path, 0);
	}
}
