/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries: what files say, in order, with the line of each.  A list borrows
 * nothing: the names of its files are its own.
 */
#ifndef BASE_ENTRY_H
#define BASE_ENTRY_H

#include <stdbool.h>

#include "base/list.h"
#include "base/str.h"

#define INI_VALUE_MAX 1000 /* bytes of one value */

struct ini_entry {
	struct list link;    /* ini.entries */
	const char *section; /* "disk.root"; it and the next two: base/atom's */
	const char *key;     /* NULL: the section header itself */
	const char *value;   /* unquoted; "" means back to the default */
	const char *file;    /* owned by the ini */
	unsigned line;
	const char *dir; /* directory that relative paths start from */
};

struct ini {
	struct list entries;
	struct list files; /* names owned here */
	bool keep_bad;     /* append what is good in a bad file, so that the
			  tables can report all of its mistakes in one run */
};

/* Nothing read yet; ini_fini frees all entries. */
void ini_init(struct ini *ini);
void ini_fini(struct ini *ini);
/* Appends all entries of `from`, which is empty afterwards. */
void ini_move(struct ini *ini, struct ini *from);
/*
 * Appends one entry that no file says (key NULL: a section header);
 * shown, line 0 and dir as in ini_read_bytes().
 */
void ini_add(struct ini *ini, const char *section, const char *key,
	const char *value, const char *shown, const char *dir);
/* The winning (last) entry of a key, or NULL. */
const struct ini_entry *ini_find(
	const struct ini *ini, const char *section, const char *key);

/* ---- for who reads files ---- */

/* Names that the entries of one file borrow. */
struct ini_file {
	struct list link;        /* ini.files */
	const char *shown, *dir; /* base/atom's */
};

/* A file of the list, which owns it. */
struct ini_file *entry_add_file(
	struct ini *ini, const char *shown, const char *dir);
/* Takes it out of its list and forgets it. */
void entry_free(struct ini_entry *entry);
/* An entry of a file of the list; key NULL: a section header. */
struct ini_entry *entry_add(struct ini *ini, const struct ini_file *file,
	unsigned line, const char *section, const char *key, const char *value);

#endif
