/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks look at filled structs; people look at lines.  This finds the line
 * of what a check complains about.
 */
#include "supervisor/remark.h"

#include "base/mem.h"

void remark(const struct remarks *to, enum finding_level level,
	const char *section, const char *key, const char *fmt, ...)
{
	const struct ini_entry *entry = NULL;
	va_list ap;

	if (section && key)
		entry = ini_find(to->ini, section, key);
	if (section && !entry)
		entry = ini_find(to->ini, section, NULL);
	va_start(ap, fmt);
	AUTO_FREE char *text = xvasprintf(fmt, ap);
	va_end(ap);
	AUTO_STR struct str all = STR_INIT;
	if (section)
		str_addf(&all, "[%s] ", section);
	if (section && key)
		str_addf(&all, "%s: ", key);
	str_add(&all, text);
	findings_add(to->f, level, entry ? entry->file : to->shown,
		entry ? entry->line : 0, "%s", str_text(&all));
}

/* True if an error is about the line of the entry. */
static bool is_blamed(const struct findings *f, const struct ini_entry *entry)
{
	list_each(&f->list, it, next) {
		struct finding *found = list_entry(it, struct finding, link);
		if (found->level == FINDING_ERROR &&
			found->line == entry->line &&
			str_eq(found->file, entry->file))
			return true;
	}
	return false;
}

bool remark_is_sound(const struct remarks *to, const char *section)
{
	if (to->f->errors == 0)
		return true;
	list_each(&to->ini->entries, it, next) {
		struct ini_entry *entry =
			list_entry(it, struct ini_entry, link);
		if (str_eq(entry->section, section) && is_blamed(to->f, entry))
			return false;
	}
	return true;
}
