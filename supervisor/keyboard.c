/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From text to keys; see keyboard.h. */
#include "supervisor/keyboard.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define CHORD_MAX 8

/* Keys that are named otherwise than what they write. */
static const struct {
	char c;
	char shifted; /* what it writes with shift; or 0 */
	const char *name;
} named[] = {
	{ ' ', 0, "spc" },
	{ '\n', 0, "ret" },
	{ '\t', 0, "tab" },
	{ '-', '_', "minus" },
	{ '=', '+', "equal" },
	{ '[', '{', "bracket_left" },
	{ ']', '}', "bracket_right" },
	{ '\\', '|', "backslash" },
	{ ';', ':', "semicolon" },
	{ '\'', '"', "apostrophe" },
	{ '`', '~', "grave_accent" },
	{ ',', '<', "comma" },
	{ '.', '>', "dot" },
	{ '/', '?', "slash" },
};

/* With shift, the keys 0 to 9. */
static const char above_digits[] = ")!@#$%^&*(";

static void add_key(json_t *keys, const char *name)
{
	json_array_append_new(
		keys, json_pack("{s:s,s:s}", "type", "qcode", "data", name));
}

/* The key's name, "" for none; own has room for one of a letter. */
static const char *key_of(char c, bool *shift, char own[2])
{
	const char *digit = strchr(above_digits, c);

	*shift = (c >= 'A' && c <= 'Z') || digit;
	own[0] = digit    ? (char)('0' + (digit - above_digits))
		 : *shift ? (char)(c - 'A' + 'a')
			  : c;
	own[1] = '\0';
	if (*shift || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return own;
	for (size_t i = 0; i < NELEMS(named); i++) {
		*shift = named[i].shifted == c;
		if (*shift || named[i].c == c)
			return named[i].name;
	}
	return "";
}

static json_t *keys_of(char c)
{
	char own[2];
	bool shift;
	const char *name = key_of(c, &shift, own);
	json_t *keys;

	if (!*name)
		return NULL;
	keys = json_array();
	if (shift)
		add_key(keys, "shift");
	add_key(keys, name);
	return keys;
}

/* The whole character at text, as people see it. */
static int fail_at(const char *all, const char *text, struct err *err)
{
	size_t len = 1;
	AUTO_STR struct str shown = STR_INIT;

	while ((text[len] & 0xc0) == 0x80)
		len++;
	str_add_visible(&shown, text, len);
	return err_set(err, ERR_USAGE,
		"'%s' (byte %zu) has no key on a US keyboard: send it by "
		"console or agent exec",
		str_text(&shown), (size_t)(text - all) + 1);
}

json_t *keyboard_of_text(const char *text, struct err *err)
{
	json_t *all = json_array();

	for (const char *c = text; *c; c++) {
		json_t *keys = keys_of(*c);

		if (!keys) {
			json_decref(all);
			fail_at(text, c, err);
			return NULL;
		}
		json_array_append_new(all, keys);
	}
	return all;
}

json_t *keyboard_of_chord(const char *chord, struct err *err)
{
	json_t *keys = json_array();
	AUTO_FREE char *copy = xstrdup(chord);
	char *rest = copy;

	for (char *key; (key = strsep(&rest, "-")) != NULL;) {
		if (!*key || json_array_size(keys) == CHORD_MAX) {
			json_decref(keys);
			err_set(err, ERR_USAGE,
				"'%s' are no keys: say names of QEMU's, at "
				"most %d, with - between: ctrl-alt-delete",
				chord, CHORD_MAX);
			return NULL;
		}
		add_key(keys, key);
	}
	return keys;
}
