/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cells in aligned columns; see grid.h.  Owns the cells and their widths.
 * Widths of characters outside ASCII need a locale, which costs more than
 * all the rest: one is loaded when such a text comes (C.UTF-8 where the
 * user's is not UTF-8), and never otherwise.
 */
#include "ctl/grid.h"

#include <langinfo.h>
#include <locale.h>
#include <wchar.h>

#include "ctl/print.h"

static const char gap[] = "  "; /* between columns */

void grid_fini(struct grid *g)
{
	str_fini(&g->cells);
	*g = (struct grid)GRID_INIT;
}

static void load_locale(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	setlocale(LC_CTYPE, "");
	if (!str_eq(nl_langinfo(CODESET), "UTF-8"))
		setlocale(LC_CTYPE, "C.UTF-8");
}

/* Bytes of the next character, and the columns that it takes. */
static size_t step(const char *text, mbstate_t *state, size_t *width)
{
	wchar_t c;
	size_t len = mbrtowc(&c, text, strlen(text), state);
	int columns;

	*width = 1;
	if (len == 0 || len > strlen(text)) { /* of no known locale */
		memset(state, 0, sizeof(*state));
		return 1;
	}
	columns = wcwidth(c);
	if (columns >= 0)
		*width = (size_t)columns;
	return len;
}

/* Bytes of the text that fit into `room` columns; *used says how many. */
static size_t fitting(const char *text, size_t room, size_t *used)
{
	mbstate_t state = { 0 };
	const char *at = text;

	*used = 0;
	load_locale();
	while (*at) {
		size_t width;
		size_t len = step(at, &state, &width);

		if (*used + width > room)
			break;
		*used += width;
		at += len;
	}
	return (size_t)(at - text);
}

size_t grid_width(const char *text)
{
	size_t width;

	if (!print_needs_locale(text))
		return strlen(text);
	fitting(text, SIZE_MAX / 2, &width);
	return width;
}

void grid_column(struct grid *g, const struct grid_column *column)
{
	struct grid_column *mine = &g->columns[g->ncolumns];

	if (g->ncolumns == GRID_COLUMNS)
		return;
	*mine = *column;
	mine->width = grid_width(column->name);
	g->ncolumns++;
}

void grid_cell(struct grid *g, const char *text)
{
	struct grid_column *column = &g->columns[g->ncells++ % g->ncolumns];
	size_t width = grid_width(text);

	if (width > column->width)
		column->width = width;
	str_addn(&g->cells, text, strlen(text) + 1);
}

static void add_blanks(struct str *out, size_t n)
{
	static const char blanks[] = "                                ";

	for (; n >= sizeof(blanks); n -= sizeof(blanks) - 1)
		str_addn(out, blanks, sizeof(blanks) - 1);
	str_addn(out, blanks, n);
}

/* Takes from the column that may be cut what does not fit. */
static void cut_to(struct grid *g, size_t limit)
{
	size_t total = (g->ncolumns - 1) * strlen(gap);
	struct grid_column *cut = NULL;

	for (size_t i = 0; i < g->ncolumns; i++) {
		total += g->columns[i].width;
		if (g->columns[i].cut)
			cut = &g->columns[i];
	}
	if (total <= limit || !cut)
		return;
	cut->width -= cut->width > total - limit ? total - limit : cut->width;
	if (cut->width < grid_width(cut->name))
		cut->width = grid_width(cut->name);
}

static void add_cell(
	const struct grid_column *column, const char *text, struct str *out)
{
	const char *color = column->color ? column->color(text) : NULL;
	size_t len = strlen(text);
	size_t width = grid_width(text);

	if (width > column->width)
		len = fitting(text, column->width, &width);
	if (column->right)
		add_blanks(out, column->width - width);
	if (color)
		str_add(out, print_escape(color));
	str_addn(out, text, len);
	if (color)
		str_add(out, "\033[0m");
	if (!column->right)
		add_blanks(out, column->width - width);
}

static void end_line(struct str *out)
{
	size_t len = out->len;

	while (len > 0 && out->data[len - 1] == ' ')
		len--;
	str_cut(out, len);
	str_addc(out, '\n');
}

void grid_print(struct grid *g, size_t limit, struct str *out)
{
	const char *text = str_text(&g->cells);

	if (limit > 0)
		cut_to(g, limit);
	for (size_t i = 0; i < g->ncolumns; i++) {
		struct grid_column head = g->columns[i];

		head.color = NULL;
		str_add(out, i ? gap : "");
		add_cell(&head, head.name, out);
	}
	end_line(out);
	for (size_t i = 0; i < g->ncells; i++) {
		str_add(out, i % g->ncolumns ? gap : "");
		add_cell(&g->columns[i % g->ncolumns], text, out);
		text += strlen(text) + 1;
		if (i % g->ncolumns == g->ncolumns - 1)
			end_line(out);
	}
}
