/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine that fills structs from entries by key tables.  It knows types,
 * ranges, choices, defaults and nearest names; what a key means is the
 * table's.  Values are parsed in base/key.c.
 */
#include "base/keys.h"
#include "base/atom.h"
#include "base/slab.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"

/* A device's name: QEMU's ids are the class, a hyphen and this. */
#define DEVICE_CHARS "abcdefghijklmnopqrstuvwxyz0123456789-"
enum { DEVICE_MAX = 15 };

/* Every named section has it; "no" takes the element out. */
static const struct key enabled_key = {
	.name = "enabled",
	.type = KEY_BOOL,
	.fallback = "yes",
	.when = KEY_COLD,
	.help = "no removes what a template or another file describes.",
};

struct fill {
	char *spec;
	const struct section *sections;
	size_t n;
	const struct ini *ini;
	const struct key_scope *scope;
	struct findings *f;
};

static void complain(const struct fill *fill, const struct ini_entry *e,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void complain(const struct fill *fill, const struct ini_entry *e,
	const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	AUTO_FREE char *text = xvasprintf(fmt, ap);
	va_end(ap);
	findings_add(fill->f, FINDING_ERROR, e->file, e->line, "%s", text);
}

/* ---- fields ---- */

static void *field_of(void *at, const struct key *key)
{
	return (char *)at + key->offset;
}

static void set_defaults(void *at, const struct section *s)
{
	keys_each(s, key)
		key_value_default(key, field_of(at, key));
}

static void release_fields(void *at, const struct section *s)
{
	keys_each(s, key)
		key_value_release(key, field_of(at, key));
}

/* ---- elements of named sections ---- */

static struct list *head_of(void *spec, const struct section *s)
{
	return (struct list *)(void *)((char *)spec + s->offset);
}

static char *element_of(struct list *link, const struct section *s)
{
	return (char *)link - s->link_offset;
}

static const char **name_of(char *element, const struct section *s)
{
	return (const char **)(void *)(element + s->name_offset);
}

static char *find_element(
	struct list *head, const struct section *s, const char *name)
{
	list_each(head, it, next) {
		char *element = element_of(it, s);
		if (str_eq(*name_of(element, s), name))
			return element;
	}
	return NULL;
}

static char *new_element(
	struct list *head, const struct section *s, const char *name)
{
	char *element = slab_zeroed(s->size);

	*name_of(element, s) = atom_get(name);
	set_defaults(element, s);
	list_add(head, (struct list *)(void *)(element + s->link_offset));
	return element;
}

static void free_element(struct list *link, const struct section *s)
{
	char *element = element_of(link, s);

	list_del(link);
	release_fields(element, s);
	atom_drop(*name_of(element, s));
	slab_put(element);
}

bool keys_device_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= DEVICE_MAX && name[0] != '-' &&
	       strspn(name, DEVICE_CHARS) == len;
}

/* ---- names ---- */

/* The table of a section's name; *rest is behind its dot, or NULL. */
static const struct section *table_of(const struct section *sections, size_t n,
	const char *name, const char **rest)
{
	const char *dot = strchr(name, '.');
	size_t len = dot ? (size_t)(dot - name) : strlen(name);

	*rest = dot ? dot + 1 : NULL;
	for (size_t i = 0; i < n; i++)
		if (strlen(sections[i].name) == len &&
			memcmp(sections[i].name, name, len) == 0)
			return &sections[i];
	return NULL;
}

static const struct key *key_of(const struct section *s, const char *name)
{
	keys_each(s, key)
		if (str_eq(key->name, name))
			return key;
	return s->named && str_eq(name, enabled_key.name) ? &enabled_key : NULL;
}

const struct key *keys_lookup(const struct section *s, size_t n,
	const char *section, const char *key, const struct section **found)
{
	const char *rest;
	const struct section *table = table_of(s, n, section, &rest);

	if (found)
		*found = table;
	return table && key ? key_of(table, key) : NULL;
}

