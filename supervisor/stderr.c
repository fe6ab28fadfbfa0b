/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's stderr FIFO; see supervisor/stderr.h. */
#include "supervisor/stderr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"

#define LINE_MAX_BYTES 1024
#define LAST_WORDS     2048
#define BUDGET         65536

/* "qemu-system-x86_64: -device {...}: text" loses what is only noise. */
static const char *plain(const char *line)
{
	const char *colon = strstr(line, "qemu-system-x86_64: ");

	return colon == line ? line + strlen("qemu-system-x86_64: ") : line;
}

static void take_line(struct stderr_pipe *pipe)
{
	const char *line = str_text(&pipe->line);

	if (*line && !cause_note_trace(pipe->seen, line)) {
		str_add(&pipe->last_words, plain(line));
		str_addc(&pipe->last_words, '\n');
		if (pipe->last_words.len > LAST_WORDS) {
			AUTO_FREE char *tail =
				xstrdup(pipe->last_words.data +
					pipe->last_words.len - LAST_WORDS / 2);
			str_cut(&pipe->last_words, 0);
			str_add(&pipe->last_words, tail);
		}
		vmlog_stderr(pipe->log, plain(line));
	}
	str_cut(&pipe->line, 0);
}

static void take_bytes(struct stderr_pipe *pipe, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n' || pipe->line.len >= LINE_MAX_BYTES)
			take_line(pipe);
		if (bytes[i] != '\n')
			str_addc(&pipe->line, bytes[i]);
	}
}

static void read_some(struct stderr_pipe *pipe)
{
	char chunk[4096];

	for (size_t taken = 0; taken < BUDGET && pipe->fd >= 0;) {
		ssize_t got = sys_read(pipe->fd, chunk, sizeof(chunk));

		if (got <= 0)
			break;
		taken += (size_t)got;
		take_bytes(pipe, chunk, (size_t)got);
	}
	if (!pipe->line.len) /* QEMU says something hardly ever */
		str_fini(&pipe->line);
}

static void on_stderr(struct loop_io *io, int events UNUSED)
{
	read_some(container_of(io, struct stderr_pipe, io));
}

void stderr_open(struct stderr_pipe *pipe, int fd, struct cause_inputs *seen,
	struct vmlog *log)
{
	stderr_close(pipe);
	pipe->fd = fd;
	pipe->seen = seen;
	pipe->log = log;
	loop_io_start(&pipe->io, fd, LOOP_READ, on_stderr);
}

void stderr_drain(struct stderr_pipe *pipe)
{
	if (pipe->fd < 0)
		return;
	read_some(pipe);
	take_line(pipe);
}

void stderr_close(struct stderr_pipe *pipe)
{
	loop_io_stop(&pipe->io);
	fd_close(&pipe->fd);
	str_fini(&pipe->line);
}

/* ---- for people ---- */

/* Behind "2026-11-21T01:01:16.840279Z ", if that is there. */
static const char *skip_time(const char *line)
{
	size_t n = strspn(line, "0123456789-:.TZ");

	return n > 20 && line[n - 1] == 'Z' && line[n] == ' ' ? line + n + 1
							      : line;
}

/* Behind "qemu-system-x86_64: ". */
static const char *skip_program(const char *line, const char *end)
{
	const char *colon = memmem(line, (size_t)(end - line), ": ", 2);

	if (!str_starts(line, "qemu") || !colon ||
		memchr(line, ' ', (size_t)(colon - line)))
		return line;
	return colon + 2;
}

/* The value of a JSON member in what QEMU quotes of its command line. */
static bool add_member(
	struct str *out, const char *line, const char *end, const char *member)
{
	const char *at =
		memmem(line, (size_t)(end - line), member, strlen(member));
	const char *quote;

	if (!at)
		return false;
	at += strlen(member);
	quote = memchr(at, '"', (size_t)(end - at));
	if (!quote)
		return false;
	str_addn(out, at, (size_t)(quote - at));
	str_add(out, ": ");
	return true;
}

/* "-device {...}: text" becomes "disk-root: text". */
static const char *skip_option(
	struct str *out, const char *line, const char *end)
{
	const char *close = NULL;

	if (*line != '-' || !memmem(line, (size_t)(end - line), " {", 2))
		return line;
	for (const char *at = line; at + 3 <= end; at++)
		if (!memcmp(at, "}: ", 3))
			close = at;
	if (!close)
		return line;
	if (!add_member(out, line, close, "\"id\":\""))
		add_member(out, line, close, "\"node-name\":\"");
	return close + 3;
}

char *stderr_readable(const char *words)
{
	AUTO_STR struct str out = STR_INIT;

	while (*words) {
		const char *end = words + strcspn(words, "\n");
		const char *line = skip_program(skip_time(words), end);

		if (line < end) {
			if (out.len)
				str_add(&out, "; ");
			line = skip_option(&out, line, end);
			str_addn(&out, line, (size_t)(end - line));
		}
		words = *end ? end + 1 : end;
	}
	return xstrdup(str_text(&out));
}
