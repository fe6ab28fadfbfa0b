/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of files as one file that says the same. */
#ifndef SUPERVISOR_SHOW_H
#define SUPERVISOR_SHOW_H

#include "base/keys.h"

struct show {
	const struct ini *ini;
	const struct section *tables;
	size_t ntables;
	const char *uuid; /* [vm] uuid unless a file says it; or NULL */
	bool origin;      /* "; file:line" behind each key */
	const char *only; /* section, or NULL: all */
};

/* Appends it. */
void show_entries(const struct show *show, struct str *out);

#endif
