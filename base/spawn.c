/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Children as the rest of the supervisor sees them, and short-lived tools:
 * their streams are read as they come, their end is reported once both
 * streams are at EOF and the exit status is known.
 */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"

enum { OUT_CAP = 65536, ERRORS_CAP = 4096, CHUNK = 16384, TOOL_FDS = 2 };

/* A killed tool that waits to be reaped. */
struct orphan {
	struct loop_child child;
	int pidfd;
};

static void check_plan(const struct spawn_plan *plan)
{
	BUG_ON(plan->path[0] != '/' || !plan->argv[0]);
	for (size_t i = 0; i < plan->nfds; i++) {
		BUG_ON(plan->fds[i].from < 0 || plan->fds[i].to < 0);
		for (size_t k = 0; k < i; k++)
			BUG_ON(plan->fds[i].to == plan->fds[k].to);
	}
}

int spawn(
	const struct spawn_plan *plan, pid_t *pid, int *pidfd, struct err *err)
{
	struct spawn_plan with_err = *plan;

	check_plan(plan);
	err_clear(err);
	with_err.err = err;
	if (sys_spawn(&with_err, pid, pidfd) == 0)
		return 0;
	if (err->code == ERR_NONE)
		err_os(err, "cannot start '%s'", plan->path);
	return -1;
}

static bool is_program(const char *path)
{
	struct stat st;

	return sys_fstatat(AT_FDCWD, path, &st, 0) == 0 &&
	       S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

/* The path itself, made absolute: a child starts in another directory. */
static char *find_here(const char *program)
{
	char dir[4096];

	if (!is_program(program))
		return NULL;
	if (program[0] == '/')
		return xstrdup(program);
	if (!getcwd(dir, sizeof dir))
		return NULL;
	return xasprintf("%s/%s", dir, program);
}

char *spawn_find(const char *program)
{
	const char *dir = getenv("PATH");

	if (strchr(program, '/'))
		return find_here(program);
	if (!dir || !dir[0])
		dir = "/usr/local/sbin:/usr/local/bin:"
		      "/usr/sbin:/usr/bin:/sbin:/bin";
	while (*dir && *program) {
		int len = (int)strcspn(dir, ":");
		AUTO_FREE char *path = xasprintf("%.*s/%s", len, dir, program);
		if (path[0] == '/' && len > 0 && is_program(path))
			return TAKE(path);
		dir += len + (dir[len] == ':');
	}
	return NULL;
}

static void end_if_done(struct spawn_tool *tool)
{
	if (!tool->started || !tool->exited || tool->out_fd >= 0 ||
		tool->err_fd >= 0)
		return;
	tool->started = false;
	if (tool->on_end)
		tool->on_end(tool);
}

/* Hands over each whole line; the rest too if the stream is at its end. */
static void give_lines(struct spawn_tool *tool, bool at_end)
{
	size_t from = 0;

	while (tool->started && from < tool->out.len) {
		char *line = tool->out.data + from;
		size_t len = strcspn(line, "\r\n");
		bool whole = from + len < tool->out.len;
		if (!whole && !at_end && len < OUT_CAP)
			break;
		line[len] = '\0';
		from += len + whole;
		if (len > 0)
			tool->on_line(tool, line);
	}
	if (!tool->started || from == 0)
		return;
	memmove(tool->out.data, tool->out.data + from, tool->out.len - from);
	str_cut(&tool->out, tool->out.len - from);
}

/* A NUL would hide the rest of its line. */
static void add_text(struct str *s, char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] == '\0')
			bytes[i] = '?';
	str_addn(s, bytes, len);
}

static void out_is_ready(struct loop_io *io, int events UNUSED)
{
	struct spawn_tool *tool = container_of(io, struct spawn_tool, out_io);
	char buf[CHUNK];
	ssize_t n = sys_read(tool->out_fd, buf, sizeof buf);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	size_t len = n > 0 ? (size_t)n : 0;
	if (!tool->on_line && len > OUT_CAP - tool->out.len) {
		len = OUT_CAP - tool->out.len;
		tool->truncated = true;
	}
	add_text(&tool->out, buf, len);
	if (n <= 0) {
		loop_io_stop(io);
		fd_close(&tool->out_fd);
	}
	if (tool->on_line)
		give_lines(tool, n <= 0);
	end_if_done(tool);
}

