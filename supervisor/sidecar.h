/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A helper process beside the QEMU of a VM (passt, swtpm): at the other end
 * of a pair of sockets, so that it goes when its QEMU goes, whether or not
 * there is a supervisor by then.
 */
#ifndef SUPERVISOR_SIDECAR_H
#define SUPERVISOR_SIDECAR_H

#include "base/err.h"
#include "base/spawn.h"
#include "supervisor/host_qemu.h"

#define SIDECAR_FD  3 /* its end of the pair */
#define SIDECAR_DIR 4 /* a directory of its own, if it gets one */

struct sidecar {
	const char *vm;
	const char *what; /* as its log says: "nic lan: passt" */
	const char *loss; /* what its death means */
	const char *path; /* of the program */
	const char *const *argv;
	int dir; /* what becomes SIDECAR_DIR; 0: nothing */
	/* What it gives up as a helper of host_helper; NULL: nothing. */
	const struct host_confine *confine;
};

/*
 * Starts it; QEMU's end of the pair, or -1.  Its end is told in the VM's log,
 * when it is not that of its QEMU.
 */
MUST_CHECK int sidecar_start(const struct sidecar *plan, struct err *err);

#endif
