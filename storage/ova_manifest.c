/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The manifest (.mf) of an OVA; see ova_manifest.h. */
#include "storage/ova_manifest.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum { NAME_SHOWN = 60 };

#define BLANKS " \t\r"
#define HEX    "0123456789abcdef"

static const struct way {
	const char *word;
	const char *program;
	size_t digits;
} ways[] = {
	{ "SHA1", "sha1sum", 40 },
	{ "SHA256", "sha256sum", 64 },
	{ "SHA512", "sha512sum", 128 },
};

/* One line, taken apart in its place. */
struct line {
	char *word;
	char *name;
	char *digest;
};

static void drop_blanks_behind(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && strchr(BLANKS, text[len - 1]))
		text[--len] = '\0';
}

static bool take_apart(char *text, struct line *out)
{
	char *digest = strrchr(text, '=');
	char *name = strchr(text, '(');
	size_t len;

	if (!digest || !name || name > digest)
		return false;
	*digest++ = '\0';
	*name++ = '\0';
	drop_blanks_behind(name);
	len = strlen(name);
	if (len < 2 || name[len - 1] != ')')
		return false;
	name[len - 1] = '\0';
	drop_blanks_behind(text);
	*out = (struct line){ text, name, digest + strspn(digest, BLANKS) };
	for (char *at = out->digest; *at; at++)
		if (*at >= 'A' && *at <= 'F')
			*at = (char)(*at - 'A' + 'a');
	return true;
}

static const struct way *way_of(const struct line *line)
{
	for (size_t i = 0; i < NELEMS(ways); i++)
		if (str_eq(line->word, ways[i].word) &&
			strlen(line->digest) == ways[i].digits &&
			strspn(line->digest, HEX) == ways[i].digits)
			return &ways[i];
	return NULL;
}

static const char *without_dot(const char *name)
{
	return str_starts(name, "./") ? name + 2 : name;
}

static struct ova_member *find(
	struct ova_member *members, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(without_dot(members[i].name), without_dot(name)))
			return &members[i];
	return NULL;
}

int ova_manifest_refuse(
	const char *path, const char *name, const char *why, struct err *err)
{
	AUTO_STR struct str shown = STR_INIT;

	str_add_visible(&shown, name, strnlen(name, NAME_SHOWN));
	return err_set(err, ERR_CONFIG, "'%s' is refused: its .mf %s '%s'",
		path, why, str_text(&shown));
}

static int note(char *text, const char *path, struct ova_member *members,
	size_t n, struct err *err)
{
	AUTO_FREE char *whole = xstrdup(text);
	struct line line;
	const struct way *way = take_apart(text, &line) ? way_of(&line) : NULL;
	struct ova_member *member;

	if (!way)
		return ova_manifest_refuse(
			path, whole, "has a line that is no digest:", err);
	member = find(members, n, line.name);
	if (!member)
		return ova_manifest_refuse(path, line.name,
			"tells of a file that is not there:", err);
	if (member->program)
		return ova_manifest_refuse(
			path, line.name, "tells twice of", err);
	member->program = way->program;
	memcpy(member->digest, line.digest, way->digits + 1);
	return 0;
}

int ova_manifest_note(char *text, const char *path, struct ova_member *members,
	size_t n, struct err *err)
{
	char *next;

	for (char *line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		drop_blanks_behind(line);
		if (*line && note(line, path, members, n, err))
			return -1;
	}
	return 0;
}
