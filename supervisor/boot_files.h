/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel and initrd on their way to QEMU, which may open no file: copies in
 * memory, made a piece at a time.
 */
#ifndef SUPERVISOR_BOOT_FILES_H
#define SUPERVISOR_BOOT_FILES_H

#include "base/err.h"
#include "base/spawn.h"
#include "supervisor/spec.h"

#define BOOT_FILES 2 /* kernel, initrd */

/* Embed it; BOOT_FILES_INIT. */
struct boot_files {
	int copies[BOOT_FILES]; /* or -1 */
	int from;               /* what is being copied, or -1 */
	unsigned at;            /* the file that is next, or under way */
};

#define BOOT_FILES_INIT           \
	{                         \
		{ -1, -1 }, -1, 0 \
	}

/* Copies a piece: 1 there is more, 0 all is there, -1 with err. */
MUST_CHECK int boot_files_step(
	struct boot_files *files, const struct vm_spec *spec, struct err *err);
/* What QEMU gets, at ARGV_FD_BOOT and up; how many. */
size_t boot_files_fds(const struct boot_files *files, struct spawn_fd *out);
/* Closes ours. */
void boot_files_close(struct boot_files *files);

#endif
