/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strings: a growable buffer, strict number and unit parsers, comparison,
 * escaping for terminals and logs, nearest-name search, glob match.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

struct str {
	char *data; /* always NUL-terminated once something was added */
	size_t len;
	size_t cap;
};

#define STR_INIT           \
	{                  \
		NULL, 0, 0 \
	}

/* Frees the text and empties the buffer. */
void str_fini(struct str *s);
#define AUTO_STR __attribute__((cleanup(str_fini)))

/* Each puts something at the end; the buffer grows as needed. */
void str_add(struct str *s, const char *text);
void str_addn(struct str *s, const char *bytes, size_t len);
void str_addc(struct str *s, char c);
void str_addu(struct str *s, uint64_t number); /* in decimal digits */
void str_addf(struct str *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The text so far, "" if none; valid until the next change. */
const char *str_text(const struct str *s);
/* Gives the text to the caller (who frees it) and empties the buffer. */
char *str_take(struct str *s);
/* Gives back what is reserved and not used. */
void str_tighten(struct str *s);
/* Cuts to len bytes (no effect if shorter). */
void str_cut(struct str *s, size_t len);

/* strcmp() == 0, and whether text starts or ends with another. */
bool str_eq(const char *a, const char *b);
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
/* The directory of an absolute path, new; "" for what is in "/". */
char *str_dir(const char *path);
/* text, or other when text is NULL. */
static inline const char *str_or(const char *text, const char *other)
{
	return text ? text : other;
}
/* fnmatch(3) without flags: *, ?, [set]. */
bool str_glob(const char *pattern, const char *text);
/* The nearest of `names` (NULL-terminated) by edit distance <= 3, or NULL. */
const char *str_nearest(const char *text, const char *const *names);
/* True for well-formed UTF-8 without overlong forms and surrogates. */
bool str_is_utf8(const char *bytes, size_t len);
/* Appends text with control bytes as \n, \t or \xNN: safe on a terminal. */
void str_add_visible(struct str *s, const char *bytes, size_t len);

/*
 * Strict parsers: the whole text or an error (ERR_CONFIG) whose text says
 * what is wrong with the value and what to write; the caller wraps it with
 * the name of the key.  REFERENCE 1.1 has the rules.
 */
/* The digits that text begins with; 0 if there are none.  Never fails. */
uint64_t str_digits(const char *text);
/* A whole number. */
MUST_CHECK int str_to_u64(const char *text, uint64_t *out, struct err *err);
/* yes/no, true/false, on/off, 1/0. */
MUST_CHECK int str_to_bool(const char *text, bool *out, struct err *err);
/* "2G", "512MiB" -> bytes; a bare number is an error that says the remedy. */
MUST_CHECK int str_to_bytes(const char *text, uint64_t *out, struct err *err);
/* "90s", "1h 30min", "500ms" -> ms; "infinity" -> STR_FOREVER if allowed. */
/* RFC 3339 UTC with milliseconds of a wall-clock time. */
void str_time(int64_t real_us, char out[32]);
/* The limits of a time. */
#define STR_FOREVER    INT64_MAX
#define STR_LONGEST_MS (INT64_C(3650) * 24 * 3600 * 1000) /* the most */
MUST_CHECK int str_to_ms(
	const char *text, bool forever_ok, int64_t *out, struct err *err);

/* "2G", "1.5G", "512M": the shortest exact-enough form for tables. */
void str_add_bytes(struct str *s, uint64_t bytes);
/* "3d 4h", "2h 11m", "4s", "0.4 s" below a second: for tables. */
void str_add_duration(struct str *s, int64_t ms);

#endif
