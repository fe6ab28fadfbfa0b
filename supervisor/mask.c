/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass over text.  A string token followed by ':' is a member's name;
 * its value is dropped whole when the name is one of a secret's.  What is
 * not in quotes is looked at for NAME=VALUE, as options of QEMU's and INI
 * files have it.  Rather too much is masked than too little.
 */
#include "supervisor/mask.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define HIDDEN "***"

/* A name that has one of these in it. */
static const char *const parts[] = { "passw", "secret", "passphrase" };
/* Whole names: what secret objects, ring buffers and keyboards are given. */
static const char *const names[] = { "data", "keys", "buf-b64", "input-data",
	"key", "value" };
/* Words in a line of HMP after which there may be one. */
static const char *const hmp[] = { "passw", "secret", "sendkey", "change" };

struct scan {
	const char *at;
	const char *end;
	struct str *out;
};

static bool has(const char *text, size_t len, const char *part)
{
	size_t n = strlen(part);

	for (; len >= n; text++, len--)
		if (!strncasecmp(text, part, n))
			return true;
	return false;
}

/* "password-file": what it names is no secret. */
static bool is_file(const char *name, size_t len)
{
	return len > 5 && !memcmp(name + len - 5, "-file", 5);
}

static bool is_secret(const char *name, size_t len)
{
	if (is_file(name, len))
		return false;
	for (size_t i = 0; i < NELEMS(parts); i++)
		if (has(name, len, parts[i]))
			return true;
	for (size_t i = 0; i < NELEMS(names); i++)
		if (len == strlen(names[i]) && !memcmp(name, names[i], len))
			return true;
	return false;
}

/* Behind the closing quote of a string that begins at `at`, or the end. */
static const char *string_end(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		at += *at == '\\' && at + 1 < end;
	return at < end ? at + 1 : end;
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r\n", *at))
		at++;
	return at;
}

/* Behind an array that begins at `at`, strings in it heeded. */
static const char *array_end(const char *at, const char *end)
{
	unsigned depth = 0;

	while (at < end) {
		if (*at == '"') {
			at = string_end(at, end);
			continue;
		}
		depth += *at == '[';
		depth -= *at == ']';
		at++;
		if (depth == 0)
			break;
	}
	return at;
}

/* Behind a value, or `at` itself for an object: it is looked into. */
static const char *value_end(const char *at, const char *end)
{
	if (at == end || *at == '{')
		return at;
	if (*at == '"')
		return string_end(at, end);
	if (*at == '[')
		return array_end(at, end);
	while (at < end && !strchr(",}] \t\r\n", *at))
		at++;
	return at;
}

static void copy_to(struct scan *s, const char *to)
{
	str_addn(s->out, s->at, (size_t)(to - s->at));
	s->at = to;
}

static bool is_telling_hmp(const char *value, size_t len)
{
	for (size_t i = 0; i < NELEMS(hmp); i++)
		if (has(value, len, hmp[i]))
			return true;
	return false;
}

/* A string, and its value too if it is a name. */
static void take_string(struct scan *s)
{
	const char *name = s->at + 1;
	const char *end = string_end(s->at, s->end);
	size_t len = (size_t)(end - name);
	const char *value = skip_blanks(end, s->end);
	const char *after;

	len -= len > 0 && end[-1] == '"';
	copy_to(s, end);
	if (value == s->end || *value != ':')
		return;
	value = skip_blanks(value + 1, s->end);
	after = value_end(value, s->end);
	copy_to(s, value);
	if (after == value)
		return;
	if (!is_secret(name, len) &&
		!(len == 12 && !memcmp(name, "command-line", 12) &&
			is_telling_hmp(value, (size_t)(after - value))))
		return;
	str_add(s->out, "\"" HIDDEN "\"");
	s->at = after;
}

/* Where the word begins that ends at `at`. */
static const char *word_start(const char *from, const char *at)
{
	while (at > from && (at[-1] == '-' || at[-1] == '_' ||
				    (at[-1] >= 'a' && at[-1] <= 'z') ||
				    (at[-1] >= 'A' && at[-1] <= 'Z') ||
				    (at[-1] >= '0' && at[-1] <= '9')))
		at--;
	return at;
}

/* At a '=': "data=VALUE" or "password = VALUE", up to a comma or blank. */
static void take_assignment(struct scan *s, const char *from)
{
	const char *end = s->at;
	const char *after;
	const char *name;

	while (end > from && end[-1] == ' ')
		end--;
	name = word_start(from, end);
	copy_to(s, s->at + 1);
	while (s->at < s->end && *s->at == ' ')
		copy_to(s, s->at + 1);
	if (name == end || !is_secret(name, (size_t)(end - name)))
		return;
	after = s->at;
	while (after < s->end && *after && !strchr(", \t\r\n", *after))
		after++;
	if (after > s->at)
		str_add(s->out, HIDDEN);
	s->at = after;
}

/* At "://": "user:password@" of a URL, up to the colon in it. */
static void take_url(struct scan *s)
{
	const char *from = s->at + strlen("://");
	const char *colon = NULL;
	const char *at = from;

	for (; at < s->end && *at && !strchr("/@ \t\r\n\"", *at); at++)
		if (!colon && *at == ':')
			colon = at;
	copy_to(s, from);
	if (!colon || at == s->end || *at != '@')
		return;
	copy_to(s, colon + 1);
	str_add(s->out, HIDDEN);
	s->at = at;
}

static bool is_url(const struct scan *s)
{
	return s->end - s->at > 3 && !memcmp(s->at, "://", 3);
}

void mask_secrets(const char *text, size_t len, struct str *out)
{
	struct scan s = { text, text + len, out };

	while (s.at < s.end) {
		if (*s.at == '"')
			take_string(&s);
		else if (*s.at == '=')
			take_assignment(&s, text);
		else if (is_url(&s))
			take_url(&s);
		else
			copy_to(&s, s.at + 1);
	}
}

static json_t *mask_text(const json_t *value)
{
	AUTO_STR struct str out = STR_INIT;

	mask_secrets(json_string_value(value), json_string_length(value), &out);
	return json_stringn(str_text(&out), out.len);
}

json_t *mask_json_steal(json_t *value)
{
	json_t *copy = json_incref(value);
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(value)) {
		json_decref(copy);
		copy = mask_text(value);
	} else if (json_is_array(value)) {
		json_decref(copy);
		copy = json_array();
		json_array_foreach(value, i, item) json_array_append_new(
			copy, mask_json_steal(json_incref(item)));
	} else if (json_is_object(value)) {
		json_decref(copy);
		copy = json_object();
		json_object_foreach(value, key, item) json_object_set_new(
			copy, key, mask_json_steal(json_incref(item)));
	}
	json_decref(value);
	return copy;
}
