/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of entries.  Which of several entries of a key holds is decided by
 * their order alone: the last one.
 */
#include "base/entry.h"

#include "base/atom.h"
#include "base/slab.h"

void ini_init(struct ini *ini)
{
	*ini = (struct ini){ .keep_bad = false };
	list_init(&ini->entries);
	list_init(&ini->files);
}

void entry_free(struct ini_entry *entry)
{
	list_del(&entry->link);
	atom_drop(entry->section);
	atom_drop(entry->key);
	atom_drop(entry->value);
	slab_put(entry);
}

void ini_fini(struct ini *ini)
{
	if (!ini->entries.next)
		return;
	list_each(&ini->entries, it, next)
		entry_free(list_entry(it, struct ini_entry, link));
	list_each(&ini->files, it, next) {
		struct ini_file *file = list_entry(it, struct ini_file, link);
		list_del(it);
		atom_drop(file->shown);
		atom_drop(file->dir);
		slab_put(file);
	}
	ini_init(ini);
}

void ini_move(struct ini *ini, struct ini *from)
{
	list_move(&ini->entries, &from->entries);
	list_move(&ini->files, &from->files);
}

struct ini_file *entry_add_file(
	struct ini *ini, const char *shown, const char *dir)
{
	struct ini_file *file = SLAB_NEW(struct ini_file);

	file->shown = atom_get(shown);
	file->dir = atom_get(dir);
	list_add(&ini->files, &file->link);
	return file;
}

struct ini_entry *entry_add(struct ini *ini, const struct ini_file *file,
	unsigned line, const char *section, const char *key, const char *value)
{
	struct ini_entry *entry = SLAB_NEW(struct ini_entry);

	entry->section = atom_get(section);
	entry->key = atom_get(key);
	entry->value = atom_get(value);
	entry->file = file->shown;
	entry->dir = file->dir;
	entry->line = line;
	list_add(&ini->entries, &entry->link);
	return entry;
}

void ini_add(struct ini *ini, const char *section, const char *key,
	const char *value, const char *shown, const char *dir)
{
	entry_add(ini, entry_add_file(ini, shown, dir), 0, section, key, value);
}

static bool is_entry(
	const struct ini_entry *entry, const char *section, const char *key)
{
	if (!str_eq(entry->section, section))
		return false;
	return key ? entry->key && str_eq(entry->key, key) : !entry->key;
}

const struct ini_entry *ini_find(
	const struct ini *ini, const char *section, const char *key)
{
	struct list *it = ini->entries.prev;

	for (; it != &ini->entries; it = it->prev) {
		const struct ini_entry *entry =
			list_entry(it, struct ini_entry, link);
		if (is_entry(entry, section, key))
			return entry;
	}
	return NULL;
}
