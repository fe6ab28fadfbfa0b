/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the privileged half starts a helper of a VM under the VM's user: one
 * of a short table, which says what of the host each may see.
 */
#ifndef SUPERVISOR_HOST_HELPER_H
#define SUPERVISOR_HOST_HELPER_H

#include "base/err.h"
#include "base/spawn.h"
#include "supervisor/host_qemu.h"

/* True for the name of a helper that there is. */
bool host_helper_is_known(const char *name);

/*
 * Starts it, shut in as `wish` says, with a directory of its own (an open
 * one; or -1).  The plan brings arguments and descriptors; its path is
 * looked up here, by its name.
 */
typedef int host_helper_fn(const char *name, const struct spawn_plan *plan,
	int dir, const struct host_confine *wish, struct host_qemu *out,
	struct err *err);
MUST_CHECK host_helper_fn host_helper_run;
/* From now on somebody else does it who has the power; NULL: we again. */
void host_helper_by(host_helper_fn *other);

#endif
