/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One key of a table: its type, limits and default, and how a text becomes
 * the field of a struct.
 */
#ifndef BASE_KEY_H
#define BASE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum key_type {
	KEY_STRING, /* const char *, base/atom's */
	KEY_PATH,   /* the same, made absolute against the entry's dir */
	KEY_FILE,   /* the same, a path if it has a slash, else a volume name */
	KEY_LIST,   /* char **, NULL-terminated */
	KEY_BOOL,   /* bool */
	KEY_INT,    /* uint64_t */
	KEY_SIZE,   /* uint64_t bytes */
	KEY_MEMORY, /* uint64_t bytes; also "50%" of the host's */
	KEY_DURATION, /* int64_t ms; STR_FOREVER if max says so */
	KEY_CHOICE,   /* int, index into choices */
	KEY_CUSTOM,   /* whatever parse() fills */
};

enum key_when { KEY_HOT, KEY_RESET, KEY_COLD, KEY_POLICY }; /* h r c - */

struct key {
	const char *name;
	enum key_type type;
	size_t offset;        /* into the section's struct */
	const char *fallback; /* text, parsed like input; NULL: unset/zero */
	uint64_t min;         /* numbers, sizes, durations (ms) */
	uint64_t max; /* 0: no limit; UINT64_MAX on durations: infinity ok */
	const char *const *choices; /* NULL-terminated */
	enum key_when when;
	const char *live; /* KEY_HOT: the verb that changes what runs */
	/*
	 * For KEY_CUSTOM: text (never NULL) -> field, which owns nothing and
	 * is filled as a whole.  On failure err says "VALUE: what to write"
	 * and the field still owns nothing.
	 */
	int (*parse)(const char *text, void *field, struct err *err);
	/* KEY_CUSTOM: frees and zeroes the field; NULL: nothing to free. */
	void (*release)(void *field);
	/* KEY_PATH: true for a value that is no path after all; or NULL. */
	bool (*literal)(const char *value);
	bool expand;      /* KEY_CUSTOM: specifiers are replaced first */
	bool list;        /* KEY_CUSTOM: items with commas in between */
	const char *form; /* KEY_CUSTOM: "N/DURATION", for the man page */
	const char *help; /* one sentence for the man page */
};

/*
 * Specifier values for KEY_STRING, KEY_PATH, KEY_FILE, KEY_LIST, keys with
 * `expand` and those of `other`.
 */
struct key_scope {
	const char *name;     /* %n */
	const char *prefix;   /* %p */
	const char *instance; /* %i, NULL: an error to use it */
	const char *host;     /* %H */
	const char *home;     /* for ~/, or NULL: refused */
};

/* Where a text comes from, for relative paths and specifiers. */
struct key_source {
	const char *text; /* "": back to the default */
	const char *dir;
	const struct key_scope *scope;
};

/*
 * Sets a field that holds a value already, or is zeroed.  On failure err
 * says "VALUE: what to write" and the field has its default.
 */
MUST_CHECK int key_value_set(const struct key *key, void *field,
	const struct key_source *source, struct err *err);
/* Sets the default; a table whose default does not parse is a defect. */
void key_value_default(const struct key *key, void *field);
/* Frees what the field owns and zeroes it. */
void key_value_release(const struct key *key, void *field);

/* Bytes of memory of this host; 0 if unknown. */
uint64_t key_host_memory(void);

/*
 * KEY_PATH and KEY_FILE: the absolute path of a value (~/ and relative ones;
 * a volume name stays), new; NULL with err.  Specifiers are left alone.
 */
char *key_absolute(const struct key *key, const char *value, const char *dir,
	const char *home, struct err *err);
/* The text with its specifiers replaced, new; NULL with err. */
char *key_expand(
	const char *text, const struct key_scope *scope, struct err *err);

#endif
