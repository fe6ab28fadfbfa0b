/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `vmward console`: a terminal on the guest's serial line.  The supervisor
 * replays what was written, allows many readers and one writer; the escape
 * key detaches at once.  Several names: their lines side by side.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "ctl/expect.h"
#include "ctl/print.h"
#include "ctl/reach.h"
#include "ctl/serial.h"
#include "ctl/verbs.h"
#include "ctl/wire.h"

#define LINE_MAX_BYTES 4096
#define QUIET_MS       300 /* after the end of a piped stdin */

/* ---- the terminal ---- */

static struct termios saved;
static bool is_raw;

static void leave_raw(void)
{
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	is_raw = false;
}

static void on_signal(int number)
{
	leave_raw(); /* tcsetattr() is async-signal-safe */
	signal(number, SIG_DFL);
	raise(number);
}

static void enter_raw(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &saved) < 0)
		return;
	raw = saved;
	cfmakeraw(&raw);
	raw.c_oflag |= OPOST; /* the guest's \n stays a new line */
	signal(SIGTERM, on_signal);
	signal(SIGHUP, on_signal);
	is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

/* "^]" or one character; -1 if it is neither. */
static int escape_key(const struct call *call)
{
	const char *text = call_value(call, "escape");

	if (!text)
		return 0x1d;
	if (text[0] == '^' && text[1] && !text[2])
		return text[1] & 0x1f;
	return text[0] && !text[1] ? (unsigned char)text[0] : -1;
}

/* ---- one console ---- */

struct session {
	const struct call *call;
	const char *vm;
	int fd;
	int escape;
	bool read_only;
	bool in_open; /* stdin */
};

static int write_all(const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes, len);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -1;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* From the guest: 0 to go on, 1 at its end. */
static int from_guest(struct session *s)
{
	char buf[8192];
	ssize_t n = recv(s->fd, buf, sizeof(buf), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return 1;
	return write_all(buf, (size_t)n) < 0;
}

/* From the person: 0 to go on, 2 to detach. */
static int from_person(struct session *s)
{
	char buf[1024];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));
	const char *escape = NULL;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		s->in_open = false;
		return s->call->opt.tty_in ? 2 : 0;
	}
	if (s->call->opt.tty_in)
		escape = memchr(buf, s->escape, (size_t)n);
	if (escape)
		n = escape - buf;
	if (!s->read_only && serial_send(s->fd, buf, (size_t)n) < 0)
		return 1;
	return escape ? 2 : 0;
}

static int attach(struct session *s)
{
	int result = 0;

	while (result == 0) {
		struct pollfd fds[2] = {
			{ .fd = s->fd, .events = POLLIN },
			{ .fd = s->in_open ? STDIN_FILENO : -1,
				.events = POLLIN },
		};
		bool piped = !s->in_open && !s->read_only;
		int n = poll(fds, 2, piped ? QUIET_MS : -1);

		if (n == 0)
			return 2;
		if (n < 0)
			continue;
		if (fds[0].revents)
			result = from_guest(s);
		if (result == 0 && fds[1].revents)
			result = from_person(s);
	}
	return result;
}

static int run_one(const struct call *call, const char *vm, int fd)
{
	struct session s = { .call = call,
		.vm = vm,
		.fd = fd,
		.escape = escape_key(call),
		.read_only = call_has(call, "read-only") };
	struct err err = ERR_INIT;
	int result;

	if (s.escape < 0) {
		err_set(&err, ERR_USAGE, "--escape: one character, or ^X");
		return print_error(&call->opt, vm, &err);
	}
	s.in_open = call->opt.tty_in || !s.read_only;
	if (call->opt.tty_in && call->opt.tty_out) {
		print_note(&call->opt, vm, "escape is %s%s",
			call_has(call, "escape") ? call_value(call, "escape")
						 : "^]",
			s.read_only ? " (read only)" : "");
		enter_raw();
	}
	result = attach(&s);
	leave_raw();
	if (result == 1)
		print_note(&call->opt, vm, "the console was closed");
	else if (call->opt.tty_in)
		print_note(&call->opt, vm, "detached");
	return 0;
}

/* ---- many ---- */

struct view {
	const char *vm;
	int fd;
	struct str line;
};

static void put_line(struct view *v, size_t width)
{
	size_t len = v->line.len;

	while (len > 0 && v->line.data[len - 1] == '\r')
		len--;
	str_cut(&v->line, len);
	printf("%-*s | ", (int)width, v->vm);
	print_text(str_text(&v->line));
	putchar('\n');
	str_cut(&v->line, 0);
}

