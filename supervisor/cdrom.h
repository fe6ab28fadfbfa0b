/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [cdrom.N]: a drive of the guest, and the disc in it or none.  The disc is
 * one of the VM's disks (its images, nodes and descriptors are), the drive
 * ("cdrom-N" in QEMU) stays when the disc goes.
 */
#ifndef SUPERVISOR_CDROM_H
#define SUPERVISOR_CDROM_H

#include "supervisor/remark.h"
#include "supervisor/spec.h"

/* Checks the drives of a file, and puts their discs among its disks. */
void cdrom_settle(struct vm_spec *spec, const struct paths *paths,
	const struct remarks *to);
/* Something can be booted from a drive: a disc is in one. */
bool cdrom_has_disc(const struct vm_spec *spec);
/* The disk that a disc is in that drive: a path or a volume; NULL with err. */
struct spec_disk *cdrom_disc(const struct vm_spec *spec,
	const struct spec_disk *drive, const char *image,
	const struct paths *paths, struct err *err);

#endif
