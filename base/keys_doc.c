/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a key table says about itself: names for completion, paragraphs for
 * vmward.ini(5), and the commented sample of `show --defaults`.
 * Declared in base/keys.h.
 */
#include <inttypes.h>

#include "base/keys.h"
#include "base/mem.h"

static const char *const when_texts[] = {
	[KEY_HOT] = "A change takes effect at the next cold start, or in the\n"
		    "running VM by\n.Ic vmward apply\nor",
	[KEY_RESET] = "A change takes effect at the guest's next reset.",
	[KEY_COLD] = "A change takes effect at the next cold start.",
	[KEY_POLICY] = "",
};

static const char *const type_texts[] = {
	[KEY_STRING] = "text",
	[KEY_PATH] = "path",
	[KEY_FILE] = "path or volume",
	[KEY_LIST] = "list",
	[KEY_BOOL] = "yes or no",
	[KEY_INT] = "number",
	[KEY_SIZE] = "size",
	[KEY_MEMORY] = "size or percentage",
	[KEY_DURATION] = "duration",
	[KEY_CHOICE] = "choice",
	[KEY_CUSTOM] = "text",
};

/* "[disk.NAME]" without the brackets. */
static void add_section_name(struct str *out, const struct section *s)
{
	str_addf(out, "%s%s", s->name, s->named ? ".NAME" : "");
}

void keys_add_names(struct str *out, const struct section *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		keys_each(&s[i], key) {
			add_section_name(out, &s[i]);
			str_addf(out, ".%s\n", key->name);
		}
		if (s[i].named && !s[i].later) {
			add_section_name(out, &s[i]);
			str_add(out, ".enabled\n");
		}
	}
}

/* ---- mdoc ---- */

/* Text in which roff sees no request and no escape. */
static void add_roff(struct str *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		str_add(out, "\\&");
	for (; *text; text++) {
		if (*text == '\\')
			str_add(out, "\\e");
		else if (*text == '-')
			str_add(out, "\\-");
		else
			str_addc(out, *text);
	}
}

/* A word as an argument of a macro: quoted, nothing in it a macro. */
static void add_word(struct str *out, const char *text)
{
	str_add(out, " Cm \\&");
	add_roff(out, text);
}

static void add_choices(struct str *out, const struct key *key)
{
	for (size_t i = 0; key->choices[i]; i++) {
		const char *next = key->choices[i + 1];
		str_add(out, i ? ".Cm \\&" : "One of\n.Cm \\&");
		add_roff(out, key->choices[i]);
		str_add(out, next ? " ,\n" : " .\n");
	}
}

static void add_key_mdoc(struct str *out, const struct key *key)
{
	str_add(out, ".It");
	add_word(out, key->name);
	str_addf(
		out, " Pq %s\n", key->form ? key->form : type_texts[key->type]);
	add_roff(out, key->help);
	str_addc(out, '\n');
	if (key->type == KEY_CHOICE)
		add_choices(out, key);
	if (key->fallback && key->fallback[0]) {
		AUTO_FREE char *text = xstrdup(key->fallback);
		str_add(out, "The default is\n.Ql ");
		add_roff(out, text);
		str_add(out, " .\n");
	}
	if (when_texts[key->when][0])
		str_addf(out, "%s\n", when_texts[key->when]);
	if (key->live)
		str_addf(out, ".Ic vmward %s .\n", key->live);
}

void keys_add_mdoc(struct str *out, const struct section *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i].later)
			continue;
		str_add(out, ".Ss [");
		add_section_name(out, &s[i]);
		str_add(out, "]\n");
		if (s[i].help) {
			add_roff(out, s[i].help);
			str_addc(out, '\n');
		}
		str_add(out, ".Bl -tag -width Ds\n");
		keys_each(&s[i], key)
			add_key_mdoc(out, key);
		if (s[i].other_names)
			str_addf(out, ".It Cm %s\n", s[i].other_names);
		if (s[i].named)
			str_add(out, ".It Cm enabled Pq yes or no\n"
				     "no removes the device.\n");
		str_add(out, ".El\n");
	}
}

/* ---- the sample ---- */

static void add_key_sample(struct str *out, const struct key *key)
{
	str_addf(out, "; %s\n", key->help);
	if (key->type == KEY_CHOICE) {
		str_add(out, "; One of");
		for (size_t i = 0; key->choices[i]; i++)
			str_addf(out, "%s %s", i ? "," : "", key->choices[i]);
		str_add(out, ".\n");
	}
	str_addf(out, ";%s = %s\n", key->name,
		key->fallback ? key->fallback : "");
}

void keys_add_defaults(struct str *out, const struct section *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i].later)
			continue;
		str_addf(out, "%s; %s\n;[", out->len ? "\n" : "",
			s[i].help ? s[i].help : "");
		add_section_name(out, &s[i]);
		str_add(out, "]\n");
		keys_each(&s[i], key)
			add_key_sample(out, key);
		if (s[i].other_names)
			str_addf(out, ";%s =\n", s[i].other_names);
		if (s[i].named)
			str_add(out, ";enabled = yes\n");
	}
}
