/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How snapshots look to people; see snapshot.h. */
#include "ctl/snapshot.h"

#include <stdio.h>

#include "base/mem.h"
#include "ctl/print.h"
#include "ctl/table.h"

enum { LABEL = 12, DEEPEST = 64 };

/* ---- the tree ---- */

static void render_name(const struct row *row, struct str *out)
{
	json_int_t depth = json_integer_value(row_get(row, "depth"));

	for (json_int_t i = 0; i < depth; i++)
		str_add(out, "  ");
	str_add(out, str_or(json_string_value(row_get(row, "name")), "?"));
	if (json_is_true(row_get(row, "current")))
		str_add(out, " *");
}

static void render_group(const struct row *row, struct str *out)
{
	const json_t *vms = json_object_get(row_get(row, "group"), "vms");
	const json_t *vm;
	size_t i;

	json_array_foreach(vms, i, vm)
		str_addf(out, "%s%s", i ? "," : "", json_string_value(vm));
}

static const struct column columns[] = {
	{ .name = "NAME",
		.key = "name",
		.type = COLUMN_CUSTOM,
		.render = render_name },
	{ .name = "TIME", .key = "time" },
	{ .name = "MEMORY", .key = "memory", .type = COLUMN_YESNO },
	{ .name = "SIZE", .key = "memory-size", .type = COLUMN_BYTES },
	{ .name = "DISKS", .key = "disks", .type = COLUMN_LIST },
	{ .name = "GROUP",
		.key = "group",
		.type = COLUMN_CUSTOM,
		.render = render_group },
	{ .name = "NVRAM", .key = "nvram", .asked = true },
	{ .name = "TPM", .key = "tpm", .type = COLUMN_YESNO, .asked = true },
	{ .name = "SCHEDULED",
		.key = "scheduled",
		.type = COLUMN_YESNO,
		.asked = true },
	{ .name = "PARENT", .key = "parent", .asked = true },
	{ .name = "DESCRIPTION", .key = "description" },
	{ .name = NULL },
};

static bool is_child(const json_t *row, const char *parent)
{
	return str_eq(str_or(print_member(row, "parent"), ""), parent);
}

/* Those below one come right after it; names are never "". */
static void add_below(
	json_t *sorted, const json_t *rows, const char *parent, int depth)
{
	json_t *row;
	size_t i;

	if (depth > DEEPEST) /* of a tree that somebody else wrote */
		return;
	json_array_foreach(rows, i, row)
	{
		if (!is_child(row, parent))
			continue;
		json_object_set_new(row, "depth", json_integer(depth));
		json_array_append(sorted, row);
		add_below(sorted, rows, print_member(row, "name"), depth + 1);
	}
}

int snapshot_show_list(const struct call *call, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	json_t *sorted = json_array();
	int status;

	add_below(sorted, json_object_get(value, "snapshots"), "", 0);
	status = table_show(call,
		&(struct table){ .columns = columns, .rows = sorted },
		"no snapshots");
	json_decref(sorted);
	return status;
}

/* ---- one of them ---- */

static void show_group(const json_t *group)
{
	double us = json_number_value(json_object_get(group, "skew-us"));
	AUTO_STR struct str text = STR_INIT;
	const json_t *vm;
	size_t i;

	json_array_foreach(json_object_get(group, "vms"), i, vm)
		str_addf(&text, "%s%s", i ? ", " : "", json_string_value(vm));
	str_addf(&text, "; they stopped within %.3f ms", us / 1000);
	print_labelled(LABEL, "Group", str_text(&text));
}

int snapshot_show_one(const struct call *call UNUSED, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	static const char *const lines[][2] = { { "Snapshot", "name" },
		{ "Description", "description" }, { "Time", "time" },
		{ "Parent", "parent" }, { "Tag", "tag" } };
	const char *config = print_member(value, "config");
	const json_t *group = json_object_get(value, "group");
	const json_t *disk;
	size_t i;

	for (i = 0; i < NELEMS(lines); i++)
		print_labelled(LABEL, lines[i][0],
			str_or(print_member(value, lines[i][1]), ""));
	json_array_foreach(json_object_get(value, "disks"), i, disk)
	{
		AUTO_FREE char *text = xasprintf("%s, %s",
			print_member(disk, "disk"), print_member(disk, "path"));

		print_labelled(LABEL, "Disk", text);
	}
	if (json_is_string(json_object_get(value, "nvram")))
		print_labelled(
			LABEL, "Variables", print_member(value, "nvram"));
	if (json_is_true(json_object_get(value, "tpm")))
		print_labelled(LABEL, "TPM", "yes");
	if (group)
		show_group(group);
	json_array_foreach(json_object_get(value, "mounts"), i, disk)
		print_labelled(LABEL, "Mounted",
			str_or(print_member(disk, "uri"), ""));
	if (config)
		printf("\n%s", config);
	return 0;
}

int snapshot_show_mounts(const struct call *call UNUSED, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	const json_t *each;
	size_t i;

	json_array_foreach(json_object_get(value, "actions"), i, each)
		puts(str_or(json_string_value(each), "?"));
	json_array_foreach(json_object_get(value, "mounts"), i, each)
		printf("%s\t%s\n", str_or(print_member(each, "disk"), "?"),
			str_or(print_member(each, "uri"), "?"));
	return 0;
}

/* ---- questions ---- */

void snapshot_add_question(
	const struct call *call, const char *vm, struct str *question)
{
	const json_t *names = json_object_get(call->wire, "snapshots");
	const char *name = print_member(call->wire, "snapshot");

	if (str_eq(call->verb->name, "snapshot revert")) {
		str_addf(question, "revert %s%s to ", vm,
			call_has(call, "group") ? " and all VMs of the group"
						: "");
		if (name)
			str_addf(question, "snapshot '%s'", name);
		else
			str_addf(question, "its %s snapshot",
				call_has(call, "latest") ? "latest"
							 : "current");
		str_add(question, ": what was written since is lost?");
	} else if (str_eq(call->verb->name, "snapshot delete")) {
		str_addf(question, "delete of %s", vm);
		for (size_t i = 0; i < json_array_size(names); i++)
			str_addf(question, "%s snapshot '%s'", i ? "," : "",
				json_string_value(json_array_get(names, i)));
		if (call_has(call, "group"))
			str_add(question, " and of all VMs of its group");
		str_add(question, "?");
	}
}
