/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bounded scan of XML; see xml_scan.h. */
#include "storage/xml_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define BLANKS " \t\r\n"

enum { TEXT_MOST = 65536, ELEMENTS_MOST = 20000 };

struct level {
	char name[XML_NAME_SIZE]; /* with its prefix */
	struct str text;
};

struct scan {
	const char *begin;
	const char *at; /* the text ends with a NUL, and has no other one */
	const struct xml_hooks *hooks;
	void *arg;
	struct level levels[XML_DEEPEST];
	size_t depth;
	unsigned elements;
	struct xml_attribute attributes[XML_ATTRIBUTES];
	size_t n;
	struct err *err;
};

static int refuse(const struct scan *s, const char *why)
{
	unsigned line = 1;

	for (const char *c = s->begin; c < s->at; c++)
		line += *c == '\n';
	return err_set(s->err, ERR_CONFIG, "line %u: %s", line, why);
}

static bool skip(struct scan *s, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(s->at, word, len) != 0)
		return false;
	s->at += len;
	return true;
}

static bool skip_blanks(struct scan *s)
{
	size_t len = strspn(s->at, BLANKS);

	s->at += len;
	return len > 0;
}

/* Up to the word, and over it. */
static int skip_to(struct scan *s, const char *word)
{
	const char *end = strstr(s->at, word);

	if (!end)
		return refuse(s, "it ends too early");
	s->at = end + strlen(word);
	return 0;
}

static int read_name(struct scan *s, char out[XML_NAME_SIZE])
{
	size_t len = strcspn(s->at, BLANKS "/>=<&\"'");

	if (len == 0 || len >= XML_NAME_SIZE)
		return refuse(s, len ? "a name is too long" : "no name");
	memcpy(out, s->at, len);
	out[len] = '\0';
	s->at += len;
	return 0;
}

static const char *without_prefix(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon ? colon + 1 : name;
}

/* ---- text ---- */

/* "#65;" or "#x41;", behind the "&". */
static int add_number(struct scan *s, struct str *out)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	unsigned base = s->at[1] == 'x' ? 16 : 10;
	const char *at = s->at + (base == 16 ? 2 : 1);
	unsigned value = 0;

	for (; *at && *at != ';' && value < 0x7f; at++) {
		const char *digit = strchr(digits, *at);
		unsigned is = digit ? (unsigned)(digit - digits) % 16 : base;

		if (is >= base)
			break;
		value = value * base + is;
	}
	if (*at != ';' || value < ' ' || value > 0x7e)
		return refuse(s, "a number that is no plain character");
	str_addc(out, (char)value);
	s->at = at + 1;
	return 0;
}

static int add_entity(struct scan *s, struct str *out)
{
	static const struct {
		const char *word;
		char is;
	} entities[] = { { "amp;", '&' }, { "lt;", '<' }, { "gt;", '>' },
		{ "quot;", '"' }, { "apos;", '\'' } };

	s->at++;
	if (*s->at == '#')
		return add_number(s, out);
	for (size_t i = 0; i < NELEMS(entities); i++) {
		if (skip(s, entities[i].word)) {
			str_addc(out, entities[i].is);
			return 0;
		}
	}
	return refuse(s, "an entity that is not one of XML's own");
}

/* Up to one of the bytes of end. */
static int add_text(struct scan *s, const char *end, struct str *out)
{
	while (*s->at && !strchr(end, *s->at)) {
		if (out->len >= TEXT_MOST)
			return refuse(s, "a text is too long");
		if (*s->at != '&')
			str_addc(out, *s->at++);
		else if (add_entity(s, out))
			return -1;
	}
	return *s->at ? 0 : refuse(s, "it ends too early");
}

/* ---- tags ---- */

