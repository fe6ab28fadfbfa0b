/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A merged configuration as a file that says the same: tables' order, paths
 * made absolute, quotes where they are needed, nothing that is default.
 */
#include "supervisor/show.h"

#include "base/ini.h"
#include "base/mem.h"

/* Paths keep their place when the text moves to another directory. */
static char *portable(const struct key *key, const struct ini_entry *entry)
{
	struct err ignored = ERR_INIT;
	AUTO_STR struct str dir = STR_INIT;

	if (!key || (key->type != KEY_PATH && key->type != KEY_FILE))
		return xstrdup(entry->value);
	for (const char *at = entry->dir; *at; at++) {
		str_addc(&dir, *at);
		if (*at == '%')
			str_addc(&dir, '%');
	}
	if (entry->value[0] == '~')
		return xstrdup(entry->value);
	return key_absolute(key, entry->value, str_text(&dir), NULL, &ignored);
}

static void add_origin(
	const struct show *show, const struct ini_entry *entry, struct str *out)
{
	if (!show->origin)
		return;
	if (entry)
		str_addf(out, "  ; %s:%u", entry->file, entry->line);
	else
		str_add(out, "  ; derived");
}

/* One line, unless the entry means 'back to the default'. */
static void add_key(const struct show *show, const char *section,
	const struct key *key, const char *name, struct str *out)
{
	const struct ini_entry *entry = ini_find(show->ini, section, name);
	struct err ignored = ERR_INIT;

	if (!entry || !entry->value[0])
		return;
	AUTO_FREE char *value = portable(key, entry);
	AUTO_STR struct str quoted = STR_INIT;
	if (!value || ini_add_quoted(&quoted, value, &ignored) < 0)
		return;
	str_addf(out, "%s = %s", name, str_text(&quoted));
	add_origin(show, entry, out);
	str_addc(out, '\n');
}

/* The uuid a VM has without having written it. */
static void add_uuid(const struct show *show, struct str *out)
{
	const struct ini_entry *entry = ini_find(show->ini, "vm", "uuid");

	if (entry && entry->value[0])
		return;
	str_addf(out, "uuid = %s", show->uuid);
	add_origin(show, NULL, out);
	str_addc(out, '\n');
}

/* True for the first entry of its key in the list. */
static bool is_first(const struct ini *ini, const struct ini_entry *entry)
{
	list_each(&ini->entries, it, next) {
		struct ini_entry *other =
			list_entry(it, struct ini_entry, link);
		if (other == entry)
			return true;
		if (str_eq(other->section, entry->section) &&
			(!other->key) == (!entry->key) &&
			(!other->key || str_eq(other->key, entry->key)))
			return false;
	}
	return false;
}

/* Keys without a row: enabled, x-*, arg-N. */
static void add_other_keys(const struct show *show, const struct section *table,
	const char *name, struct str *out)
{
	list_each(&show->ini->entries, it, next) {
		struct ini_entry *entry =
			list_entry(it, struct ini_entry, link);
		if (!entry->key || !str_eq(entry->section, name) ||
			!is_first(show->ini, entry))
			continue;
		bool listed = false;
		keys_each(table, key)
			listed |= str_eq(key->name, entry->key);
		if (!listed)
			add_key(show, name, NULL, entry->key, out);
	}
}

static void add_section(const struct show *show, const struct section *table,
	const char *name, struct str *out)
{
	if (show->only && !str_eq(show->only, name))
		return;
	size_t before = out->len;
	str_addf(out, "%s[%s]\n", before ? "\n" : "", name);
	size_t empty = out->len;
	keys_each(table, key) {
		if (show->uuid && str_eq(name, "vm") &&
			str_eq(key->name, "uuid"))
			add_uuid(show, out);
		add_key(show, name, key, key->name, out);
	}
	add_other_keys(show, table, name, out);
	/* a header alone says something only about a device */
	bool says = table->named ? !str_eq(name, "serial.console")
				 : table->enabled_offset != KEYS_NO_ENABLED;
	if (out->len == empty && !says)
		str_cut(out, before);
}

static bool is_of(const struct section *table, const char *section)
{
	size_t len = strlen(table->name);

	return strncmp(section, table->name, len) == 0 &&
	       (table->named ? section[len] == '.' : section[len] == '\0');
}

void show_entries(const struct show *show, struct str *out)
{
	for (size_t i = 0; i < show->ntables; i++) {
		const struct section *table = &show->tables[i];
		bool vm = show->uuid && str_eq(table->name, "vm");
		if (vm)
			add_section(show, table, "vm", out);
		list_each(&show->ini->entries, it, next) {
			struct ini_entry *entry =
				list_entry(it, struct ini_entry, link);
			if (!vm && !entry->key &&
				is_of(table, entry->section) &&
				is_first(show->ini, entry))
				add_section(show, table, entry->section, out);
		}
	}
}
