/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of [backup]. */
#include "supervisor/calendar.h"
#include "supervisor/spec_table.h"

static const char *const mode_names[] = { "incremental", "full", NULL };
const char *const spec_freeze_names[] = { "no", "if-agent", "yes", NULL };

/* One key a row. */
/* clang-format off */
#define AT(member) .offset = offsetof(struct spec_backup, member)
const struct key spec_backup_keys[] = {
	{ "target", KEY_PATH, AT(target), .when = KEY_POLICY,
		.help = "The directory of backups; each VM has its own in "
			"there." },
	{ "schedule", KEY_CUSTOM, AT(schedule), .fallback = "",
		.when = KEY_POLICY, .parse = calendar_parse,
		.form = CALENDAR_FORM,
		.help = "When one is made, in local time; one that was missed "
			"is made once, later." },
	{ "keep", KEY_CUSTOM, AT(keep), .fallback = "",
		.when = KEY_POLICY, .parse = calendar_parse_keep, .list = true,
		.form = CALENDAR_KEEP_FORM,
		.help = "Scheduled ones that no rule keeps are removed; all "
			"stay without one." },
	{ "mode", KEY_CHOICE, AT(mode), .fallback = "incremental",
		.when = KEY_POLICY, .choices = mode_names,
		.help = "incremental: what was written since the last one, "
			"where QEMU knows that; each 15th is full." },
	{ "rate", KEY_SIZE, AT(rate), .when = KEY_POLICY,
		.help = "At most so many bytes a second of each disk." },
	{ "freeze", KEY_CHOICE, AT(freeze), .fallback = "if-agent",
		.when = KEY_POLICY, .choices = spec_freeze_names,
		.help = "Whether the guest's file systems stand still at the "
			"instant, by its agent." },
	KEYS_END,
};
/* clang-format on */