static void read_view(struct view *v, size_t width)
{
	char buf[4096];
	ssize_t n = recv(v->fd, buf, sizeof(buf), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] != '\n')
			str_addc(&v->line, buf[i] ? buf[i] : ' ');
		if (buf[i] == '\n' || v->line.len >= LINE_MAX_BYTES)
			put_line(v, width);
	}
	if (n > 0)
		return;
	if (v->line.len)
		put_line(v, width);
	fd_close(&v->fd);
}

static void watch_many(struct view *views, size_t n, size_t width)
{
	AUTO_FREE struct pollfd *fds = xcalloc(n, sizeof(*fds));
	size_t left;

	do {
		left = 0;
		for (size_t i = 0; i < n; i++) {
			fds[i].fd = views[i].fd;
			fds[i].events = POLLIN;
			left += views[i].fd >= 0;
		}
		if (!left || poll(fds, n, -1) < 0)
			continue;
		for (size_t i = 0; i < n; i++)
			if (fds[i].fd >= 0 && fds[i].revents)
				read_view(&views[i], width);
		fflush(stdout);
	} while (left && !ferror(stdout));
}

static int run_many(const struct call *call, struct wire *w, json_t *names)
{
	size_t n = json_array_size(names);
	AUTO_FREE struct view *views = xcalloc(n + 1, sizeof(*views));
	size_t width = 0;
	int status = 0;

	for (size_t i = 0; i < n; i++) {
		struct view *v = &views[i];
		struct err err = ERR_INIT;

		v->vm = json_string_value(json_array_get(names, i));
		v->fd = serial_open(call, w, v->vm, &err);
		if (strlen(v->vm) > width)
			width = strlen(v->vm);
		if (v->fd < 0 && status < err_code_status(err.code))
			status = err_code_status(err.code);
		if (v->fd < 0)
			print_error(&call->opt, v->vm, &err);
	}
	watch_many(views, n, width);
	for (size_t i = 0; i < n; i++) {
		fd_close(&views[i].fd);
		str_fini(&views[i].line);
	}
	return status;
}

/* ---- the verb ---- */

/* What it has written so far. */
static int print_log(const struct call *call, struct wire *w, const char *vm)
{
	json_t *arguments = json_pack("{s:s, s:b}", "vm", vm, "console", 1);
	struct err err = ERR_INIT;
	json_t *reply;
	size_t i;
	json_t *line;

	reply = wire_call(w, "vm-log", arguments, WIRE_PATIENCE_MS, &err);
	json_decref(arguments);
	if (!reply)
		return print_error(&call->opt, vm, &err);
	json_array_foreach(json_object_get(reply, "lines"), i, line)
	{
		const char *text = print_member(line, "text");

		if (!text)
			text = json_string_value(line);
		if (call->opt.tty_out)
			print_text(text ? text : "");
		else
			fputs(text ? text : "", stdout);
		putchar('\n');
	}
	json_decref(reply);
	return 0;
}

static int run_single(const struct call *call, struct wire *w, const char *vm)
{
	struct err err = ERR_INIT;
	AUTO_CLOSE int fd = -1;

	if (call_has(call, "log"))
		return print_log(call, w, vm);
	fd = serial_open(call, w, vm, &err);
	if (fd < 0)
		return print_error(&call->opt, vm, &err);
	if (call_has(call, "expect") || call_has(call, "send"))
		return expect_run(call, vm, fd);
	return run_one(call, vm, fd);
}

/* A limit that nothing keeps is no limit. */
static int check_timeout(const struct call *call, struct err *err)
{
	if (call_has(call, "expect") ||
		(!call_has(call, "timeout") && call->opt.timeout_ms < 0))
		return 0;
	return err_set(err, ERR_USAGE,
		"--timeout is the patience of --expect RE: give one, or leave "
		"it out");
}

int verb_console(const struct call *call)
{
	AUTO_WIRE struct wire wire = WIRE_INIT;
	struct err err = ERR_INIT;
	json_t *names;
	int status;

	if (check_timeout(call, &err) < 0 ||
		reach_open(call, false, &wire, &err) < 0)
		return print_error(&call->opt, NULL, &err);
	names = reach_names(call, &wire, &err);
	if (!names)
		return print_error(&call->opt, NULL, &err);
	if (json_array_size(names) == 0) {
		err_set(&err, ERR_NOT_FOUND, "no VM matches");
		status = print_error(&call->opt, NULL, &err);
	} else if (json_array_size(names) == 1) {
		status = run_single(call, &wire,
			json_string_value(json_array_get(names, 0)));
	} else {
		status = run_many(call, &wire, names);
	}
	json_decref(names);
	return status;
}
