/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts that are the same in many places (sections, keys and values of a
 * hundred files) are kept once.  An atom is never changed; two of equal text
 * are the same pointer.
 */
#ifndef BASE_ATOM_H
#define BASE_ATOM_H

/* The atom of a text, to be dropped once; NULL of NULL. */
const char *atom_get(const char *text);
/* The same, and frees the text. */
const char *atom_take(char *text);
/* Accepts NULL. */
void atom_drop(const char *atom);
/* Drops what stands there and sets another in its place. */
void atom_set(const char **at, const char *text);
/* How many different ones there are.  For tests. */
unsigned atom_count(void);

#endif
