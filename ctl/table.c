/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables by libsmartcols.  Its width arithmetic needs a locale as soon as a
 * cell has characters outside ASCII; only then one is loaded (C.UTF-8 when
 * the user's is not UTF-8), because that costs more than all the rest.
 */
#include "ctl/table.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libsmartcols.h>

#include "base/mem.h"
#include "ctl/print.h"

#define MAX_COLUMNS 32

struct choice {
	const struct column *list[MAX_COLUMNS];
	size_t n;
};

static const struct column *find_column(
	const struct column *columns, const char *name, size_t len)
{
	for (; columns->name; columns++)
		if (strlen(columns->name) == len &&
			!strncasecmp(columns->name, name, len))
			return columns;
	return NULL;
}

static int unknown_column(const struct column *columns, const char *name,
	size_t len, struct err *err)
{
	AUTO_STR struct str names = STR_INIT;

	for (const struct column *c = columns; c->name; c++)
		str_addf(&names, "%s%s", names.len ? "," : "", c->name);
	return err_set(err, ERR_USAGE, "unknown column '%.*s'; there are %s",
		(int)len, name, str_text(&names));
}

/* "NAME,STATE" into columns. */
static int choose_asked(const struct column *columns, const char *asked,
	struct choice *out, struct err *err)
{
	for (const char *c = asked; *c;) {
		size_t len = strcspn(c, ",");
		const struct column *column = find_column(columns, c, len);

		if (!column)
			return unknown_column(columns, c, len, err);
		if (out->n < MAX_COLUMNS)
			out->list[out->n++] = column;
		c += len;
		c += *c == ',';
	}
	return 0;
}

static int choose(const struct column *columns, const char *asked, bool wide,
	struct choice *out, struct err *err)
{
	out->n = 0;
	if (asked)
		return choose_asked(columns, asked, out, err);
	for (; columns->name; columns++)
		if (!columns->asked && (wide || !columns->wide))
			out->list[out->n++] = columns;
	return 0;
}

/* ---- cells ---- */

static void render_list(const json_t *value, struct str *out)
{
	size_t i;
	json_t *item;

	json_array_foreach(value, i, item)
	{
		const char *text = json_string_value(item);

		if (text)
			str_addf(out, "%s%s", i ? "," : "", text);
	}
}

static void render_value(
	const struct column *column, const json_t *value, struct str *out)
{
	if (json_is_integer(value) && column->type == COLUMN_BYTES)
		str_add_bytes(out, (uint64_t)json_integer_value(value));
	else if (json_is_number(value) && column->type == COLUMN_SECONDS)
		str_add_duration(
			out, (int64_t)(json_number_value(value) * 1000.0));
	else if (json_is_integer(value))
		str_addf(out, "%" JSON_INTEGER_FORMAT,
			json_integer_value(value));
	else if (json_is_real(value))
		str_addf(out, "%g", json_real_value(value));
	else if (json_is_boolean(value))
		str_add(out, json_is_true(value) ? "yes" : "no");
	else if (json_is_string(value))
		str_add(out, json_string_value(value));
	else if (json_is_array(value))
		render_list(value, out);
}

static void render(
	const struct column *column, const json_t *row, struct str *out)
{
	AUTO_STR struct str text = STR_INIT;

	if (column->render)
		column->render(row, &text);
	else
		render_value(column, json_object_get(row, column->key), &text);
	if (text.len)
		str_add_visible(out, text.data, text.len);
	else if (!column->render && column->type != COLUMN_NOTE)
		str_add(out, "-");
}

static bool is_right(const struct column *column)
{
	return column->type == COLUMN_NUMBER || column->type == COLUMN_BYTES;
}

/* ---- order ---- */

struct order {
	const struct column *column;
	bool down;
};

static int compare_values(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b)) {
		double x = json_number_value(a);
		double y = json_number_value(b);

		return x < y ? -1 : x > y;
	}
	if (json_is_boolean(a) && json_is_boolean(b))
		return json_is_true(a) - json_is_true(b);
	if (json_is_string(a) && json_is_string(b))
		return strcmp(json_string_value(a), json_string_value(b));
	/* what has no value comes last */
	return (json_is_null(a) || !a) - (json_is_null(b) || !b);
}

