/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How backups look to people; see backup.h. */
#include "ctl/backup.h"

#include <stdio.h>

#include "base/mem.h"
#include "ctl/print.h"
#include "ctl/table.h"

static const struct column columns[] = {
	{ .name = "ID", .key = "id" },
	{ .name = "TIME", .key = "time" },
	{ .name = "KIND", .key = "kind" },
	{ .name = "ON", .key = "parent" },
	{ .name = "SIZE", .key = "size", .type = COLUMN_BYTES },
	{ .name = "FROZEN", .key = "frozen", .type = COLUMN_YESNO },
	{ .name = "SCHEDULED", .key = "scheduled", .type = COLUMN_YESNO },
	{ .name = "NOTE", .key = "note", .type = COLUMN_NOTE },
	{ .name = NULL },
};

int backup_show_list(const struct call *call, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	return table_show(call,
		&(struct table){ .columns = columns,
			.rows = json_object_get(value, "backups") },
		"no backups");
}

void backup_add_question(
	const struct call *call, const json_t *names, struct str *question)
{
	const char *name = json_string_value(json_array_get(names, 0));

	if (str_eq(call->verb->name, "backup restore"))
		str_addf(question, "overwrite the disks of %s?",
			str_or(name, "it"));
}
