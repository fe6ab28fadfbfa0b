/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of [snapshot]. */
#include "supervisor/calendar.h"
#include "supervisor/spec_table.h"

/* One key a row. */
/* clang-format off */
#define AT(member) .offset = offsetof(struct spec_snapshot, member)
const struct key spec_snapshot_keys[] = {
	{ "schedule", KEY_CUSTOM, AT(schedule), .fallback = "",
		.when = KEY_POLICY, .parse = calendar_parse,
		.form = CALENDAR_FORM,
		.help = "When one is made, in local time, whether the VM runs "
			"or not; one that was missed is made once, later." },
	{ "keep", KEY_CUSTOM, AT(keep), .fallback = "",
		.when = KEY_POLICY, .parse = calendar_parse_keep, .list = true,
		.form = CALENDAR_KEEP_FORM,
		.help = "Scheduled ones that no rule keeps are deleted; all "
			"stay without one." },
	{ "memory", KEY_BOOL, AT(memory), .fallback = "no",
		.when = KEY_POLICY,
		.help = "Scheduled ones have the memory of a VM that runs, "
			"which stands still until that is written." },
	{ "freeze", KEY_CHOICE, AT(freeze), .fallback = "if-agent",
		.when = KEY_POLICY, .choices = spec_freeze_names,
		.help = "Whether the guest's file systems are at rest in a "
			"scheduled one without memory, by its agent." },
	KEYS_END,
};
/* clang-format on */
