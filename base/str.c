/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The growable buffer, comparison, nearest name, UTF-8 and what may be shown
 * on a terminal.  The parsers and printers of numbers are in base/units.c.
 */
#include "base/str.h"

#include <fnmatch.h>
#include <stdio.h>

#include "base/mem.h"

enum { NEAR = 3, LONGEST_NAME = 63, SHORT = 31 };

void str_fini(struct str *s)
{
	free(s->data);
	*s = (struct str)STR_INIT;
}

/* Makes room for len more bytes and the NUL. */
static void grow(struct str *s, size_t len)
{
	if (s->cap - s->len > len)
		return;
	size_t cap = s->cap ? s->cap : 32;
	while (cap - s->len <= len) {
		if (cap > SIZE_MAX / 2)
			abort();
		cap *= 2;
	}
	s->data = xrealloc(s->data, cap);
	s->cap = cap;
}

void str_addn(struct str *s, const char *bytes, size_t len)
{
	grow(s, len);
	if (len)
		memcpy(s->data + s->len, bytes, len);
	s->len += len;
	s->data[s->len] = '\0';
}

void str_add(struct str *s, const char *text)
{
	str_addn(s, text, strlen(text));
}

void str_addc(struct str *s, char c)
{
	str_addn(s, &c, 1);
}

void str_addu(struct str *s, uint64_t number)
{
	char digits[20]; /* of 2^64 - 1 */
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	str_addn(s, digits + at, sizeof(digits) - at);
}

void str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	/* most of what is added is short: once is enough for it */
	grow(s, SHORT);
	va_start(ap, fmt);
	int len = vsnprintf(s->data + s->len, s->cap - s->len, fmt, ap);
	va_end(ap);
	if (len < 0)
		s->data[s->len] = '\0';
	if (len < 0 || (size_t)len < s->cap - s->len) {
		s->len += len < 0 ? 0 : (size_t)len;
		return;
	}
	grow(s, (size_t)len);
	va_start(ap, fmt);
	vsnprintf(s->data + s->len, (size_t)len + 1, fmt, ap);
	va_end(ap);
	s->len += (size_t)len;
}

const char *str_text(const struct str *s)
{
	return s->data ? s->data : "";
}

char *str_take(struct str *s)
{
	char *text = s->data ? s->data : xstrdup("");

	*s = (struct str)STR_INIT;
	return text;
}

void str_tighten(struct str *s)
{
	if (!s->data)
		return;
	char *data = xmalloc(s->len + 1);
	memcpy(data, s->data, s->len + 1);
	free(s->data);
	s->data = data;
	s->cap = s->len + 1;
}

void str_cut(struct str *s, size_t len)
{
	if (len >= s->len)
		return;
	s->len = len;
	s->data[len] = '\0';
}

bool str_eq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
	size_t len = strlen(text);
	size_t end = strlen(suffix);

	return len >= end && str_eq(text + len - end, suffix);
}

char *str_dir(const char *path)
{
	const char *slash = strrchr(path, '/');

	return xstrndup(path, slash ? (size_t)(slash - path) : 0);
}

bool str_glob(const char *pattern, const char *text)
{
	return fnmatch(pattern, text, 0) == 0;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t low = a < b ? a : b;

	return low < c ? low : c;
}

/*
 * Levenshtein's distance, where two neighbours that changed places are one
 * mistake: strat is nearer to start than to stats.  Both texts have at most
 * LONGEST_NAME bytes.
 */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][LONGEST_NAME + 1];
	size_t *older = rows[0], *old = rows[1], *row = rows[2];
	size_t width = strlen(b);

	for (size_t i = 0; i <= width; i++)
		row[i] = i;
	for (size_t y = 1; a[y - 1]; y++) {
		size_t *free_row = older;

		older = old;
		old = row;
		row = free_row;
		row[0] = y;
		for (size_t x = 1; x <= width; x++) {
			row[x] = least(old[x] + 1, row[x - 1] + 1,
				old[x - 1] + (a[y - 1] != b[x - 1]));
			if (x > 1 && y > 1 && a[y - 1] == b[x - 2] &&
				a[y - 2] == b[x - 1] &&
				older[x - 2] + 1 < row[x])
				row[x] = older[x - 2] + 1;
		}
	}
	return row[width];
}

const char *str_nearest(const char *text, const char *const *names)
{
	const char *best = NULL;
	size_t best_at = NEAR + 1;
	size_t len = strlen(text);

	if (len > LONGEST_NAME)
		return NULL;
	for (; *names; names++) {
		if (strlen(*names) > LONGEST_NAME)
			continue;
		size_t at = distance(text, *names);
		if (at < best_at && 2 * at <= len) {
			best = *names;
			best_at = at;
		}
	}
	return best;
}

/*
 * Length of the well-formed UTF-8 character at the start of bytes, or 0.
 * The table of the Unicode standard: the second byte's range depends on the
 * first, which excludes overlong forms, surrogates and what is too large.
 */
static size_t char_len(const unsigned char *b, size_t left)
{
	if (left == 0)
		return 0;
	if (b[0] < 0x80)
		return 1;
	size_t len = b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;
	unsigned char low = b[0] == 0xe0 ? 0xa0 : b[0] == 0xf0 ? 0x90 : 0x80;
	unsigned char high = b[0] == 0xed ? 0x9f : b[0] == 0xf4 ? 0x8f : 0xbf;
	if (b[0] < 0xc2 || b[0] > 0xf4 || len > left)
		return 0;
	if (b[1] < low || b[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool str_is_utf8(const char *bytes, size_t len)
{
	const unsigned char *b = (const unsigned char *)bytes;

	while (len > 0) {
		size_t n = char_len(b, len);
		if (n == 0)
			return false;
		b += n;
		len -= n;
	}
	return true;
}

/* C0 and C1 controls, DEL, and what turns the direction of text round. */
static bool is_dangerous(const unsigned char *b, size_t len)
{
	if (len == 1)
		return b[0] < 0x20 || b[0] == 0x7f;
	if (len == 2)
		return b[0] == 0xc2 && b[1] < 0xa0;
	if (len != 3 || b[0] != 0xe2)
		return false;
	return (b[1] == 0x80 && b[2] >= 0xa8 && b[2] <= 0xae) ||
	       (b[1] == 0x81 && b[2] >= 0xa6 && b[2] <= 0xa9);
}

static void add_escaped(struct str *s, unsigned char byte)
{
	if (byte == '\n')
		str_add(s, "\\n");
	else if (byte == '\t')
		str_add(s, "\\t");
	else
		str_addf(s, "\\x%02x", byte);
}

/* How much of it is printable ASCII: nearly always all. */
static size_t plain_len(const char *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && bytes[n] >= ' ' && bytes[n] < 0x7f)
		n++;
	return n;
}

void str_add_visible(struct str *s, const char *bytes, size_t len)
{
	const unsigned char *b = (const unsigned char *)bytes;
	size_t plain = plain_len(bytes, len);

	str_addn(s, bytes, plain);
	for (size_t at = plain; at < len;) {
		size_t n = char_len(b + at, len - at);
		if (n > 0 && !is_dangerous(b + at, n)) {
			str_addn(s, bytes + at, n);
			at += n;
			continue;
		}
		for (size_t end = at + (n ? n : 1); at < end; at++)
			add_escaped(s, b[at]);
	}
}
