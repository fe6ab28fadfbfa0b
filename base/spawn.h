/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a child: exact fd list, clean signals and environment, a pidfd,
 * and a failure that names the stage ("cannot start qemu: exec: ...").
 * The child is made by clone3 with CLONE_VFORK|CLONE_VM|CLONE_PIDFD, so the
 * cost does not grow with the supervisor; where that is refused, by fork.
 */
#ifndef BASE_SPAWN_H
#define BASE_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"

/* One descriptor of ours that becomes descriptor `to` of the child. */
struct spawn_fd {
	int from;
	int to;
};

struct spawn_plan {
	const char *path;	/* the program; absolute */
	const char *const *argv;
	const char *const *env; /* NULL: PATH and LANG=C.UTF-8 only */
	const struct spawn_fd *fds; /* 0,1,2 absent: /dev/null */
	size_t nfds;
	bool new_session; /* setsid: survives our terminal */
	bool die_with_us; /* PDEATHSIG=SIGKILL, parent checked */
	const char *dir;  /* working directory; NULL: "/" */
	/* Filled on failure (stage + errno) by the backend: */
	struct err *err;
};

/*
 * Starts the child.  pidfd is the caller's.  Fails with ERR_OS; then nothing
 * is left behind.  All signals of the child are default and unblocked, umask
 * 077, every fd not in the list closed.
 */
MUST_CHECK int spawn(const struct spawn_plan *plan, pid_t *pid, int *pidfd,
	struct err *err);

/*
 * A short-lived tool (qemu-img, qemu --version): runs argv with stdin from
 * /dev/null, collects stdout and the last 4 KiB of stderr (64 KiB cap on
 * stdout unless on_line is set, which gets stdout line by line), reports the
 * exit.  Dies with us.  Embed it; spawn_tool_stop() kills and forgets it.
 */
struct spawn_tool {
	struct loop_child child;
	struct loop_io out_io;
	struct loop_io err_io;
	struct str out;
	struct str errors;
	struct sys_exit exit;
	bool exited;
	void (*on_line)(struct spawn_tool *tool, const char *line); /* or NULL */
	void (*on_end)(struct spawn_tool *tool); /* streams at EOF and reaped */
	int pidfd;
	int out_fd;
	int err_fd;
};

MUST_CHECK int spawn_tool_start(struct spawn_tool *tool,
	const char *const *argv, struct err *err);
void spawn_tool_stop(struct spawn_tool *tool);
/* Absolute path of a program on PATH (or itself if it has a slash), new; NULL. */
char *spawn_find(const char *program);

#endif