static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct order *order = arg;
	const json_t *x = *(json_t *const *)a;
	const json_t *y = *(json_t *const *)b;
	const char *key = order->column->key;
	int result;

	if (order->column->render) {
		AUTO_STR struct str s = STR_INIT;
		AUTO_STR struct str t = STR_INIT;

		order->column->render(x, &s);
		order->column->render(y, &t);
		result = strcmp(str_text(&s), str_text(&t));
	} else {
		result = compare_values(
			json_object_get(x, key), json_object_get(y, key));
	}
	return order->down ? -result : result;
}

/* A stable insertion sort: qsort_r differs between C libraries. */
static void sort_rows(json_t **rows, size_t n, struct order *order)
{
	for (size_t i = 1; i < n; i++) {
		json_t *row = rows[i];
		size_t at = i;

		while (at > 0 && compare_rows(&rows[at - 1], &row, order) > 0) {
			rows[at] = rows[at - 1];
			at--;
		}
		rows[at] = row;
	}
}

int table_sort(const struct column *columns, json_t *rows, const char *sort,
	struct err *err)
{
	size_t n = json_array_size(rows);
	AUTO_FREE json_t **list = NULL;
	struct order order;

	if (!sort)
		return 0;
	order.down = *sort == '-';
	sort += order.down;
	order.column = find_column(columns, sort, strlen(sort));
	if (!order.column)
		return unknown_column(columns, sort, strlen(sort), err);
	list = xcalloc(n + 1, sizeof(*list));
	for (size_t i = 0; i < n; i++)
		list[i] = json_incref(json_array_get(rows, i));
	sort_rows(list, n, &order);
	for (size_t i = 0; i < n; i++)
		json_array_set_new(rows, i, list[i]);
	return 0;
}

/* ---- the table ---- */

/* Widths of characters outside ASCII need a UTF-8 locale. */
static void load_locale(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8"))
		setlocale(LC_CTYPE, "C.UTF-8");
}

static void fill_line(struct libscols_line *line, const struct choice *choice,
	const json_t *row, bool color)
{
	for (size_t i = 0; i < choice->n; i++) {
		const struct column *column = choice->list[i];
		AUTO_STR struct str text = STR_INIT;

		render(column, row, &text);
		if (print_needs_locale(str_text(&text)))
			load_locale();
		scols_line_set_data(line, i, str_text(&text));
		if (color && column->type == COLUMN_STATE &&
			print_state_color(str_text(&text)))
			scols_cell_set_color(scols_line_get_cell(line, i),
				print_state_color(str_text(&text)));
	}
}

static struct libscols_table *new_table(const struct choice *choice, bool color)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		return NULL;
	scols_table_set_column_separator(table, "  ");
	scols_table_enable_colors(table, color);
	for (size_t i = 0; i < choice->n; i++) {
		const struct column *column = choice->list[i];
		int flags = 0;

		if (is_right(column))
			flags |= SCOLS_FL_RIGHT;
		if (column->type == COLUMN_NOTE)
			flags |= SCOLS_FL_TRUNC;
		scols_table_new_column(table, column->name, 0, flags);
	}
	return table;
}

/* Prints a text without the blanks at the ends of its lines. */
static void put_trimmed(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		size_t used = len;

		while (used > 0 && text[used - 1] == ' ')
			used--;
		fwrite(text, 1, used, stdout);
		putchar('\n');
		text += len;
		text += *text == '\n';
	}
}

int table_print(const struct options *opt, const struct column *columns,
	json_t *rows, const char *asked, bool wide, const char *sort,
	struct err *err)
{
	bool color = print_has_color(opt, opt->tty_out);
	struct choice choice;
	struct libscols_table *table;
	AUTO_FREE char *text = NULL;
	size_t i;
	json_t *row;

	if (choose(columns, asked, wide, &choice, err) < 0 ||
		table_sort(columns, rows, sort, err) < 0)
		return -1;
	table = new_table(&choice, color);
	if (!table)
		return err_set(err, ERR_LIMIT, "no memory for the table");
	json_array_foreach(rows, i, row) fill_line(
		scols_table_new_line(table, NULL), &choice, row, color);
	scols_print_table_to_string(table, &text);
	if (text)
		put_trimmed(text);
	scols_unref_table(table);
	return 0;
}
