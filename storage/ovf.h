/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The description (.ovf) of an OVA that a stranger made: which of its files
 * are disks and how large they are, and what the VM had.  Read in a cage, by
 * ovf_main(), which tells it as JSON; the rest of vmwardd sees only that.
 */
#ifndef STORAGE_OVF_H
#define STORAGE_OVF_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { OVF_MOST_BYTES = 1024 * 1024 };

/*
 * {"disks": [{"file", "format", "capacity"}], "vm": {"name", "cpus",
 * "memory"}}, new: bytes; what is not said is not there, "vm" only where it
 * tells of one VM.  NULL with ERR_CONFIG for what is no description, and the
 * line of what is no XML.
 */
json_t *ovf_read(const char *text, size_t len, struct err *err);
/* `--ovf`: from stdin to stdout; what to exit with. */
int ovf_main(void);
/*
 * Whether the description tells of this file of the archive as a disk of a
 * kind that can be imported: ERR_CONFIG if not, path being for messages.
 * *capacity: bytes, 0: not said.
 */
MUST_CHECK int ovf_check_disk(const json_t *ovf, const char *path,
	const char *file, uint64_t *capacity, struct err *err);
/* A name that a VM may have, out of what was said; new, NULL: none is left. */
char *ovf_vm_name(const char *said);

#endif
