/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a child (how it is made: base/child.h), and short-lived tools
 * whose output we collect.
 */
#ifndef BASE_SPAWN_H
#define BASE_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/child.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"

/*
 * Starts the child.  pidfd is the caller's.  Fails with ERR_OS; then nothing
 * is left behind.  All signals of the child are default and unblocked, umask
 * 077, every fd not in the list closed.
 */
MUST_CHECK int spawn(
	const struct spawn_plan *plan, pid_t *pid, int *pidfd, struct err *err);

/*
 * A short-lived tool (qemu-img, qemu --version): runs argv with stdin from
 * /dev/null, collects stdout and the last 4 KiB of stderr (64 KiB cap on
 * stdout unless on_line is set, which gets stdout line by line), reports the
 * exit.  Dies with us.  Embed it, zeroed, with on_line and on_end set.
 * A line ends at \n or \r (a progress line) or after 64 KiB.
 */
struct spawn_tool {
	struct loop_child child;
	struct loop_io out_io;
	struct loop_io err_io;
	struct str out;
	struct str errors;
	struct sys_exit exit;
	bool started;
	bool exited;
	bool truncated; /* stdout was longer than 64 KiB; the rest is lost */
	/* Or NULL.  May stop the tool, must not free it. */
	void (*on_line)(struct spawn_tool *tool, const char *line);
	/* What it gets besides its streams; borrowed until it is started. */
	const struct spawn_fd *fds;
	size_t nfds;
	/* Streams at EOF and reaped; may stop and free the tool. */
	void (*on_end)(struct spawn_tool *tool);
	int pidfd;
	int out_fd;
	int err_fd;
};

/* argv[0] is searched on PATH.  On failure nothing is left behind. */
MUST_CHECK int spawn_tool_start(
	struct spawn_tool *tool, const char *const *argv, struct err *err);
/*
 * Kills the tool if it runs (it is reaped in the background), frees what it
 * said.  on_end does not run.  Harmless on a zeroed or stopped tool.
 */
void spawn_tool_stop(struct spawn_tool *tool);
/* Absolute path of an executable on PATH, or of itself if it has a slash; new.
 * NULL if there is none. */
char *spawn_find(const char *program);

#endif
