/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings: all mistakes and notes of a run over files, with file and line.
 */
#ifndef BASE_FINDING_H
#define BASE_FINDING_H

#include "base/err.h"
#include "base/list.h"
#include "base/str.h"

enum finding_level { FINDING_ERROR, FINDING_NOTE };

struct finding {
	struct list link; /* findings.list */
	enum finding_level level;
	char *file;    /* as the user would type it */
	unsigned line; /* 0: the whole file */
	char *text;
};

struct findings {
	struct list list;
	unsigned errors;
	unsigned notes;
	struct finding *more; /* "and 7 more errors", or NULL; in the list */
};

/* An empty list, which findings_fini empties again. */
void findings_init(struct findings *f);
void findings_fini(struct findings *f);
/* Moves all findings to the end of an empty list. */
void findings_move(struct findings *to, struct findings *from);
/* At most 100 errors are kept; then one that says how many more. */
void findings_add(struct findings *f, enum finding_level level,
	const char *file, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* Appends copies of them all. */
void findings_copy(struct findings *to, const struct findings *from);
/* "file:line: text" of the first error into err (ERR_CONFIG); -1. */
int findings_to_err(const struct findings *f, struct err *err);
/* Appends "file:line: text" (or "file: text"), without a newline. */
void finding_add_text(const struct finding *finding, struct str *out);
/*
 * Orders by line inside each file; files stay in the order in which they
 * were first named.
 */
void findings_sort(struct findings *f);

#endif
