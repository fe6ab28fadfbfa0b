/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes log lines.  Each is one write of at most 4 KiB, and only when it
 * cannot block: a stopped log reader costs lines, which are counted, never
 * the supervisor.
 */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "base/sys.h"

enum { LONGEST_LINE = 4096, LONGEST_TEXT = 2048 };

static const char *const names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
	[LOG_TRACE] = "trace",
};

static enum log_level limit = LOG_INFO;
static unsigned long dropped;

void log_set_level(enum log_level level)
{
	limit = level;
}

enum log_level log_get_level(void)
{
	return limit;
}

int log_level_of(const char *name)
{
	for (size_t i = 0; i < NELEMS(names); i++)
		if (str_eq(names[i], name))
			return (int)i;
	return -1;
}

/* "2024-05-01T12:00:00.123Z " */
static void add_time(struct str *line)
{
	int64_t now_ms = sys_realtime_us() / 1000;
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm tm;
	char text[32];

	if (!gmtime_r(&seconds, &tm) ||
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return;
	str_addf(line, "%s.%03dZ ", text, (int)(now_ms % 1000));
}

static void put(struct str *line)
{
	str_cut(line, LONGEST_LINE - 1);
	str_addc(line, '\n');
	if (!sys_is_writable(STDERR_FILENO) ||
		sys_write(STDERR_FILENO, str_text(line), line->len) < 0)
		dropped++;
}

/* Asked once: a journal adds the time itself, a terminal does not. */
static bool is_terminal(void)
{
	static int answer = -1;

	if (answer < 0)
		answer = isatty(STDERR_FILENO);
	return answer > 0;
}

/* Starts a line with time, level and object. */
static void start_line(
	struct str *line, enum log_level level, const char *object)
{
	if (is_terminal())
		add_time(line);
	str_addf(line, "%s ", names[level]);
	if (object) {
		str_add_visible(line, object, strlen(object));
		str_addc(line, ' ');
	}
}

/* Says how many lines were lost, once there is room again. */
static void confess(void)
{
	AUTO_STR struct str line = STR_INIT;

	if (!sys_is_writable(STDERR_FILENO))
		return;
	start_line(&line, LOG_WARN, NULL);
	str_addf(&line, "%lu lines were lost: nobody read the log", dropped);
	dropped = 0;
	put(&line);
}

void log_line(enum log_level level, const char *object, const char *fmt, ...)
{
	AUTO_STR struct str line = STR_INIT;
	char text[LONGEST_TEXT];
	int saved = errno;
	va_list ap;

	if (level > limit)
		return;
	va_start(ap, fmt);
	int len = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (len < 0)
		text[0] = '\0';
	if (dropped > 0)
		confess();
	start_line(&line, level, object);
	str_add_visible(&line, text, strlen(text));
	if (len >= LONGEST_TEXT)
		str_add(&line, "...");
	put(&line);
	errno = saved;
}

void log_bug(const char *file, int line, const char *what)
{
	log_line(LOG_ERROR, NULL, "bug: %s:%d: %s", file, line, what);
	abort();
}
