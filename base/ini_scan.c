/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The strict scan: lines to entries, and a message for everything that
 * iniparser would take silently and differently than a reader of the file:
 * duplicates, cut values, joined lines, text behind quotes and headers.
 */
#include "base/ini_scan.h"

#include "base/mem.h"

enum { LINE_MAX_BYTES = 1020, ENTRIES_MAX = 2000 };

#define NAME_CHARS    "abcdefghijklmnopqrstuvwxyz0123456789-"
#define SECTION_CHARS NAME_CHARS "._"
#define UPPER_CHARS   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* One pass over one file. */
struct scan {
	struct ini *ini; /* of this file alone */
	const struct ini_file *file;
	struct findings *f;
	unsigned line;
	unsigned entries;
	const char *section; /* of the last good header, or NULL */
	bool bad_section;    /* its keys are skipped, it was reported */
	char *copy;          /* of the whole file; comments become blanks */
	char *in_copy;       /* where the present line is in it */
	char *text;          /* the present line, cut up */
	size_t len;          /* of the line, without its end */
};

/* One mistake in the present line. */
#define complain(scan, ...)                                         \
	findings_add((scan)->f, FINDING_ERROR, (scan)->file->shown, \
		(scan)->line, __VA_ARGS__)

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *skip_blanks(char *at)
{
	return at + strspn(at, " \t");
}

static void trim_end(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && is_blank(text[len - 1]))
		text[--len] = '\0';
}

static bool is_mark(char c)
{
	return c == ';' || c == '#';
}

/* Hides the rest of the line from iniparser. */
static void blank_out(struct scan *scan, const char *from)
{
	size_t at = (size_t)(from - scan->text);

	memset(scan->in_copy + at, ' ', scan->len - at);
}

/* Nothing, or a comment behind a blank, follows `end`. */
static bool is_end(struct scan *scan, char *end)
{
	char *rest = skip_blanks(end);

	if (*rest && (!is_mark(*rest) || rest == end))
		return false;
	blank_out(scan, end);
	return true;
}

