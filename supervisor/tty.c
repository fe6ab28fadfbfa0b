/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal of `run FILE`; see tty.h. */
#include "supervisor/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

#define ESCAPE  0x1d /* ^] */
#define OUT_MAX (1024 * 1024)
#define LAST_MS 2000 /* for the last words to a slow reader */

struct tty {
	bool terminal;
	struct termios saved;
	int out_fd; /* a description of our own: O_NONBLOCK is not shared */
	int in_fd;
	bool out_polls; /* false for a regular file */
	struct loop_io out_io;
	struct loop_io in_io;
	struct str out;
	size_t out_done;
	void (*on_input)(void *arg, const char *bytes, size_t len);
	void (*on_escape)(void *arg);
	void *arg;
};

static void flush(struct tty *tty);

static void on_out(struct loop_io *io, int events UNUSED)
{
	flush(container_of(io, struct tty, out_io));
}

/* What was written is let go, so that a slow reader costs no more. */
static void trim(struct tty *tty)
{
	size_t rest = tty->out.len - tty->out_done;

	if (tty->out_done < rest)
		return;
	memmove(tty->out.data, tty->out.data + tty->out_done, rest);
	str_cut(&tty->out, rest);
	tty->out_done = 0;
}

static void flush(struct tty *tty)
{
	while (tty->out_done < tty->out.len) {
		ssize_t put =
			sys_write(tty->out_fd, tty->out.data + tty->out_done,
				tty->out.len - tty->out_done);

		if (put < 0 && errno == EAGAIN && tty->out_polls) {
			loop_io_start(
				&tty->out_io, tty->out_fd, LOOP_WRITE, on_out);
			trim(tty);
			return;
		}
		if (put < 0)
			break; /* nobody reads any more */
		tty->out_done += (size_t)put;
	}
	loop_io_stop(&tty->out_io);
	str_fini(&tty->out);
	tty->out_done = 0;
}

void tty_write(struct tty *tty, const char *bytes, size_t len)
{
	if (tty->out_fd < 0 || tty_waiting(tty) + len > OUT_MAX)
		return;
	str_addn(&tty->out, bytes, len);
	flush(tty);
}

static void on_in(struct loop_io *io, int events UNUSED)
{
	struct tty *tty = container_of(io, struct tty, in_io);
	char buf[1024];
	ssize_t got = sys_read(tty->in_fd, buf, sizeof(buf));
	size_t from = 0;

	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		loop_io_stop(&tty->in_io);
		return;
	}
	for (size_t i = 0; got > 0 && i < (size_t)got; i++) {
		if (buf[i] != ESCAPE)
			continue;
		if (i > from)
			tty->on_input(tty->arg, buf + from, i - from);
		from = i + 1;
		tty->on_escape(tty->arg);
	}
	if (got > 0 && (size_t)got > from)
		tty->on_input(tty->arg, buf + from, (size_t)got - from);
}

static void make_raw(struct tty *tty)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &tty->saved))
		return;
	raw = tty->saved;
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	loop_io_start(&tty->in_io, tty->in_fd, LOOP_READ, on_in);
}

/* Its output without blocking the loop or those who share the descriptor. */
struct tty *tty_open_output(int fd)
{
	struct tty *tty = NEW(struct tty);
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	tty->in_fd = -1;
	tty->out_fd = sys_openat(
		AT_FDCWD, path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_APPEND, 0);
	tty->out_polls = !sys_fstat(fd, &st) && !S_ISREG(st.st_mode);
	if (tty->out_fd < 0 || !tty->out_polls) {
		/* sockets cannot be opened anew, files keep their offset */
		fd_close(&tty->out_fd);
		tty->out_fd = sys_dup(fd);
	}
	return tty;
}

struct tty *tty_open(void (*on_input)(void *arg, const char *bytes, size_t len),
	void (*on_escape)(void *arg), void *arg)
{
	struct tty *tty = tty_open_output(STDOUT_FILENO);

	tty->on_input = on_input;
	tty->on_escape = on_escape;
	tty->arg = arg;
	tty->terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (tty->terminal) {
		tty->in_fd = sys_openat(AT_FDCWD, "/proc/self/fd/0",
			O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
		if (tty->in_fd < 0) /* it is another user's, as under su */
			tty->in_fd = sys_dup(STDIN_FILENO);
		make_raw(tty);
	}
	return tty;
}

size_t tty_waiting(const struct tty *tty)
{
	return tty->out.len - tty->out_done;
}

bool tty_is_terminal(const struct tty *tty)
{
	return tty->terminal;
}

static void on_last(struct loop_timer *timer UNUSED) {}

/* A guest's last words matter most: a reader that is slow gets a while. */
static void write_last(struct tty *tty)
{
	struct loop_timer limit = { .on_timer = NULL };

	flush(tty);
	loop_timer_start(&limit, LAST_MS, on_last);
	while (tty->out.len > 0 && loop_timer_is_active(&limit))
		loop_turn(true);
	loop_timer_stop(&limit);
}

void tty_close(struct tty *tty)
{
	if (!tty)
		return;
	loop_io_stop(&tty->in_io);
	write_last(tty);
	loop_io_stop(&tty->out_io);
	if (tty->terminal)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &tty->saved);
	fd_close(&tty->in_fd);
	fd_close(&tty->out_fd);
	str_fini(&tty->out);
	free(tty);
}
