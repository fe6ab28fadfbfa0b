/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From text to keys. */
#include "supervisor/keyboard.h"

#include "base/jstream.h"

#include "tests/unit/tap.h"

/* "shift+h e l" of what send-key gets; new. */
static char *shown(const json_t *all)
{
	AUTO_STR struct str out = STR_INIT;
	const json_t *keys, *key;
	size_t i, k;

	json_array_foreach(all, i, keys)
	{
		str_add(&out, i ? " " : "");
		json_array_foreach(keys, k, key) str_addf(&out, "%s%s",
			k ? "+" : "",
			json_string_value(json_object_get(key, "data")));
	}
	return xstrdup(str_text(&out));
}

static void types(const char *text, const char *want)
{
	struct err err = ERR_INIT;
	AUTO_JSON json_t *all = keyboard_of_text(text, &err);
	AUTO_FREE char *got = shown(all);

	ok(all, "'%s' has keys", text);
	is_str(got, want, "these");
}

static void has_none(const char *text, const char *why)
{
	struct err err = ERR_INIT;
	AUTO_JSON json_t *all = keyboard_of_text(text, &err);

	ok(!all && err.code == ERR_USAGE, "'%s' has no keys", text);
	ok(strstr(err.text, why), "%s", err.text);
}

static void is_chord(const char *text, const char *want)
{
	struct err err = ERR_INIT;
	AUTO_JSON json_t *keys = keyboard_of_chord(text, &err);
	AUTO_JSON json_t *all = keys ? json_pack("[O]", keys) : NULL;
	AUTO_FREE char *got = shown(all);

	is_str(got, want, "the keys of '%s'", text);
	is_int(err.code, *want ? ERR_NONE : ERR_USAGE, "(%s)", err.text);
}

int main(void)
{
	types("", "");
	types("Hi a9\n", "shift+h i spc a 9 ret");
	types("!@#$%^&*()", "shift+1 shift+2 shift+3 shift+4 shift+5 shift+6 "
			    "shift+7 shift+8 shift+9 shift+0");
	types("-_=+", "minus shift+minus equal shift+equal");
	types("[{]}", "bracket_left shift+bracket_left bracket_right "
		      "shift+bracket_right");
	types("\\|;:", "backslash shift+backslash semicolon shift+semicolon");
	types("'\"`~", "apostrophe shift+apostrophe grave_accent "
		       "shift+grave_accent");
	types(",<.>/?\t", "comma shift+comma dot shift+dot slash shift+slash "
			  "tab");
	for (char c = ' '; c < 127; c++) {
		char text[2] = { c, '\0' };
		struct err err = ERR_INIT;
		AUTO_JSON json_t *all = keyboard_of_text(text, &err);

		ok(all, "'%s' has a key", text);
	}
	has_none("ab\xc3\xa9", "'\xc3\xa9' (byte 3)");
	has_none("\x1b", "'\\x1b' (byte 1)");
	has_none("\x7f", "byte 1");
	is_chord("ctrl-alt-delete", "ctrl+alt+delete");
	is_chord("f1", "f1");
	is_chord("", "");
	is_chord("-", "");
	is_chord("ctrl-", "");
	is_chord("a-b-c-d-e-f-g-h", "a+b+c+d+e+f+g+h");
	is_chord("a-b-c-d-e-f-g-h-i", "");
	return done();
}
