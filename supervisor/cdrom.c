/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [cdrom.N]; see cdrom.h. */
#include "supervisor/cdrom.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/device.h"

static bool is_loaded(const struct spec_disk *drive)
{
	return device_is_set(drive->image);
}

bool cdrom_has_disc(const struct vm_spec *spec)
{
	list_each(&spec->cdroms, it, next)
		if (is_loaded(list_entry(it, struct spec_disk, link)))
			return true;
	return false;
}

struct spec_disk *cdrom_disc(const struct vm_spec *spec,
	const struct spec_disk *drive, const char *image,
	const struct paths *paths, struct err *err)
{
	AUTO_FREE char *where = xasprintf("image=%s", image);
	AUTO_FREE char *bus = xasprintf("bus=%s", spec_bus_names[drive->bus]);
	const char *const pairs[] = { where, bus, "format=raw", "readonly=yes",
		"cache=writeback", NULL };
	struct spec_disk *disc =
		spec_disk_from_pairs(spec, drive->name, pairs, "/", paths, err);

	if (!disc)
		return NULL;
	disc->disc = disc->drive = true;
	disc->boot = drive->boot;
	return disc;
}

static void check_drive(const struct vm_spec *spec,
	const struct spec_disk *drive, const struct remarks *to)
{
	AUTO_FREE char *section = spec_disk_section(drive);

	if (!remark_is_sound(to, section))
		return;
	if (drive->bus != BUS_SATA && drive->bus != BUS_SCSI)
		remark_error(to, section, "bus",
			"a CD-ROM drive is on sata or scsi");
	else if (drive->bus == BUS_SATA &&
		 device_machine(spec) == MACHINE_MICROVM)
		remark_error(to, section, NULL, "microvm has only bus = scsi");
	if (spec_disk_of(spec, drive->name))
		remark_error(to, section, NULL,
			"[disk.%s] has that name already", drive->name);
}

static void insert(struct vm_spec *spec, const struct spec_disk *drive,
	const struct paths *paths, const struct remarks *to)
{
	AUTO_FREE char *section = spec_disk_section(drive);
	struct err err = ERR_INIT;
	struct spec_disk *disc =
		cdrom_disc(spec, drive, drive->image, paths, &err);

	if (disc)
		list_add(&spec->disks, &disc->link);
	else
		remark_error(to, section, "image", "%s", err.text);
}

void cdrom_settle(struct vm_spec *spec, const struct paths *paths,
	const struct remarks *to)
{
	list_each(&spec->cdroms, it, next) {
		struct spec_disk *drive =
			list_entry(it, struct spec_disk, link);

		drive->disc = drive->drive = true;
		drive->readonly = true;
		check_drive(spec, drive, to);
	}
	list_each(&spec->cdroms, ct, cnext) {
		struct spec_disk *drive =
			list_entry(ct, struct spec_disk, link);

		if (is_loaded(drive) && to->f->errors == 0)
			insert(spec, drive, paths, to);
	}
}
