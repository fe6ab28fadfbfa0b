/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between what is written and what runs; see diff.h. */
#include "supervisor/diff.h"

#include <string.h>

#include "base/str.h"
#include "supervisor/spec_value.h"

struct compare {
	const struct vm_spec *spec, *running;
	diff_fn *each;
	void *arg;
};

static bool is_uuid(const struct ini_entry *e)
{
	return str_eq(e->section, "vm") && str_eq(e->key, "uuid");
}

/* What QEMU never hears of is in force as soon as it is read. */
static bool is_policy(const struct ini_entry *e)
{
	const struct section *found;
	const struct key *key = keys_lookup(
		spec_sections, spec_nsections, e->section, e->key, &found);

	return key ? key->when == KEY_POLICY : str_starts(e->key, "x-");
}

/* ---- sections ---- */

static bool has_element(
	const struct vm_spec *spec, const struct section *s, const char *name)
{
	const char *base = (const char *)spec + s->offset;
	const struct list *head = (const void *)base;

	for (const struct list *it = head->next; it != head; it = it->next) {
		const char *at = (const char *)it - s->link_offset;
		const char *const *is = (const void *)(at + s->name_offset);

		if (str_eq(*is, name))
			return true;
	}
	return false;
}

static bool is_enabled(const struct vm_spec *spec, const struct section *s)
{
	const char *at = (const char *)spec + s->offset;
	const struct key *enabled = NULL;

	keys_each(s, key)
		if (str_eq(key->name, "enabled"))
			enabled = key;
	return *(const bool *)(at + s->enabled_offset) &&
	       (!enabled || *(const bool *)(at + enabled->offset));
}

/* Whether a spec has what a section makes; 1 for those that make nothing. */
static bool has(const struct vm_spec *spec, const char *section)
{
	const struct section *s = NULL;
	const char *dot = strchr(section, '.');

	keys_lookup(spec_sections, spec_nsections, section, NULL, &s);
	if (s && s->named)
		return has_element(spec, s, dot ? dot + 1 : "");
	if (s && s->enabled_offset != KEYS_NO_ENABLED)
		return is_enabled(spec, s);
	return true;
}

static const struct ini_entry *first_of(
	const struct vm_spec *spec, const char *section)
{
	list_each(&spec->ini.entries, it, next) {
		const struct ini_entry *e =
			list_entry(it, struct ini_entry, link);

		if (str_eq(e->section, section))
			return e;
	}
	return NULL;
}

/* A section that one of them has alone, once. */
static void compare_section(const struct compare *c, const struct ini_entry *e)
{
	const struct ini_entry *new = first_of(c->spec, e->section);
	const struct ini_entry *old = first_of(c->running, e->section);
	bool added = has(c->spec, e->section);

	if (e != (new ? new : old))
		return;
	c->each(c->arg, &(struct difference){ e->section, NULL,
				added ? NULL : e, added ? e : NULL });
}

/* ---- keys ---- */

/* The entry that a key's value comes from; NULL: it has its default. */
static const struct ini_entry *value_of(
	const struct vm_spec *spec, const struct ini_entry *e)
{
	const struct ini_entry *won = ini_find(&spec->ini, e->section, e->key);

	return won && *won->value ? won : NULL;
}

static bool is_number(const struct key *key)
{
	return key->type == KEY_INT || key->type == KEY_SIZE ||
	       key->type == KEY_MEMORY || key->type == KEY_DURATION ||
	       key->type == KEY_BOOL || key->parse == value_rate;
}

/* Of the entry, or (NULL) what the key is without one. */
static bool number_of(
	const struct key *key, const struct ini_entry *e, uint64_t *out)
{
	const struct key_source text = { .text = e ? e->value : key->fallback,
		.dir = "/" };
	struct err ignored = ERR_INIT;

	*out = 0;
	return text.text && !key_value_set(key, out, &text, &ignored);
}

/*
 * 1G is 1024M and 8Mbit is 1MB, however it is written, and a default that is
 * written is none the less.
 */
static bool says_the_same(const struct ini_entry *a, const struct ini_entry *b)
{
	const struct ini_entry *any = a ? a : b;
	const struct section *found;
	const struct key *key = keys_lookup(
		spec_sections, spec_nsections, any->section, any->key, &found);
	uint64_t one;
	uint64_t other;

	if (a && b && str_eq(a->value, b->value))
		return true;
	return key && is_number(key) && number_of(key, a, &one) &&
	       number_of(key, b, &other) && one == other;
}

static bool differs(const struct compare *c, const struct ini_entry *old,
	const struct ini_entry *new)
{
	const struct ini_entry *any = new ? new : old;

	if (!any || says_the_same(old, new))
		return false;
	return !is_policy(any) &&
	       !(is_uuid(any) && str_eq(c->spec->uuid, c->running->uuid));
}

static void compare_key(const struct compare *c, const struct ini_entry *e)
{
	const struct ini_entry *new = value_of(c->spec, e);
	const struct ini_entry *old = value_of(c->running, e);

	/* once for each key: by the one that counts */
	if (e == (new ? new : old) && differs(c, old, new))
		c->each(c->arg,
			&(struct difference){ e->section, e->key, old, new });
}

static void compare_entries(const struct compare *c, const struct ini *ini)
{
	list_each(&ini->entries, it, next) {
		const struct ini_entry *e =
			list_entry(it, struct ini_entry, link);
		bool one = has(c->spec, e->section);
		bool other = has(c->running, e->section);

		if (one != other)
			compare_section(c, e);
		else if (one && e->key)
			compare_key(c, e);
	}
}

void diff_specs(const struct vm_spec *spec, const struct vm_spec *running,
	diff_fn *each, void *arg)
{
	const struct compare c = { spec, running, each, arg };

	if (!spec || !running || spec == running)
		return;
	compare_entries(&c, &spec->ini);
	compare_entries(&c, &running->ini);
}

static void count(void *arg, const struct difference *d UNUSED)
{
	++*(unsigned *)arg;
}

unsigned diff_count(const struct vm_spec *spec, const struct vm_spec *running)
{
	unsigned n = 0;

	diff_specs(spec, running, count, &n);
	return n;
}
