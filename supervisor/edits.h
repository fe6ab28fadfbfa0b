/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SECTION.KEY=VALUE as people type it, as edits of a file: what create, set
 * and unset have in common.
 */
#ifndef SUPERVISOR_EDITS_H
#define SUPERVISOR_EDITS_H

#include "supervisor/config.h"

struct edits {
	struct config_edit *at;
	size_t n;
};

#define EDITS_INIT      \
	{               \
		NULL, 0 \
	}

/* Drops the members of one, where they are base/atom's. */
void config_edit_fini(struct config_edit *edit);
/* Frees them all. */
void edits_fini(struct edits *edits);
/* Adds one (copied); key NULL: the header alone; value NULL: unset. */
void edits_add(struct edits *edits, const char *section, const char *key,
	const char *value);
/* The same for "disk.root.size".  Fails with ERR_USAGE. */
MUST_CHECK int edits_add_named(struct edits *edits, const char *name,
	const char *value, struct err *err);
/* The edit of a key, or NULL. */
struct config_edit *edits_find(
	const struct edits *edits, const char *section, const char *key);
/* Takes the edit of a key out again, if there is one. */
void edits_drop(struct edits *edits, const char *section, const char *key);
/*
 * Nothing of section and key may end a line or a header.  Fails with the
 * code given, and the remedy.
 */
MUST_CHECK int edit_check(
	const struct config_edit *edit, enum err_code code, struct err *err);

#endif
