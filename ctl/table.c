/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From JSON to the cells of a table: which columns, what their texts are, in
 * which order the rows come.  How cells are laid out is ctl/grid's.
 */
#include "ctl/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "ctl/grid.h"
#include "ctl/print.h"

struct choice {
	const struct column *list[GRID_COLUMNS];
	size_t places[GRID_COLUMNS]; /* of their values, in rows with keys */
	size_t n;
};

/* Where the value of a key stands in a row that is an array. */
static size_t place_of(const json_t *keys, const char *key)
{
	size_t n = json_array_size(keys);
	size_t i = 0;

	while (i < n &&
		!str_eq(json_string_value(json_array_get(keys, i)), key))
		i++;
	return i;
}

struct row table_row(const json_t *values, const json_t *keys)
{
	return (struct row){ values, json_is_array(values) ? keys : NULL };
}

json_t *row_get(const struct row *row, const char *key)
{
	return row->keys ? json_array_get(row->values, place_of(row->keys, key))
			 : json_object_get(row->values, key);
}

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
		if (out->n < GRID_COLUMNS)
			out->list[out->n++] = column;
		c += len;
		c += *c == ',';
	}
	return out->n ? 0 : unknown_column(columns, asked, 0, err);
}

static int choose(
	const struct table *table, struct choice *out, struct err *err)
{
	const struct column *column = table->columns;

	out->n = 0;
	if (table->choice)
		return choose_asked(column, table->choice, out, err);
	for (; column->name; column++)
		if (!column->asked && (table->wide || !column->wide))
			out->list[out->n++] = column;
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
	else if (json_is_integer(value) && json_integer_value(value) >= 0)
		str_addu(out, (uint64_t)json_integer_value(value));
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

/* The text of a cell as it may be shown: safe, "-" for nothing. */
static void render_cell(const struct choice *choice, size_t at,
	const struct row *row, struct str *raw, struct str *out)
{
	const struct column *column = choice->list[at];

	str_cut(raw, 0);
	str_cut(out, 0);
	if (column->render)
		column->render(row, raw);
	else if (row->keys)
		render_value(column,
			json_array_get(row->values, choice->places[at]), raw);
	else
		render_value(
			column, json_object_get(row->values, column->key), raw);
	if (raw->len)
		str_add_visible(out, raw->data, raw->len);
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
	const json_t *keys;
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

static int compare_rows(
	const json_t *a, const json_t *b, const struct order *order)
{
	const struct row x = table_row(a, order->keys);
	const struct row y = table_row(b, order->keys);
	const char *key = order->column->key;
	int result;

	if (order->column->render) {
		AUTO_STR struct str s = STR_INIT;
		AUTO_STR struct str t = STR_INIT;

		order->column->render(&x, &s);
		order->column->render(&y, &t);
		result = strcmp(str_text(&s), str_text(&t));
	} else {
		result = compare_values(row_get(&x, key), row_get(&y, key));
	}
	return order->down ? -result : result;
}

/* A stable insertion sort: qsort_r differs between C libraries. */
static void sort_rows(json_t **rows, size_t n, const struct order *order)
{
	for (size_t i = 1; i < n; i++) {
		json_t *row = rows[i];
		size_t at = i;

		while (at > 0 && compare_rows(rows[at - 1], row, order) > 0) {
			rows[at] = rows[at - 1];
			at--;
		}
		rows[at] = row;
	}
}

/* The column of "NAME" or "-NAME". */
static const struct column *sort_column(
	const struct table *table, struct err *err)
{
	const char *name = table->sort + (*table->sort == '-');
	const struct column *column =
		find_column(table->columns, name, strlen(name));

	if (!column)
		unknown_column(table->columns, name, strlen(name), err);
	return column;
}

int table_sort(const struct table *table, struct err *err)
{
	size_t n = json_array_size(table->rows);
	AUTO_FREE json_t **list = NULL;
	struct order order = { .keys = table->keys };

	if (!table->sort)
		return 0;
	order.down = *table->sort == '-';
	order.column = sort_column(table, err);
	if (!order.column)
		return -1;
	list = xcalloc(n + 1, sizeof(*list));
	for (size_t i = 0; i < n; i++)
		list[i] = json_incref(json_array_get(table->rows, i));
	sort_rows(list, n, &order);
	for (size_t i = 0; i < n; i++)
		json_array_set_new(table->rows, i, list[i]);
	return 0;
}

/* ---- the table ---- */

static void add_key(json_t *keys, const char *key)
{
	if (key && place_of(keys, key) == json_array_size(keys))
		json_array_append_new(keys, json_string(key));
}

json_t *table_keys(const struct table *table, struct err *err)
{
	const struct column *sort = NULL;
	struct choice choice;
	json_t *keys;

	if (choose(table, &choice, err) < 0)
		return NULL;
	if (table->sort && !(sort = sort_column(table, err)))
		return NULL;
	if (sort && choice.n < GRID_COLUMNS)
		choice.list[choice.n++] = sort;
	keys = json_array();
	for (size_t i = 0; i < choice.n; i++) {
		add_key(keys, choice.list[i]->key);
		add_key(keys, choice.list[i]->also);
	}
	return keys;
}

/* How wide lines may be; 0: as wide as they are. */
static size_t room(const struct options *opt)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = { 0 };

	if (!opt->tty_out)
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	return columns ? (size_t)str_digits(columns) : 0;
}

static void add_columns(struct grid *grid, const struct choice *choice,
	const struct options *opt)
{
	bool color = print_has_color(opt, opt->tty_out);

	for (size_t i = 0; i < choice->n; i++) {
		const struct column *column = choice->list[i];
		bool is_state = column->type == COLUMN_STATE;

		grid_column(grid,
			&(struct grid_column){ .name = column->name,
				.right = is_right(column),
				.cut = column->type == COLUMN_NOTE,
				.color = color && is_state ? print_state_color
							   : NULL });
	}
}

int table_print(
	const struct options *opt, const struct table *table, struct err *err)
{
	AUTO_GRID struct grid grid = GRID_INIT;
	AUTO_STR struct str raw = STR_INIT;
	AUTO_STR struct str text = STR_INIT;
	struct choice choice;

	if (choose(table, &choice, err) < 0 || table_sort(table, err) < 0)
		return -1;
	for (size_t i = 0; i < choice.n; i++)
		if (choice.list[i]->key)
			choice.places[i] =
				place_of(table->keys, choice.list[i]->key);
	add_columns(&grid, &choice, opt);
	for (size_t i = 0; i < json_array_size(table->rows); i++) {
		const struct row row =
			table_row(json_array_get(table->rows, i), table->keys);

		for (size_t k = 0; k < choice.n; k++) {
			render_cell(&choice, k, &row, &raw, &text);
			grid_cell(&grid, str_text(&text));
		}
	}
	str_cut(&text, 0);
	grid_print(&grid, room(opt), &text);
	fwrite(str_text(&text), 1, text.len, stdout);
	return 0;
}

int table_show(
	const struct call *call, const struct table *table, const char *empty)
{
	struct table chosen = *table;
	struct err err = ERR_INIT;

	if (empty && json_array_size(table->rows) == 0) {
		if (!call->opt.quiet)
			puts(empty);
		return 0;
	}
	chosen.choice = call_value(call, "columns");
	if (table_print(&call->opt, &chosen, &err) < 0)
		return print_error(&call->opt, NULL, &err);
	return 0;
}
