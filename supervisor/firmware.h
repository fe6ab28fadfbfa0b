/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UEFI for a VM: the firmware of this host, by the descriptor files that come
 * with it (docs/interop/firmware.json of QEMU), and the VM's own variables,
 * STATE/nvram/NAME.fd: made of the firmware's template at the first start,
 * kept over restarts, gone with the VM.
 */
#ifndef SUPERVISOR_FIRMWARE_H
#define SUPERVISOR_FIRMWARE_H

#include "base/err.h"
#include "base/paths.h"
#include "base/spawn.h"
#include "supervisor/argv.h"
#include "supervisor/remark.h"

/*
 * The first that fits a machine type ("pc-q35-7.2"), in the order of the
 * descriptors' names.  dirs: where they are, ended by NULL, a file of an
 * earlier one hides that of the same name in a later one; NULL: those of the
 * host.  Fails with ERR_UNSUPPORTED where there is none.  Finished by
 * firmware_fini().
 */
MUST_CHECK int firmware_find(const char *const *dirs, const char *machine,
	bool secure, struct argv_firmware *out, struct err *err);
void firmware_fini(struct argv_firmware *firmware); /* accepts zeroed ones */
/* Whether a spec asks for it. */
bool firmware_is_uefi(const struct vm_spec *spec);
/* Machines that have none. */
void firmware_check(const struct vm_spec *spec, const struct remarks *to);

#define FIRMWARE_FILES 2 /* the code, the variables */

/* On its way to QEMU; FIRMWARE_FILES_INIT. */
struct firmware_files {
	int fds[FIRMWARE_FILES]; /* or -1 */
	struct argv_firmware found;
};

#define FIRMWARE_FILES_INIT \
	{                   \
		{ -1, -1 }, \
		{           \
			0   \
		}           \
	}

/* The variables of a VM; new. */
char *firmware_vars_path(const struct paths *paths, const char *vm);
/*
 * Finds and opens what a spec asks for, if it does; makes the variables that
 * are not there.  Those of an ephemeral VM are nobody else's, and go with it.
 */
MUST_CHECK int firmware_open(struct firmware_files *files,
	const struct vm_spec *spec, const struct paths *paths,
	const char *machine, struct err *err);
/* What QEMU gets; how many. */
size_t firmware_fds(const struct firmware_files *files, struct spawn_fd *out);
/* Closes ours, and forgets what was found. */
void firmware_close(struct firmware_files *files);
/* The variables go. */
void firmware_remove(const struct paths *paths, const char *vm);

#endif
