/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between what is written and what runs; see diff.h. */
#include "supervisor/diff.h"

#include "base/str.h"

typedef void each_fn(
	void *arg, const struct ini_entry *old, const struct ini_entry *new);

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

/* Only the winning entry of a key counts; a uuid that is the same does not. */
static bool counts(const struct vm_spec *spec, const struct vm_spec *other,
	const struct ini_entry *e)
{
	return e->key && ini_find(&spec->ini, e->section, e->key) == e &&
	       !is_policy(e) &&
	       !(is_uuid(e) && str_eq(spec->uuid, other->uuid));
}

void diff_specs(const struct vm_spec *spec, const struct vm_spec *running,
	each_fn *each, void *arg)
{
	if (!spec || !running || spec == running)
		return;
	list_each(&spec->ini.entries, it, next) {
		const struct ini_entry *e =
			list_entry(it, struct ini_entry, link);
		const struct ini_entry *old =
			counts(spec, running, e)
				? ini_find(&running->ini, e->section, e->key)
				: NULL;

		if (counts(spec, running, e) &&
			(!old || !str_eq(old->value, e->value)))
			each(arg, old, e);
	}
	list_each(&running->ini.entries, it2, next2) {
		const struct ini_entry *e =
			list_entry(it2, struct ini_entry, link);

		if (counts(running, spec, e) &&
			!ini_find(&spec->ini, e->section, e->key))
			each(arg, e, NULL);
	}
}

static void count(void *arg, const struct ini_entry *old UNUSED,
	const struct ini_entry *new UNUSED)
{
	++*(unsigned *)arg;
}

unsigned diff_count(const struct vm_spec *spec, const struct vm_spec *running)
{
	unsigned n = 0;

	diff_specs(spec, running, count, &n);
	return n;
}
