/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How images look to people; see image.h. */
#include "ctl/image.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/print.h"
#include "ctl/table.h"

enum { LABEL = 9, DEEPEST = 32 };

/* A base of the same directory by its name. */
static void render_backing(const struct row *row, struct str *out)
{
	const char *path = print_member(row->values, "path");
	const char *backing = print_member(row->values, "backing");
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (backing && slash && str_starts(backing, path) == false &&
		!strncmp(backing, path, (size_t)(slash - path) + 1) &&
		!strchr(backing + (slash - path) + 1, '/'))
		backing += slash - path + 1;
	str_add(out, backing ? backing : "-");
}

static void render_users(const struct row *row, struct str *out)
{
	const json_t *users = json_object_get(row->values, "users");
	size_t i;
	json_t *user;

	json_array_foreach(users, i, user)
		str_addf(out, "%s%s", i ? ", " : "", json_string_value(user));
}

static const struct column columns[] = {
	{ .name = "NAME", .key = "shown" },
	{ .name = "POOL", .key = "pool", .wide = true },
	{ .name = "FORMAT", .key = "format" },
	{ .name = "SIZE", .key = "size", .type = COLUMN_BYTES },
	{ .name = "ALLOCATED", .key = "allocated", .type = COLUMN_BYTES },
	{ .name = "BASE", .key = "backing", .render = render_backing },
	{ .name = "PATH", .key = "path", .asked = true },
	{ .name = "USERS",
		.key = "users",
		.type = COLUMN_NOTE,
		.render = render_users },
	{ .name = NULL },
};

/* ---- the tree ---- */

static bool is_path_of(const json_t *images, const json_t *path)
{
	size_t i;
	json_t *image;

	json_array_foreach(
		images, i, image) if (json_equal(json_object_get(image, "path"),
					      path)) return true;
	return false;
}

static void add_row(json_t *rows, json_t *image, unsigned depth)
{
	const char *name = print_member(image, "name");

	json_object_set_new(image, "shown",
		json_sprintf("%*s%s%s", depth > 1 ? (int)(depth - 1) * 3 : 0,
			"", depth ? "`- " : "", name ? name : "?"));
	json_array_append(rows, image);
}

/* The overlays of base (a path), below it; a loop ends somewhere. */
static void add_overlays(
	json_t *rows, json_t *images, const json_t *base, unsigned depth)
{
	size_t i;
	json_t *image;

	json_array_foreach(images, i, image)
	{
		if (depth > DEEPEST || json_object_get(image, "shown") ||
			!json_equal(json_object_get(image, "backing"), base))
			continue;
		add_row(rows, image, depth);
		add_overlays(rows, images, json_object_get(image, "path"),
			depth + 1);
	}
}

static json_t *tree_of(json_t *images)
{
	json_t *rows = json_array();
	size_t i;
	json_t *image;

	json_array_foreach(images, i,
		image) if (!is_path_of(images,
				   json_object_get(image, "backing")))
	{
		add_row(rows, image, 0);
		add_overlays(rows, images, json_object_get(image, "path"), 1);
	}
	json_array_foreach(
		images, i, image) if (!json_object_get(image, "shown"))
		add_row(rows, image, 0); /* bases of each other */
	return rows;
}

/* One that is not in the default pool. */
static bool has_pools(const json_t *rows)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		const char *pool = print_member(row, "pool");

		if (pool && !str_eq(pool, "default"))
			return true;
	}
	return false;
}

int image_show_list(const struct call *call, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	json_t *images = json_object_get(value, "images");
	json_t *rows = NULL;
	size_t i;
	json_t *image;
	int status;

	if (call_has(call, "tree")) {
		rows = tree_of(images);
	} else {
		rows = json_array();
		json_array_foreach(images, i, image) add_row(rows, image, 0);
	}
	status = table_show(call,
		&(struct table){ .columns = columns,
			.rows = rows,
			.wide = has_pools(rows) },
		"no images; \"vmward image create NAME SIZE\" makes one");
	json_decref(rows);
	return status;
}

