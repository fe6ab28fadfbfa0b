/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a child process is made: exact fd list, clean signals and environment,
 * a pidfd, and a failure that names the stage ("cannot start '/bin/x': exec:
 * No such file or directory").  By clone with CLONE_VM|CLONE_VFORK, so that
 * the cost does not grow with the supervisor; where that is refused, by fork.
 * Part of the real backend of base/sys; others call spawn().
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/confine.h"
#include "base/err.h"

/* Where a child looks for programs, and what it speaks. */
#define CHILD_PATH \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define CHILD_LANG "C.UTF-8"

/* One descriptor of ours that becomes descriptor `to` of the child. */
struct spawn_fd {
	int from;
	int to;
};

/*
 * Control groups that it is born into.  In v2 by clone3, where the kernel
 * has that; else it moves itself before it gives anything up.
 */
struct spawn_group {
	int into;        /* a directory of v2; -1: none */
	int procs;       /* its cgroup.procs; -1: none */
	const int *join; /* cgroup.procs of v1 */
	size_t njoin;
	const char *of; /* whose they are, for who opens them itself; or NULL */
};

struct spawn_plan {
	const char *path; /* the program; absolute */
	const char *const *argv;
	const char *const *env;     /* NULL: PATH and LANG=C.UTF-8 only */
	const struct spawn_fd *fds; /* 0,1,2 absent: /dev/null; no `to` twice */
	size_t nfds;
	bool new_session;                /* setsid: survives our terminal */
	bool die_with_us;                /* PDEATHSIG=SIGKILL, parent checked */
	const char *dir;                 /* working directory; NULL: "/" */
	const struct confine *confine;   /* what it gives up; NULL: nothing */
	const struct spawn_group *group; /* NULL: ours */
	bool as_admin; /* the admin's own program: it has his powers */
	/* Filled on failure (stage + errno) by the backend: */
	struct err *err;
	enum confine_part *failed; /* or NULL: gets the part, or NONE */
};

/* Makes the child.  0, or -1 with errno and plan->err set. */
int child_start(const struct spawn_plan *plan, pid_t *pid, int *pidfd);

/* The same by fork alone: the way for kernels that refuse the quick one. */
int child_start_by_fork(const struct spawn_plan *plan, pid_t *pid, int *pidfd);

#endif
