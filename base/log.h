/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor's own log: one line per event, "LEVEL vm=web text", to
 * stderr; RFC 3339 time in front only when stderr is a terminal.  Text from
 * outside is escaped by the formatter.  Keeps errno.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/* Lines above the level are dropped; LOG_INFO unless set. */
void log_set_level(enum log_level level);
/* The level in force. */
enum log_level log_get_level(void);
/* "info" -> LOG_INFO; -1 for a name that is none. */
int log_level_of(const char *name);
/* Writes a line about an object ("vm=web", "job=j3 vm=web") or NULL. */
void log_line(enum log_level level, const char *object, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(object, ...) log_line(LOG_ERROR, object, __VA_ARGS__)
#define log_warn(object, ...)  log_line(LOG_WARN, object, __VA_ARGS__)
#define log_info(object, ...)  log_line(LOG_INFO, object, __VA_ARGS__)
#define log_debug(object, ...) log_line(LOG_DEBUG, object, __VA_ARGS__)

/* For BUG_ON: logs file, line and condition, then aborts. */
_Noreturn void log_bug(const char *file, int line, const char *what);
/* A state that cannot be: logs and aborts.  Stays on in release builds. */
#define BUG_ON(cond)                                        \
	do {                                                \
		if (__builtin_expect(!!(cond), 0))          \
			log_bug(__FILE__, __LINE__, #cond); \
	} while (0)

#endif