/* The key that was probably meant, or NULL. */
static const char *nearest_key(const struct section *s, const char *name)
{
	AUTO_FREE const char **names = NULL;
	size_t n = 0;

	keys_each(s, key)
		n++;
	names = xcalloc(n + 2, sizeof *names);
	n = 0;
	keys_each(s, key)
		names[n++] = key->name;
	if (s->named)
		names[n] = enabled_key.name;
	return str_nearest(name, names);
}

static void unknown_key(const struct fill *fill, const struct ini_entry *e,
	const struct section *s)
{
	const char *near = nearest_key(s, e->key);

	if (near)
		complain(fill, e,
			"unknown key '%s' in [%s] (did you mean '%s'?)", e->key,
			e->section, near);
	else
		complain(fill, e, "unknown key '%s' in [%s]", e->key,
			e->section);
}

static void unknown_section(const struct fill *fill, const struct ini_entry *e)
{
	AUTO_FREE const char **names = xcalloc(fill->n + 1, sizeof *names);
	const char *dot = strchr(e->section, '.');
	AUTO_FREE char *kind =
		dot ? xstrndup(e->section, (size_t)(dot - e->section))
		    : xstrdup(e->section);

	for (size_t i = 0; i < fill->n; i++)
		names[i] = fill->sections[i].name;
	const char *near = str_nearest(kind, names);
	if (near)
		complain(fill, e, "unknown section [%s] (did you mean [%s%s]?)",
			e->section, near, dot ? dot : "");
	else
		complain(fill, e, "unknown section [%s]", e->section);
}

/* Says once, at the header, what is wrong with a section's name. */
static bool check_section(const struct fill *fill, const struct ini_entry *e,
	const struct section *s, const char *rest)
{
	bool header = !e->key;

	if (!s && header)
		unknown_section(fill, e);
	if (!s)
		return false;
	if (s->later && header)
		complain(fill, e, "[%s] is not supported by this version yet",
			e->section);
	if (s->later)
		return false;
	if (s->named == (rest != NULL) && (!rest || keys_device_is_valid(rest)))
		return true;
	if (!header)
		return false;
	if (s->named && !rest)
		complain(fill, e, "[%s] needs a name: [%s.NAME]", s->name,
			s->name);
	else if (!s->named)
		complain(fill, e, "[%s] takes no name: write [%s]", e->section,
			s->name);
	else
		complain(fill, e,
			"bad name in [%s]: a-z, 0-9 and '-', at most "
			"%d, no '-' first",
			e->section, DEVICE_MAX);
	return false;
}

static bool is_later_key(const struct section *s, const char *name)
{
	for (const char *const *key = s->later_keys; key && *key; key++)
		if (str_eq(*key, name))
			return true;
	return false;
}

/* ---- one entry ---- */

/* One item of a list that was refused; false: nothing is wrong with it. */
static bool blame_item(const struct fill *fill, const struct ini_entry *e,
	const struct key *key, void *field, const char *item)
{
	struct key_source source = { item, e->dir, fill->scope };
	struct err err = ERR_INIT;
	bool blank = !item[strspn(item, " \t")];

	key_value_release(key, field);
	if (blank ? !key->parse("", field, &err)
		  : !key_value_set(key, field, &source, &err))
		return false;
	complain(fill, e, "[%s] %s = %s", e->section, e->key, err.text);
	return true;
}

/* Each bad item of a list; false: they only do not go together. */
static bool blame_items(const struct fill *fill, const struct ini_entry *e,
	const struct key *key, void *field)
{
	AUTO_FREE char *copy = xstrdup(e->value);
	char *rest = copy;
	bool any = false;

	for (char *item; (item = strsep(&rest, ","));)
		any |= blame_item(
			fill, e, key, field, item + strspn(item, " \t"));
	key_value_default(key, field);
	return any;
}

