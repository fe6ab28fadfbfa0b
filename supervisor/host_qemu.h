/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the privileged half starts QEMU: shut in as it is told. */
#ifndef SUPERVISOR_HOST_QEMU_H
#define SUPERVISOR_HOST_QEMU_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/spawn.h"

/* What QEMU gives up before it is QEMU. */
struct host_confine {
	unsigned parts; /* CONFINE_BIT()s of base/confine.h; 0: nothing */
	bool must;      /* all of them, or no QEMU */
	bool online;    /* it looks names up */
	bool ssh;       /* it logs in somewhere */
	bool login;     /* by a key in a home of its own, ARGV_FD_LOGIN */
	uid_t uid;
	gid_t group;
	uint64_t tasks;
	uint64_t locked;
};

/* What came of it. */
struct host_qemu {
	pid_t pid;
	int pidfd;
	unsigned parts;
	enum confine_part failed; /* that must be, and could not; or NONE */
};

/*
 * Starts the program of a plan, which brings its descriptors and arguments;
 * home: the directory of its own, if it has one.  Unless all parts of its
 * confinement must be, one that the host refuses is left out; out->parts has
 * those that were taken.
 */
typedef int host_qemu_fn(const struct spawn_plan *plan,
	const struct host_confine *wish, const char *home,
	struct host_qemu *out, struct err *err);
MUST_CHECK host_qemu_fn host_qemu_run;
/* From now on somebody else does it who has the power; NULL: we again. */
void host_qemu_by(host_qemu_fn *other);
/* The same of any program, shut in as `confine` says. */
MUST_CHECK int host_qemu_try(struct spawn_plan *plan, struct confine *confine,
	bool must, struct host_qemu *out, struct err *err);

#endif
