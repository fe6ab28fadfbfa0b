/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One value of a key table: text to field by type, the default, and its
 * release.  The inside of base/keys; specs are filled by keys_fill().
 */
#ifndef BASE_KEY_VALUE_H
#define BASE_KEY_VALUE_H

#include "base/keys.h"

/* Where a text comes from, for relative paths and specifiers. */
struct key_source {
	const char *text; /* "": back to the default */
	const char *dir;
	const struct key_scope *scope;
};

/*
 * Sets a field that holds a value already, or is zeroed.  On failure err
 * says "VALUE: what to write" and the field is as in a fresh struct.
 */
MUST_CHECK int key_value_set(const struct key *key, void *field,
	const struct key_source *source, struct err *err);
/* Sets the default; a table whose default does not parse is a defect. */
void key_value_default(const struct key *key, void *field);
/* Frees what the field owns and zeroes it. */
void key_value_release(const struct key *key, void *field);

#endif
