/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A medium for one life of a VM; see install.h. */
#include "supervisor/install.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define DISC "cdrom"     /* the name of the disk that it is */
#define MARK "x-install" /* [vm], in the saved copy of what runs */

int install_check(const struct vm_spec *spec, const char *path,
	const struct stat *st, struct err *err)
{
	if (*path != '/')
		return err_set(err, ERR_USAGE, "say --cdrom ISO, a file");
	if (spec && str_starts(spec->vm.machine, "microvm"))
		return err_set(err, ERR_UNSUPPORTED,
			"machine microvm has no CD-ROM drives");
	if (spec && (spec_disk_of(spec, DISC) || spec_cdrom_of(spec, DISC)))
		return err_set(err, ERR_EXISTS,
			"[%s." DISC "] has the name that the disc needs",
			spec_disk_of(spec, DISC) ? "disk" : "cdrom");
	if (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode))
		return err_set(err, ERR_CONFIG,
			"'%s' is neither a file nor a block device", path);
	return 0;
}

void install_keep(struct vm *vm, const char *path, int fd)
{
	vm_forget_disc(vm);
	vm->once_disc = xstrdup(path);
	vm->once_disc_fd = fd;
}

int install_apply(struct vm_spec *spec, const char *path,
	const struct paths *paths, struct err *err)
{
	AUTO_FREE char *image = xasprintf("image=%s", path);
	const char *const pairs[] = { image, "format=raw", "readonly=yes",
		"cache=writeback", "bus=sata", NULL };
	struct spec_disk *disk =
		spec_disk_from_pairs(spec, DISC, pairs, "/", paths, err);

	if (!disk)
		return -1;
	disk->disc = true;
	list_add(&spec->disks, &disk->link);
	spec->restart.on_guest_reboot = REBOOT_COLD;
	spec->installs = true;
	if (!install_of(spec))
		ini_add(&spec->ini, "vm", MARK, path, spec->name, "/");
	return 0;
}

const char *install_of(const struct vm_spec *spec)
{
	const struct ini_entry *e = ini_find(&spec->ini, "vm", MARK);

	return e ? e->value : NULL;
}

bool install_display(const struct vm *vm)
{
	return vm->running && vm->running->installs;
}

/* One that fails is tried again with its disc. */
void install_ended(struct vm *vm)
{
	if (vm->last.cause == CAUSE_GUEST_REBOOT ||
		vm->last.cause == CAUSE_GUEST_POWEROFF ||
		vm->last.cause == CAUSE_ADMIN_STOP)
		vm_forget_disc(vm);
}
