/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What pools and networks have in common: each is a file KIND/NAME.ini with
 * its drop-ins, read by a table of keys.
 */
#ifndef SUPERVISOR_OTHER_H
#define SUPERVISOR_OTHER_H

#include "base/finding.h"
#include "base/keys.h"
#include "base/paths.h"

struct other_kind {
	const char *word; /* "pool" */
	const char *dir;  /* "pools" */
	const struct section *sections;
	size_t nsections;
};

/* One of a kind: by its name, or by a file that a person names. */
struct other {
	const struct other_kind *kind;
	const struct paths *paths;
	const char *name;
	const char *file; /* NULL: KIND/NAME.ini */
};

/*
 * Reads the file with its drop-ins into ini and `into`; shown gets the name
 * for messages, new.  False: f has the mistakes of the keys.
 */
bool other_read(const struct other *what, void *into, struct ini *ini,
	char **shown, struct findings *f);
/* False, and a mistake in f: no file of that name can be one. */
bool other_name_is_valid(
	const struct other_kind *kind, const char *name, struct findings *f);
/* The name in the path of a file; new.  NULL, and a mistake in f: none. */
char *other_name_of(
	const struct other_kind *kind, const char *file, struct findings *f);
/* True for KIND/NAME.ini, by the directory that it is in. */
bool other_is_file(const struct other_kind *kind, const char *path);
/*
 * There is none of that name: which one was probably meant (names ends with
 * NULL), or which file would make it.  ERR_NOT_FOUND; -1.
 */
int other_not_found(const struct other_kind *kind, const char *const *names,
	const char *name, struct err *err);

#endif