static void render_mistake(const struct row *row, struct str *out)
{
	str_add(out,
		str_or(print_member(row->values, "error"),
			str_or(print_member(row->values, "description"), "")));
}

static const struct column catalogue_columns[] = {
	{ .name = "NAME", .key = "name" },
	{ .name = "FORMAT", .key = "format" },
	{ .name = "CACHED", .key = "cached", .type = COLUMN_YESNO },
	{ .name = "SHA256", .key = "sha256", .asked = true },
	{ .name = "URL", .key = "url" },
	{ .name = "NOTE",
		.key = "description",
		.type = COLUMN_NOTE,
		.render = render_mistake,
		.also = "error" },
	{ .name = NULL },
};

int image_show_catalogue(const struct call *call, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	return table_show(call,
		&(struct table){ .columns = catalogue_columns,
			.rows = json_object_get(value, "images") },
		"no catalogue.ini; \"vmward image pull URL --sha256 HEX\" "
		"needs none");
}

/* ---- one image ---- */

static void add_size(struct str *text, const json_t *value, const char *key)
{
	str_add_bytes(text,
		(uint64_t)json_integer_value(json_object_get(value, key)));
}

static void put_format(const json_t *value)
{
	AUTO_STR struct str text = STR_INIT;
	const char *compression = print_member(value, "compression");

	str_add(&text, str_or(print_member(value, "format"), "?"));
	if (json_is_integer(json_object_get(value, "cluster-size"))) {
		str_add(&text, ", clusters of ");
		add_size(&text, value, "cluster-size");
	}
	if (compression)
		str_addf(&text, ", %s", compression);
	if (json_is_true(json_object_get(value, "extended-l2")))
		str_add(&text, ", subclusters");
	if (json_is_true(json_object_get(value, "encrypted")))
		str_add(&text, ", encrypted");
	print_labelled(LABEL, "Format", str_text(&text));
}

static bool show_dry_run(const json_t *value)
{
	const json_t *actions = json_object_get(value, "actions");

	if (!actions)
		return false;
	print_text(json_string_value(json_array_get(actions, 0)));
	putchar('\n');
	return true;
}

int image_show_info(const struct call *call, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	AUTO_STR struct str size = STR_INIT;
	AUTO_STR struct str names = STR_INIT;
	size_t i;
	json_t *name;

	if (show_dry_run(value))
		return 0;
	(void)call;
	print_labelled(
		LABEL, "Image", str_or(print_member(value, "name"), "?"));
	print_labelled(LABEL, "Path", str_or(print_member(value, "path"), ""));
	put_format(value);
	add_size(&size, value, "size");
	str_add(&size, ", allocated ");
	add_size(&size, value, "allocated");
	print_labelled(LABEL, "Size", str_text(&size));
	print_labelled(
		LABEL, "Base", str_or(print_member(value, "backing"), ""));
	json_array_foreach(json_object_get(value, "snapshots"), i, name)
		str_addf(&names, "%s%s", i ? ", " : "",
			str_or(json_string_value(name), "?"));
	print_labelled(LABEL, "Snapshots", str_text(&names));
	if (json_is_true(json_object_get(value, "corrupt")))
		print_labelled(LABEL, "Corrupt",
			"yes: vmward image check --repair all");
	else if (json_is_true(json_object_get(value, "dirty")))
		print_labelled(
			LABEL, "Dirty", "yes: it was not closed, or is in use");
	return 0;
}

/* ---- check ---- */

int image_verdict_status(const struct call *call UNUSED, const json_t *value)
{
	const char *verdict = print_member(value, "verdict");

	return verdict &&
	       (str_eq(verdict, "leaks") || str_eq(verdict, "corrupt"));
}

static void add_count(struct str *text, const json_t *value, const char *key,
	const char *what)
{
	json_int_t n = json_integer_value(json_object_get(value, key));

	if (n > 0)
		str_addf(text, ", %lld %s%s", (long long)n, what,
			n == 1 ? "" : "s");
}

