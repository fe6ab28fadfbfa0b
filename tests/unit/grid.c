/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cells in columns: alignment, wide characters, cuts, colours. */
#include "ctl/grid.h"

#include <stdarg.h>

#include "tests/unit/tap.h"

static const char *always_red(const char *text)
{
	return *text == 'x' ? "red" : NULL;
}

static void draws(size_t limit, const struct grid_column *columns, size_t n,
	const char *const *cells, const char *want)
{
	AUTO_GRID struct grid g = GRID_INIT;
	AUTO_STR struct str out = STR_INIT;

	for (size_t i = 0; i < n; i++)
		grid_column(&g, &columns[i]);
	for (; *cells; cells++)
		grid_cell(&g, *cells);
	grid_print(&g, limit, &out);
	is_str(str_text(&out), want, "limit %zu: %.*s", limit,
		(int)strcspn(want, "\n"), want);
}

static void test_alignment(void)
{
	static const struct grid_column columns[] = { { .name = "NAME" },
		{ .name = "CPUS", .right = true }, { .name = "NOTE" } };
	static const char *const cells[] = { "web", "2", "", "longer", "1024",
		"a note", NULL };
	static const char *const none[] = { NULL };

	draws(0, columns, 3, cells,
		"NAME    CPUS  NOTE\n"
		"web        2\n"
		"longer  1024  a note\n");
	draws(0, columns, 3, none, "NAME  CPUS  NOTE\n");
	draws(5, columns, 3, cells,
		"NAME    CPUS  NOTE\n"
		"web        2\n"
		"longer  1024  a note\n");
}

static void test_cut(void)
{
	static const struct grid_column columns[] = {
		{ .name = "A", .cut = true }, { .name = "B" }
	};
	static const char *const cells[] = { "0123456789", "b", "short", "b",
		NULL };
	static const char *const wide[] = { "网页服务器", "b", "网x", "b",
		NULL };

	draws(13, columns, 2, cells,
		"A           B\n0123456789  b\nshort       b\n");
	draws(10, columns, 2, cells, "A        B\n0123456  b\nshort    b\n");
	draws(1, columns, 2, cells, "A  B\n0  b\ns  b\n");
	draws(0, columns, 2, wide,
		"A           B\n网页服务器  b\n网x         b\n");
	draws(8, columns, 2, wide, "A      B\n网页   b\n网x    b\n");
}

static void test_color(void)
{
	static const struct grid_column columns[] = {
		{ .name = "x", .right = true, .color = always_red },
		{ .name = "B" }
	};
	static const char *const cells[] = { "x1", "b", "y", "", NULL };

	draws(0, columns, 2, cells, " x  B\n\033[31mx1\033[0m  b\n y\n");
}

static void test_many(void)
{
	AUTO_GRID struct grid g = GRID_INIT;

	for (int i = 0; i < GRID_COLUMNS + 3; i++)
		grid_column(&g, &(struct grid_column){ .name = "C" });
	is_int(g.ncolumns, GRID_COLUMNS, "no more columns than there is room");
}

static void test_width(void)
{
	is_int(grid_width(""), 0, "nothing");
	is_int(grid_width("web"), 3, "ASCII");
	is_int(grid_width("网页"), 4, "two columns each");
	is_int(grid_width("e\xcc\x81"), 1, "an accent of its own takes none");
	is_int(grid_width("a\xff"), 2, "what is no character takes one");
}

int main(void)
{
	test_alignment();
	test_cut();
	test_color();
	test_many();
	test_width();
	return done();
}