static void errors_are_ready(struct loop_io *io, int events UNUSED)
{
	struct spawn_tool *tool = container_of(io, struct spawn_tool, err_io);
	char buf[ERRORS_CAP];
	ssize_t n = sys_read(tool->err_fd, buf, sizeof buf);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		struct str *errors = &tool->errors;
		add_text(errors, buf, (size_t)n);
		if (errors->len <= ERRORS_CAP)
			return;
		size_t old = errors->len - ERRORS_CAP;
		memmove(errors->data, errors->data + old, ERRORS_CAP);
		str_cut(errors, ERRORS_CAP);
		return;
	}
	loop_io_stop(io);
	fd_close(&tool->err_fd);
	end_if_done(tool);
}

static void tool_has_exited(
	struct loop_child *child, const struct sys_exit *how)
{
	struct spawn_tool *tool = container_of(child, struct spawn_tool, child);

	tool->exit = *how;
	tool->exited = true;
	fd_close(&tool->pidfd);
	end_if_done(tool);
}

/* Starts the child with its three streams in place. */
static int start_child(struct spawn_tool *tool, const char *const *argv,
	const int streams[2], struct err *err)
{
	AUTO_FREE char *path = spawn_find(argv[0]);
	struct spawn_fd fds[2 + TOOL_FDS] = { { streams[0], 1 },
		{ streams[1], 2 } };
	const struct spawn_plan plan = {
		.path = path,
		.argv = argv,
		.fds = fds,
		.nfds = 2 + tool->nfds,
		.die_with_us = true,
	};
	pid_t pid;

	BUG_ON(tool->nfds > TOOL_FDS);
	for (size_t i = 0; i < tool->nfds; i++)
		fds[2 + i] = tool->fds[i];
	if (!path)
		return err_set(err, ERR_UNSUPPORTED,
			"cannot start '%s': no such program on PATH", argv[0]);
	return spawn(&plan, &pid, &tool->pidfd, err);
}

int spawn_tool_start(
	struct spawn_tool *tool, const char *const *argv, struct err *err)
{
	int out[2] = { -1, -1 };
	int errors[2] = { -1, -1 };
	int rc = -1;

	BUG_ON(tool->started);
	spawn_tool_stop(tool);
	if (sys_pipe(out) < 0 || sys_pipe(errors) < 0) {
		err_os(err, "cannot start '%s': making a pipe", argv[0]);
	} else {
		const int streams[2] = { out[1], errors[1] };
		rc = start_child(tool, argv, streams, err);
	}
	fd_close(&out[1]);
	fd_close(&errors[1]);
	if (rc < 0) {
		fd_close(&out[0]);
		fd_close(&errors[0]);
		return -1;
	}
	tool->started = true;
	tool->exited = false;
	tool->truncated = false;
	tool->out_fd = out[0];
	tool->err_fd = errors[0];
	loop_io_start(&tool->out_io, out[0], LOOP_READ, out_is_ready);
	loop_io_start(&tool->err_io, errors[0], LOOP_READ, errors_are_ready);
	loop_child_start(&tool->child, tool->pidfd, tool_has_exited);
	return 0;
}

static void orphan_has_exited(
	struct loop_child *child, const struct sys_exit *how UNUSED)
{
	struct orphan *orphan = container_of(child, struct orphan, child);

	fd_close(&orphan->pidfd);
	free(orphan);
}

/* Kills a child and reaps it when it is dead; the pidfd goes with it. */
static void kill_in_background(int pidfd)
{
	struct orphan *orphan = NEW(struct orphan);

	sys_pidfd_kill(pidfd, SIGKILL);
	orphan->pidfd = pidfd;
	loop_child_start(&orphan->child, pidfd, orphan_has_exited);
}

void spawn_tool_stop(struct spawn_tool *tool)
{
	if (tool->started) {
		loop_io_stop(&tool->out_io);
		loop_io_stop(&tool->err_io);
		loop_child_stop(&tool->child);
		fd_close(&tool->out_fd);
		fd_close(&tool->err_fd);
		if (!tool->exited)
			kill_in_background(TAKE_FD(tool->pidfd));
	}
	tool->started = false;
	str_fini(&tool->out);
	str_fini(&tool->errors);
}