int image_show_verdict(const struct call *call, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	AUTO_STR struct str text = STR_INIT;

	str_addf(&text, "%s: %s", str_or(print_member(value, "name"), "?"),
		str_or(print_member(value, "verdict"), "?"));
	add_count(&text, value, "leaks", "leaked cluster");
	add_count(&text, value, "corruptions", "corruption");
	add_count(&text, value, "leaks-fixed", "corrected leak");
	add_count(&text, value, "corruptions-fixed", "corrected corruption");
	print_text(str_text(&text));
	putchar('\n');
	return image_verdict_status(call, value);
}

/* ---- compare ---- */

int image_same_status(const struct call *call UNUSED, const json_t *value)
{
	return json_is_false(json_object_get(value, "same")) ? 8 : 0;
}

int image_show_same(const struct call *call, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	const json_t *at = json_object_get(value, "differs-at");

	if (show_dry_run(value))
		return 0;
	if (!image_same_status(call, value))
		puts(json_is_true(json_object_get(value, "sizes-differ"))
				? "they read the same; where one ends the "
				  "other has zeros"
				: "they read the same");
	else if (json_is_integer(at))
		printf("they differ, at byte %lld first\n",
			(long long)json_integer_value(at));
	else
		puts("they differ in size");
	return image_same_status(call, value);
}

/* ---- map ---- */

static void render_what(const struct row *row, struct str *out)
{
	str_add(out, json_is_true(row_get(row, "data"))   ? "data"
		     : json_is_true(row_get(row, "zero")) ? "zero"
							  : "hole");
}

static const struct column map_columns[] = {
	{ .name = "START", .key = "start", .type = COLUMN_NUMBER },
	{ .name = "LENGTH", .key = "length", .type = COLUMN_NUMBER },
	{ .name = "DEPTH", .key = "depth", .type = COLUMN_NUMBER },
	{ .name = "WHAT", .key = "data", .render = render_what },
	{ .name = "OFFSET", .key = "offset", .type = COLUMN_NUMBER },
	{ .name = NULL },
};

static void put_totals(const json_t *value)
{
	AUTO_STR struct str text = STR_INIT;
	json_int_t count = json_integer_value(json_object_get(value, "count"));
	size_t shown = json_array_size(json_object_get(value, "extents"));

	add_size(&text, value, "data");
	str_add(&text, " of data, ");
	add_size(&text, value, "zero");
	str_add(&text, " of zeros");
	if (json_integer_value(json_object_get(value, "below"))) {
		str_add(&text, "; ");
		add_size(&text, value, "below");
		str_add(&text, " in images below");
	}
	if ((size_t)count > shown)
		str_addf(&text, "; %zu of %lld parts are shown", shown,
			(long long)count);
	print_text(str_text(&text));
	putchar('\n');
}

int image_show_map(const struct call *call, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	if (show_dry_run(value))
		return 0;
	put_totals(value);
	return table_show(call,
		&(struct table){ .columns = map_columns,
			.rows = json_object_get(value, "extents") },
		NULL);
}

/* ---- questions ---- */

void image_add_question(const struct call *call, struct str *question)
{
	const char *name =
		json_string_value(json_object_get(call->wire, "image"));

	if (str_eq(call->verb->name, "image delete"))
		str_addf(question, "delete image '%s'?", name);
	else if (str_eq(call->verb->name, "image commit"))
		str_addf(question,
			"write image '%s' into its base, which changes?", name);
	else if (str_eq(call->verb->name, "image rebase") &&
		 call_has(call, "unsafe"))
		str_addf(question,
			"change the base of image '%s' without a look at what "
			"it has?",
			name);
	else if (str_eq(call->verb->name, "image resize") &&
		 call_has(call, "shrink"))
		str_addf(question,
			"cut off the end of image '%s', with what is in it?",
			name);
}
