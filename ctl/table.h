/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of JSON objects: columns by name, sorted by value.  Numbers are
 * printed for people (2G, 3d 4h).
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

/* An object; or, where there are keys, an array of the values of those. */
struct row {
	const json_t *values;
	const json_t *keys;
};

struct column {
	const char *name; /* "MEMORY" */
	const char *key;  /* "memory" */
	enum column_type type;
	/* Appends the cell's text; for CUSTOM and NOTE. */
	void (*render)(const struct row *row, struct str *out);
	const char *also; /* another key that render() looks at */
	bool wide;        /* only with -w, or asked for */
	bool asked;       /* only when asked for by name */
};

struct table {
	const struct column *columns; /* the last one's name is NULL */
	json_t *rows;
	const json_t *keys; /* of rows that are arrays, or NULL */
	const char *choice; /* comma-separated names, or NULL */
	bool wide;          /* without a choice: more columns */
	const char *sort;   /* a column, "-NAME" downwards; or NULL */
};

/* The keys are those of rows that are arrays. */
struct row table_row(const json_t *values, const json_t *keys);
/* A member of a row, NULL if it has none; borrowed. */
json_t *row_get(const struct row *row, const char *key);
/* Prints the table.  Fails with ERR_USAGE on an unknown column. */
MUST_CHECK int table_print(
	const struct options *opt, const struct table *table, struct err *err);
/*
 * Prints the answer to a call: the table with the columns that the call
 * chose, or, without rows, the sentence (NULL: the headers alone).  Returns
 * the exit status; errors are printed.
 */
int table_show(
	const struct call *call, const struct table *table, const char *empty);
/* Sorts the rows; for --json. */
MUST_CHECK int table_sort(const struct table *table, struct err *err);
/*
 * The keys that the table looks at, each once; new, or NULL as table_print()
 * fails.
 */
json_t *table_keys(const struct table *table, struct err *err);

#endif
