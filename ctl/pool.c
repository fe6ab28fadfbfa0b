/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How pools look to people; see pool.h. */
#include "ctl/pool.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/image.h"
#include "ctl/print.h"
#include "ctl/table.h"

enum { LABEL = 10 };

static void add_percent(struct str *out, const json_t *row)
{
	const json_t *share = json_object_get(row, "overcommit");

	if (json_is_number(share))
		str_addf(out, "%.0f %%", json_number_value(share) * 100);
	else
		str_add(out, "-");
}

static void render_overcommit(const struct row *row, struct str *out)
{
	add_percent(out, row->values);
}

static void render_note(const struct row *row, struct str *out)
{
	str_add(out, str_or(print_member(row->values, "error"), ""));
}

static const struct column columns[] = {
	{ .name = "NAME", .key = "name" },
	{ .name = "CAPACITY", .key = "capacity", .type = COLUMN_BYTES },
	{ .name = "ALLOCATED", .key = "allocated", .type = COLUMN_BYTES },
	{ .name = "AVAILABLE", .key = "available", .type = COLUMN_BYTES },
	{ .name = "VIRTUAL", .key = "virtual", .type = COLUMN_BYTES },
	{ .name = "OVERCOMMIT",
		.key = "overcommit",
		.type = COLUMN_CUSTOM,
		.render = render_overcommit },
	{ .name = "VOLUMES", .key = "volumes", .type = COLUMN_NUMBER },
	{ .name = "QUOTA",
		.key = "quota",
		.type = COLUMN_BYTES,
		.asked = true },
	{ .name = "FORMAT", .key = "format", .asked = true },
	{ .name = "PREALLOC", .key = "prealloc", .asked = true },
	{ .name = "PATH", .key = "path" },
	{ .name = "NOTE",
		.key = "error",
		.type = COLUMN_NOTE,
		.render = render_note },
	{ .name = NULL },
};

int pool_show_list(const struct call *call, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	return table_show(call,
		&(struct table){ .columns = columns,
			.rows = json_object_get(value, "pools") },
		NULL);
}

/* ---- one pool ---- */

static void put_size(const char *label, const json_t *value, const char *key)
{
	const json_t *bytes = json_object_get(value, key);
	AUTO_STR struct str text = STR_INIT;

	if (!json_is_integer(bytes))
		return;
	str_add_bytes(&text, (uint64_t)json_integer_value(bytes));
	if (str_eq(key, "virtual")) {
		str_add(&text, ", ");
		add_percent(&text, value);
		str_add(&text, " of the capacity");
	}
	print_labelled(LABEL, label, str_text(&text));
}

int pool_show_info(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	print_labelled(LABEL, "Pool", str_or(print_member(value, "name"), "?"));
	print_labelled(LABEL, "Path", str_or(print_member(value, "path"), ""));
	print_labelled(
		LABEL, "Config", str_or(print_member(value, "file"), ""));
	print_labelled(
		LABEL, "Format", str_or(print_member(value, "format"), ""));
	print_labelled(
		LABEL, "Prealloc", str_or(print_member(value, "prealloc"), ""));
	put_size("Quota", value, "quota");
	put_size("Capacity", value, "capacity");
	put_size("Available", value, "available");
	put_size("Allocated", value, "allocated");
	put_size("Virtual", value, "virtual");
	print_labelled(
		LABEL, "Error", str_or(print_member(value, "error"), ""));
	if (json_array_size(json_object_get(value, "images")) == 0)
		return 0;
	putchar('\n');
	return image_show_list(call, vm, value, many);
}
