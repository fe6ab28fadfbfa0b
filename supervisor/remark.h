/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings about a key or section of a spec, at the line that says it. */
#ifndef SUPERVISOR_REMARK_H
#define SUPERVISOR_REMARK_H

#include <stdbool.h>

#include "base/keys.h"

struct remarks {
	const struct ini *ini;
	const char *shown; /* where there is no line */
	struct findings *f;
};

/*
 * "[SECTION] KEY: text" at the line of the key, or of the header, or of no
 * line; key NULL: "[SECTION] text"; section NULL: the text alone.
 */
void remark(const struct remarks *to, enum finding_level level,
	const char *section, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

#define remark_error(to, section, key, ...) \
	remark(to, FINDING_ERROR, section, key, __VA_ARGS__)
#define remark_note(to, section, key, ...) \
	remark(to, FINDING_NOTE, section, key, __VA_ARGS__)

/* True if no error was found in a line of the section. */
bool remark_is_sound(const struct remarks *to, const char *section);

#endif