static int read_attribute(struct scan *s)
{
	struct xml_attribute *a = &s->attributes[s->n];
	struct str value = STR_INIT;
	char name[XML_NAME_SIZE];
	const char *end;

	if (s->n == XML_ATTRIBUTES)
		return refuse(s, "an element has too many attributes");
	if (read_name(s, name))
		return -1;
	skip_blanks(s);
	if (!skip(s, "="))
		return refuse(s, "an attribute has no value");
	skip_blanks(s);
	end = *s->at == '"' ? "\"<" : *s->at == '\'' ? "'<" : NULL;
	if (!end)
		return refuse(s, "a value is not quoted");
	s->at++;
	if (add_text(s, end, &value) || *s->at == '<') {
		str_fini(&value);
		return s->err->code ? -1 : refuse(s, "'<' in a value");
	}
	s->at++;
	snprintf(a->name, sizeof(a->name), "%s", without_prefix(name));
	a->value = str_take(&value);
	s->n++;
	return 0;
}

static void drop_attributes(struct scan *s)
{
	while (s->n > 0)
		free(s->attributes[--s->n].value);
}

static void leave(struct scan *s)
{
	struct level *level = &s->levels[--s->depth];

	s->hooks->on_end(
		s->arg, without_prefix(level->name), str_text(&level->text));
	str_fini(&level->text);
}

static int read_start(struct scan *s)
{
	struct level *level = &s->levels[s->depth];
	bool blank = true;

	if (s->depth == XML_DEEPEST || ++s->elements > ELEMENTS_MOST)
		return refuse(s, "it has too many elements");
	if (read_name(s, level->name))
		return -1;
	for (blank = skip_blanks(s); *s->at != '>' && *s->at != '/';
		blank = skip_blanks(s)) {
		if (!blank)
			return refuse(s, "no blank before an attribute");
		if (read_attribute(s))
			return -1;
	}
	level->text = (struct str)STR_INIT;
	s->depth++;
	s->hooks->on_start(
		s->arg, without_prefix(level->name), s->attributes, s->n);
	drop_attributes(s);
	if (skip(s, "/"))
		leave(s);
	return skip(s, ">") ? 0 : refuse(s, "a tag that does not end");
}

static int read_end(struct scan *s)
{
	char name[XML_NAME_SIZE];

	if (read_name(s, name))
		return -1;
	skip_blanks(s);
	if (!skip(s, ">"))
		return refuse(s, "a tag that does not end");
	if (s->depth == 0 || !str_eq(name, s->levels[s->depth - 1].name))
		return refuse(s, "the end of what did not begin");
	leave(s);
	return 0;
}

static int read_markup(struct scan *s)
{
	if (skip(s, "<?"))
		return skip_to(s, "?>");
	if (skip(s, "<!--"))
		return skip_to(s, "-->");
	if (skip(s, "<!"))
		return refuse(s, "a document type, or a section of raw text");
	if (skip(s, "</"))
		return read_end(s);
	s->at++;
	if (s->depth == 0 && s->elements > 0)
		return refuse(s, "something stands behind its end");
	return read_start(s);
}

static int read_all(struct scan *s)
{
	skip(s, "\xef\xbb\xbf");
	while (*s->at) {
		if (*s->at == '<') {
			if (read_markup(s))
				return -1;
		} else if (s->depth > 0) {
			if (add_text(s, "<", &s->levels[s->depth - 1].text))
				return -1;
		} else if (!skip_blanks(s)) {
			return refuse(s, "text outside of all elements");
		}
	}
	return s->depth || !s->elements ? refuse(s, "it ends too early") : 0;
}

int xml_scan(const char *text, size_t len, const struct xml_hooks *hooks,
	void *arg, struct err *err)
{
	AUTO_FREE char *copy = xstrndup(text, len);
	struct scan *s = NEW(struct scan);
	int rc;

	*s = (struct scan){ .begin = copy,
		.at = copy,
		.hooks = hooks,
		.arg = arg,
		.err = err };
	rc = strlen(copy) != len || !str_is_utf8(copy, len)
		     ? refuse(s, "it is no text in UTF-8")
		     : read_all(s);
	drop_attributes(s);
	while (s->depth > 0)
		str_fini(&s->levels[--s->depth].text);
	free(s);
	return rc;
}

const char *xml_attribute(
	const struct xml_attribute *attributes, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(attributes[i].name, name))
			return attributes[i].value;
	return NULL;
}