/* A key that has a row: parses the value into its field. */
static void fill_value(const struct fill *fill, const struct ini_entry *e,
	const struct key *key, void *at)
{
	struct key_source source = { e->value, e->dir, fill->scope };
	struct err err = ERR_INIT;
	bool unused;

	void *field = key == &enabled_key ? (void *)&unused : field_of(at, key);
	if (key_value_set(key, field, &source, &err) == 0 ||
		(key->list && blame_items(fill, e, key, field)))
		return;
	complain(fill, e, "[%s] %s = %s", e->section, e->key, err.text);
}

/* A key without a row. */
static void fill_other(const struct fill *fill, const struct ini_entry *e,
	const struct section *s)
{
	struct err err = ERR_INIT;

	if (is_later_key(s, e->key)) {
		complain(fill, e,
			"[%s] %s is not supported by this version yet",
			e->section, e->key);
		return;
	}
	int taken = 0;
	if (s->other) {
		AUTO_FREE char *text = key_expand(e->value, fill->scope, &err);
		taken = text ? s->other(fill->spec, e->key, text, &err) : -1;
	}
	if (taken < 0)
		complain(fill, e, "[%s] %s = %s", e->section, e->key, err.text);
	else if (taken == 0)
		unknown_key(fill, e, s);
}

static void fill_entry(const struct fill *fill, const struct ini_entry *e)
{
	const char *rest;
	const struct section *s =
		table_of(fill->sections, fill->n, e->section, &rest);

	if (!check_section(fill, e, s, rest))
		return;
	char *at = fill->spec + s->offset;
	if (s->named) {
		struct list *head = head_of(fill->spec, s);
		at = find_element(head, s, rest);
		if (!at)
			at = new_element(head, s, rest);
	}
	if (!e->key && s->enabled_offset != KEYS_NO_ENABLED)
		*(bool *)(void *)(at + s->enabled_offset) = true;
	if (!e->key || str_starts(e->key, "x-"))
		return;
	const struct key *key = key_of(s, e->key);
	if (key)
		fill_value(fill, e, key, at);
	else
		fill_other(fill, e, s);
}

/* ---- the whole ---- */

/* "enabled = no" was the last word about an element. */
static bool is_removed(
	const struct fill *fill, const struct section *s, const char *name)
{
	AUTO_FREE char *section = xasprintf("%s.%s", s->name, name);
	const struct ini_entry *e =
		ini_find(fill->ini, section, enabled_key.name);
	struct err err = ERR_INIT;
	bool enabled = true;

	if (!e || !e->value[0])
		return false;
	return str_to_bool(e->value, &enabled, &err) == 0 && !enabled;
}

static void remove_disabled(const struct fill *fill, const struct section *s)
{
	list_each(head_of(fill->spec, s), it, next)
		if (is_removed(fill, s, *name_of(element_of(it, s), s)))
			free_element(it, s);
}

int keys_fill(void *spec, const struct section *sections, size_t nsections,
	const struct ini *ini, const struct key_scope *scope,
	struct findings *f)
{
	const struct fill fill = { spec, sections, nsections, ini, scope, f };
	unsigned before = f->errors;

	for (size_t i = 0; i < nsections; i++) {
		const struct section *s = &sections[i];
		if (s->named && !s->later)
			list_init(head_of(spec, s));
		else if (!s->later)
			set_defaults(fill.spec + s->offset, s);
	}
	list_each(&ini->entries, it, next)
		fill_entry(&fill, list_entry(it, struct ini_entry, link));
	for (size_t i = 0; i < nsections; i++)
		if (sections[i].named && !sections[i].later)
			remove_disabled(&fill, &sections[i]);
	return f->errors == before ? 0 : -1;
}

void keys_release(void *spec, const struct section *sections, size_t nsections)
{
	for (size_t i = 0; i < nsections; i++) {
		const struct section *s = &sections[i];
		if (s->later)
			continue;
		if (!s->named) {
			release_fields((char *)spec + s->offset, s);
			continue;
		}
		struct list *head = head_of(spec, s);
		if (!head->next)
			continue;
		list_each(head, it, next)
			free_element(it, s);
	}
}

void keys_free_element(struct list *link, const struct section *s)
{
	free_element(link, s);
}