static void lower(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

/* The line of an entry that is there already, or 0. */
static unsigned line_of(
	const struct scan *scan, const char *section, const char *key)
{
	const struct ini_entry *entry = ini_find(scan->ini, section, key);

	return entry ? entry->line : 0;
}

/* The name in a header, made lower case; false if it is none. */
static bool check_section(struct scan *scan, char *name)
{
	if (name[0] && !name[strspn(name, SECTION_CHARS UPPER_CHARS)]) {
		if (!name[strspn(name, SECTION_CHARS)])
			return true;
		AUTO_FREE char *written = xstrdup(name);
		lower(name);
		complain(scan,
			"section names are lower case: write [%s], "
			"not [%s]",
			name, written);
		return true;
	}
	complain(scan, "bad section name [%s]", name);
	return false;
}

/* "[name]", and nothing but a comment behind it. */
static void scan_section(struct scan *scan, char *text)
{
	char *end = strchr(text, ']');

	scan->section = NULL;
	scan->bad_section = true;
	if (!end) {
		complain(scan, "section header without ']'");
		return;
	}
	if (!is_end(scan, end + 1))
		complain(scan, "text after the section header: '%s'",
			skip_blanks(end + 1));
	*end = '\0';
	if (!check_section(scan, text + 1))
		return;
	unsigned first = line_of(scan, text + 1, NULL);
	if (first)
		complain(scan, "section [%s] is here twice, first in line %u",
			text + 1, first);
	scan->section = entry_add(
		scan->ini, scan->file, scan->line, text + 1, NULL, NULL)
				->section;
	scan->bad_section = false;
}

/* "text" or 'text': cuts the quotes off; NULL after a mistake. */
static char *scan_quoted(struct scan *scan, char *text)
{
	char *end = strchr(text + 1, *text);

	if (!end) {
		complain(scan, "the quote %c does not end", *text);
		return NULL;
	}
	if (!is_end(scan, end + 1)) {
		complain(scan, "text after the closing quote: '%s'",
			skip_blanks(end + 1));
		return NULL;
	}
	*end = '\0';
	if (strchr(text + 1, '\\')) {
		complain(scan, "no backslash inside quotes: leave the quotes "
			       "away");
		return NULL;
	}
	return text + 1;
}

/*
 * Cuts a comment off; NULL after a mistake.  One that is glued to the value
 * is a mistake, too, but what is in front of it counts as said: the key is not
 * missing.
 */
static char *scan_plain(struct scan *scan, char *text)
{
	char *mark = text;

	for (; *mark && !(is_mark(*mark) && is_blank(mark[-1])); mark++) {
		if (!is_mark(*mark))
			continue;
		complain(scan,
			"'%c' inside a value: quote the value, or put "
			"a blank before a comment",
			*mark);
		break;
	}
	blank_out(scan, mark);
	*mark = '\0';
	trim_end(text);
	if (str_ends(text, "\\")) {
		complain(scan, "a line cannot end in '\\': there are no "
			       "continuation lines");
		return NULL;
	}
	return text;
}

/* The name of a key, made lower case; false if it is none. */
static bool check_key(struct scan *scan, char *key)
{
	if (!key[0]) {
		complain(scan, "no key before '='");
		return false;
	}
	if (key[0] == '-' || key[strspn(key, NAME_CHARS UPPER_CHARS "_")]) {
		complain(scan, "bad key name '%s'", key);
		return false;
	}
	if (!key[strcspn(key, UPPER_CHARS)])
		return true;
	AUTO_FREE char *written = xstrdup(key);
	lower(key);
	complain(scan, "key names are lower case: write %s, not %s", key,
		written);
	return true;
}

static void scan_key(struct scan *scan, char *text)
{
	char *equals = strchr(text, '=');

	if (!equals) {
		complain(scan, "neither [section] nor key = value: '%s'", text);
		return;
	}
	*equals = '\0';
	trim_end(text);
	bool good = check_key(scan, text);
	char *at = skip_blanks(equals + 1);
	char *value = *at == '"' || *at == '\'' ? scan_quoted(scan, at)
						: scan_plain(scan, at);
	if (!good || !value)
		return;
	if (strlen(value) > INI_VALUE_MAX)
		complain(scan, "%s: the value has more than %d bytes", text,
			INI_VALUE_MAX);
	if (!scan->section && !scan->bad_section)
		complain(scan, "key '%s' before any [section]", text);
	if (!scan->section)
		return;
	unsigned first = line_of(scan, scan->section, text);
	if (first)
		complain(scan, "key '%s' is twice in [%s], first in line %u",
			text, scan->section, first);
	entry_add(
		scan->ini, scan->file, scan->line, scan->section, text, value);
}

/* Bytes that no text has; reports the first kind only. */
static bool check_bytes(struct scan *scan, const char *bytes, size_t len)
{
	if (len > LINE_MAX_BYTES) {
		complain(scan, "the line has more than %d bytes",
			LINE_MAX_BYTES);
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if ((c >= 0x20 && c != 0x7f) || c == '\t')
			continue;
		complain(scan, "control byte 0x%02x in the line", c);
		return false;
	}
	if (str_is_utf8(bytes, len))
		return true;
	complain(scan, "the line is not UTF-8");
	return false;
}

static void scan_text(struct scan *scan)
{
	char *text = skip_blanks(scan->text);

	if (is_mark(*text))
		blank_out(scan, text);
	if (is_mark(*text) || !*text)
		return;
	if (++scan->entries == ENTRIES_MAX + 1)
		complain(scan, "the file has more than %d sections and keys",
			ENTRIES_MAX);
	if (scan->entries > ENTRIES_MAX)
		return;
	if (*text == '[')
		scan_section(scan, text);
	else
		scan_key(scan, text);
}

/* One line, without its end. */
static void scan_line(struct scan *scan, const char *bytes, size_t len)
{
	if (len > 0 && bytes[len - 1] == '\r') {
		len--;
		scan->in_copy[len] = ' ';
	}
	if (scan->line == 1 && len >= 3 &&
		memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		complain(scan, "the file starts with a byte order mark: save "
			       "it as plain UTF-8");
		bytes += 3;
		len -= 3;
	}
	if (!check_bytes(scan, bytes, len))
		return;
	scan->text = xstrndup(bytes, len);
	scan->len = len;
	trim_end(scan->text);
	scan_text(scan);
	free(scan->text);
}

void ini_scan(const struct ini_source *source, struct ini *ini, char *copy,
	struct findings *f)
{
	const char *bytes = source->bytes;
	size_t len = source->len;
	struct scan state = {
		.ini = ini,
		.file = source->file,
		.f = f,
		.copy = copy,
	};
	struct scan *scan = &state;

	memcpy(copy, bytes, len);
	for (size_t at = 0; at < len;) {
		const char *start = bytes + at;
		const char *stop = memchr(start, '\n', len - at);
		size_t n = stop ? (size_t)(stop - start) : len - at;
		scan->line++;
		scan->in_copy = scan->copy + at;
		scan_line(scan, start, n);
		if (!stop)
			complain(scan, "the last line has no end: was the "
				       "file cut?");
		at += n + 1;
	}
}
