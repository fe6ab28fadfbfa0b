/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key-table engine: INI files -> structs, with file:line for every
 * mistake.  The only module that knows iniparser.  Reading a file is three
 * passes over the same bytes: our strict scan (comments blanked, duplicates,
 * bad sections, glued comments, continuation lines, encoding), iniparser
 * from a memfd, and a cross-check that both saw the same entries.
 *
 * A key is written once, in a table: parser, checks, defaults, show, man
 * page, completion and --defaults come from it.
 */
#ifndef BASE_KEYS_H
#define BASE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "base/str.h"

/* ---- findings: all mistakes of a run, in file order ---- */

enum finding_level { FINDING_ERROR, FINDING_NOTE };

struct finding {
	struct list link; /* findings.list */
	enum finding_level level;
	char *file;    /* as the user would type it */
	unsigned line; /* 0: the whole file */
	char *text;
};

struct findings {
	struct list list;
	unsigned errors;
	unsigned notes;
	struct finding *more; /* "and 7 more errors", or NULL; in the list */
};

/* An empty list, which findings_fini empties again. */
void findings_init(struct findings *f);
void findings_fini(struct findings *f);
/* At most 100 errors are kept; then one that says how many more. */
void findings_add(struct findings *f, enum finding_level level,
	const char *file, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* "file:line: text" of the first error into err (ERR_CONFIG); -1. */
int findings_to_err(const struct findings *f, struct err *err);
/* Appends "file:line: text" (or "file: text"), without a newline. */
void finding_add_text(const struct finding *finding, struct str *out);
/*
 * Orders by line inside each file; files stay in the order in which they
 * were first named.
 */
void findings_sort(struct findings *f);

/* ---- entries: what a file says ---- */

#define INI_VALUE_MAX 1000 /* bytes of one value */

struct ini_entry {
	struct list link; /* ini.entries */
	char *section;    /* "disk.root" */
	char *key;        /* NULL: the section header itself */
	char *value;      /* unquoted; "" means back to the default */
	const char *file; /* owned by the ini */
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
/*
 * The value as a file must write it: quoted if it has to be.  Fails with
 * ERR_CONFIG for a value that no file can hold.
 */
MUST_CHECK int ini_add_quoted(
	struct str *out, const char *value, struct err *err);
/*
 * Reads one file (at most 256 KiB) and appends its entries.  dirfd may be
 * AT_FDCWD; shown is the name used in findings.  -1 if it had any error
 * (findings has them all); then nothing was appended.
 */
MUST_CHECK int ini_read(struct ini *ini, int dirfd, const char *path,
	const char *shown, struct findings *f);
/* The same for bytes in memory. */
MUST_CHECK int ini_read_bytes(struct ini *ini, const char *bytes, size_t len,
	const char *shown, const char *dir, struct findings *f);
/* The winning (last) entry of a key, or NULL. */
const struct ini_entry *ini_find(
	const struct ini *ini, const char *section, const char *key);

/* ---- tables ---- */

enum key_type {
	KEY_STRING,   /* char * */
	KEY_PATH,     /* char *, made absolute against the entry's dir */
	KEY_FILE,     /* char *, a path if it has a slash, else a volume name */
	KEY_LIST,     /* char **, NULL-terminated */
	KEY_BOOL,     /* bool */
	KEY_INT,      /* uint64_t */
	KEY_SIZE,     /* uint64_t bytes */
	KEY_MEMORY,   /* uint64_t bytes; also "50%" of the host's */
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
	/*
	 * For KEY_CUSTOM: text (never NULL) -> field, which owns nothing and
	 * is filled as a whole.  On failure err says "VALUE: what to write"
	 * and the field still owns nothing.
	 */
	int (*parse)(const char *text, void *field, struct err *err);
	/* KEY_CUSTOM: frees and zeroes the field; NULL: nothing to free. */
	void (*release)(void *field);
	bool expand;      /* KEY_CUSTOM: specifiers are replaced first */
	const char *form; /* KEY_CUSTOM: "N/DURATION", for the man page */
	const char *help; /* one sentence for the man page */
};

struct section {
	const char *name; /* "vm", or "disk" for [disk.NAME] */
	bool named;       /* [disk.NAME]: a list of structs */
	const struct key *keys;
	size_t nkeys;
	size_t size;   /* of the struct of one section */
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
/* Bytes of memory of this host; 0 if unknown. */
uint64_t keys_host_memory(void);

/*
 * KEY_PATH and KEY_FILE: the absolute path of a value (~/ and relative ones;
 * a volume name stays), new; NULL with err.  Specifiers are left alone.
 */
char *keys_absolute(const struct key *key, const char *value, const char *dir,
	const char *home, struct err *err);
/*
 * The text with its specifiers replaced, new; NULL with err.
 */
char *keys_expand(
	const char *text, const struct key_scope *scope, struct err *err);

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
