/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The home of a QEMU that logs in somewhere by ssh: a directory of its own
 * that has the keys of its disks and nothing else, and goes when it ends.
 */
#ifndef SUPERVISOR_LOGIN_H
#define SUPERVISOR_LOGIN_H

#include "base/err.h"
#include "supervisor/host_qemu.h"
#include "supervisor/spec.h"

/* Where it is; new. */
char *login_path(const char *run_dir, const char *vm);
/*
 * Makes it for a QEMU confined like that, if a disk has a key: *out is the
 * directory, or stays -1, and confine->login tells.  Fails for a key that is
 * none or that others may read, and where no key would be looked for.
 */
MUST_CHECK int login_open(const struct vm_spec *spec, const char *run_dir,
	struct host_confine *confine, int *out, struct err *err);
/* It goes; a missing one is fine. */
void login_remove(const char *run_dir, const char *vm);

#endif
