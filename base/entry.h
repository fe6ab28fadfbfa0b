/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Appending to a list of entries: the inside of base/ini. */
#ifndef BASE_ENTRY_H
#define BASE_ENTRY_H

#include "base/keys.h"

/* Names that the entries of one file borrow. */
struct ini_file {
	struct list link; /* ini.files */
	char *shown;
	char *dir;
};

/* A file of the list, which owns it. */
struct ini_file *entry_add_file(
	struct ini *ini, const char *shown, const char *dir);
/* An entry of a file of the list; key NULL: a section header. */
struct ini_entry *entry_add(struct ini *ini, const struct ini_file *file,
	unsigned line, const char *section, const char *key, const char *value);

#endif
