/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cells in aligned columns, as they are seen: characters that take two
 * columns or none count as such.  On a terminal one column may be cut so
 * that lines fit.
 */
#ifndef CTL_GRID_H
#define CTL_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define GRID_COLUMNS 32 /* the most */

struct grid_column {
	const char *name;
	bool right; /* aligned so */
	bool cut;   /* at the edge of a terminal */
	/* the colour's name of a text, or NULL for none; may be NULL */
	const char *(*color)(const char *text);
	size_t width; /* of the widest cell so far */
};

struct grid {
	struct grid_column columns[GRID_COLUMNS];
	size_t ncolumns;
	struct str cells; /* row by row, each ended by a NUL */
	size_t ncells;
};

#define GRID_INIT                  \
	{                          \
		.cells = STR_INIT, \
	}
#define AUTO_GRID __attribute__((cleanup(grid_fini)))

/* Forgets all columns and cells. */
void grid_fini(struct grid *g);
/* A column at the right; those beyond GRID_COLUMNS are left out. */
void grid_column(struct grid *g, const struct grid_column *column);
/* The next cell: from left to right, row by row.  The text is copied. */
void grid_cell(struct grid *g, const char *text);
/*
 * Writes a line of names and one per row to out, without blanks at their
 * ends.  Lines wider than `limit` lose text of the column that may be cut;
 * 0 is no limit.
 */
void grid_print(struct grid *g, size_t limit, struct str *out);
/* Columns that a text takes on a terminal. */
size_t grid_width(const char *text);

#endif
