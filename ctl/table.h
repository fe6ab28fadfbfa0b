/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of JSON objects: columns by name, sorted by value, aligned by
 * libsmartcols.  Numbers are printed for people (2G, 3d 4h).
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <jansson.h>

#include "base/err.h"
#include "base/str.h"
#include "ctl/call.h"

enum column_type {
	COLUMN_TEXT,
	COLUMN_NUMBER,
	COLUMN_BYTES,
	COLUMN_SECONDS,
	COLUMN_YESNO,
	COLUMN_LIST,
	COLUMN_STATE,  /* coloured */
	COLUMN_CUSTOM, /* render() */
	COLUMN_NOTE,   /* render() or text; cut on a terminal */
};

struct column {
	const char *name; /* "MEMORY" */
	const char *key;  /* "memory" */
	enum column_type type;
	/* Appends the cell's text; for CUSTOM and NOTE. */
	void (*render)(const json_t *row, struct str *out);
	bool wide;  /* only with -w, or asked for */
	bool asked; /* only when asked for by name */
};

/*
 * Prints the rows (an array of objects).  columns (comma-separated names, or
 * NULL), wide and sort choose; sort "-NAME" goes downwards.  The table ends
 * with a column whose name is NULL.  Fails with ERR_USAGE on an unknown
 * column.
 */
MUST_CHECK int table_print(const struct options *opt,
	const struct column *columns, json_t *rows, const char *choice,
	bool wide, const char *sort, struct err *err);
/* Sorts rows by a column; for --json. */
MUST_CHECK int table_sort(const struct column *columns, json_t *rows,
	const char *sort, struct err *err);

#endif
