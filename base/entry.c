/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of entries.  Which of several entries of a key holds is decided by
 * their order alone: the last one.
 */
#include "base/entry.h"

#include "base/mem.h"

void ini_init(struct ini *ini)
{
	*ini = (struct ini){ .keep_bad = false };
	list_init(&ini->entries);
	list_init(&ini->files);
}

static void entry_free(struct ini_entry *entry)
{
	list_del(&entry->link);
	free(entry->section);
	free(entry->key);
	free(entry->value);
	free(entry);
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
		free(file->shown);
		free(file->dir);
		free(file);
	}
	ini_init(ini);
}

static void move_list(struct list *to, struct list *from)
{
	while (!list_is_empty(from)) {
		struct list *first = from->next;
		list_del(first);
		list_add(to, first);
	}
}

void ini_move(struct ini *ini, struct ini *from)
{
	move_list(&ini->entries, &from->entries);
	move_list(&ini->files, &from->files);
}

struct ini_file *entry_add_file(
	struct ini *ini, const char *shown, const char *dir)
{
	struct ini_file *file = NEW(struct ini_file);

	file->shown = xstrdup(shown);
	file->dir = xstrdup(dir);
	list_add(&ini->files, &file->link);
	return file;
}

struct ini_entry *entry_add(struct ini *ini, const struct ini_file *file,
	unsigned line, const char *section, const char *key, const char *value)
{
	struct ini_entry *entry = NEW(struct ini_entry);

	entry->section = xstrdup(section);
	entry->key = key ? xstrdup(key) : NULL;
	entry->value = value ? xstrdup(value) : NULL;
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
