/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key-table engine: INI files -> structs, with file:line for every
 * mistake.  A key is written once, in a table: parser, checks, defaults,
 * show, man page, completion and --defaults come from it.
 */
#ifndef BASE_KEYS_H
#define BASE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/entry.h"
#include "base/err.h"
#include "base/finding.h"
#include "base/ini.h"
#include "base/key.h"
#include "base/list.h"
#include "base/str.h"

struct section {
	const char *name;       /* "vm", or "disk" for [disk.NAME] */
	bool named;             /* [disk.NAME]: a list of structs */
	const struct key *keys; /* up to KEYS_END; or NULL */
	size_t size;            /* of the struct of one section */
	size_t offset; /* of the struct, or of the list head, in the spec */
	size_t link_offset;    /* named: struct list inside the element */
	size_t name_offset;    /* named: char *name inside the element */
	size_t enabled_offset; /* bool set when the section is written; or
				  KEYS_NO_ENABLED */
	bool later; /* a later version has this section: its own error */
	const char *const *later_keys; /* the same for keys; or NULL */
	/*
	 * A key that is not in the table ([raw] arg-7): 1 taken, 0 unknown,
	 * -1 with err.  Text is "" for 'back to the default'.  Or NULL.
	 */
	int (*other)(
		void *spec, const char *key, const char *text, struct err *err);
	const char *other_names; /* "arg-1 ... arg-99", for the man page */
	const char *help;
};

#define KEYS_NO_ENABLED ((size_t)-1)

/* The last row of a table of keys. */
#define KEYS_END     \
	{            \
		NULL \
	}
#define keys_each(section, key) \
	for (const struct key *key = (section)->keys; key && key->name; key++)

/*
 * Fills spec (zeroed, all list heads initialised here) from the entries by
 * the tables: later entries win key by key, "enabled = no" removes a named
 * section, unknown names are errors with the nearest name, x-* keys are
 * kept.  All errors go to findings.  -1 if there was one; spec must still be
 * released by keys_release().
 */
MUST_CHECK int keys_fill(void *spec, const struct section *sections,
	size_t nsections, const struct ini *ini, const struct key_scope *scope,
	struct findings *f);
void keys_release(void *spec, const struct section *sections, size_t nsections);
/* Frees one element of a named section; its link is taken out. */
void keys_free_element(struct list *link, const struct section *s);
/* True for the NAME of [disk.NAME] (REFERENCE 1.1). */
bool keys_device_is_valid(const char *name);
/* "SECTION.KEY" of every key, one a line: completion. */
void keys_add_names(struct str *out, const struct section *s, size_t n);
/* mdoc of all sections and keys. */
void keys_add_mdoc(struct str *out, const struct section *s, size_t n);
/* A commented sample of all keys with their defaults. */
void keys_add_defaults(struct str *out, const struct section *s, size_t n);
/* The key of a table by section ("disk.root" finds "disk") and name. */
const struct key *keys_lookup(const struct section *s, size_t n,
	const char *section, const char *key, const struct section **found);

#endif
