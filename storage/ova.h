/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OVA archives that strangers made: a tar with a description (.ovf) and the
 * disks (.vmdk).  Nothing is taken out: where a disk begins and how long it is
 * is enough to read it in its place.  What a manifest (.mf) says of the
 * description and the disk is told, not compared.
 */
#ifndef STORAGE_OVA_H
#define STORAGE_OVA_H

#include <stdint.h>

#include "base/err.h"
#include "storage/ova_manifest.h"

struct ova_disk {
	char *name; /* in the archive; shown only */
	uint64_t offset;
	uint64_t bytes; /* a multiple of 512 */
	/* The description, which tells what the disk is. */
	uint64_t text_offset, text_bytes;
	/* What is to have the digest that is said; none without a manifest. */
	struct ova_member sums[2];
	unsigned n_sums;
};

/*
 * The only disk of an archive, or the one that is called `name`.  fd is the
 * open archive (borrowed), path is for messages.  Fails with ERR_CONFIG for
 * what is no OVA, or names what it has.
 */
MUST_CHECK int ova_find(int fd, const char *path, const char *name,
	struct ova_disk *out, struct err *err);
void ova_disk_fini(struct ova_disk *disk);

#endif
