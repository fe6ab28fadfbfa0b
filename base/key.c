/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text to field, by the type of a key: strict parsers, ranges, choices,
 * paths and specifiers.  Every failure reads "VALUE: what to write".
 */
#include "base/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/atom.h"
#include "base/log.h"
#include "base/mem.h"

/* ---- specifiers ---- */

/* What a specifier stands for; NULL with err. */
static const char *specifier(
	char letter, const struct key_scope *scope, struct err *err)
{
	switch (letter) {
	case '%':
		return "%";
	case 'n':
		return scope->name;
	case 'p':
		return scope->prefix;
	case 'H':
		return scope->host;
	case 'i':
		if (scope->instance)
			return scope->instance;
		err_set(err, ERR_CONFIG,
			"%%i: only instances (NAME@.ini) have it");
		return NULL;
	default:
		err_set(err, ERR_CONFIG,
			"%%%c: there are %%n %%p %%i %%H; a percent sign is "
			"written %%%%",
			letter ? letter : ' ');
		return NULL;
	}
}

char *key_expand(
	const char *text, const struct key_scope *scope, struct err *err)
{
	AUTO_STR struct str out = STR_INIT;

	for (const char *at = text; *at; at++) {
		if (*at != '%') {
			str_addc(&out, *at);
			continue;
		}
		const char *value = specifier(*++at, scope, err);
		if (!value)
			return NULL;
		str_add(&out, value);
	}
	return str_take(&out);
}

static bool has_specifiers(const struct key *key)
{
	return key->type == KEY_STRING || key->type == KEY_PATH ||
	       key->type == KEY_FILE || key->type == KEY_LIST || key->expand;
}

/* ---- paths ---- */

/* A volume's name: no directory, no option, no "." or "..". */
static bool is_volume(const char *name)
{
	return name[0] != '.' && name[0] != '-' && strlen(name) < 256;
}

char *key_absolute(const struct key *key, const char *value, const char *dir,
	const char *home, struct err *err)
{
	bool slash = strchr(value, '/') != NULL;

	if (value[0] == '/' || (key->literal && key->literal(value)))
		return xstrdup(value);
	if (str_starts(value, "~/") && home)
		return xasprintf("%s/%s", home, value + 2);
	if (value[0] == '~') {
		err_set(err, ERR_CONFIG,
			"%s: say the whole path; ~/ works with --user and run",
			value);
		return NULL;
	}
	if (key->type == KEY_FILE && !slash) {
		if (is_volume(value))
			return xstrdup(value);
		err_set(err, ERR_CONFIG,
			"%s: a volume's name does not start with '%c'", value,
			value[0]);
		return NULL;
	}
	if (str_starts(value, "./"))
		value += 2;
	return xasprintf("%s/%s", str_eq(dir, "/") ? "" : dir, value);
}

/* ---- parsers by type ---- */

static int parse_string(
	const struct key *key, const char *text, void *field, struct err *err)
{
	(void)key;
	(void)err;
	*(const char **)field = atom_get(text);
	return 0;
}

/* Appends one item without its blanks; -1 if nothing is left. */
static int add_item(
	char ***list, size_t *n, const char *text, size_t len, struct err *err)
{
	for (; len > 0 && strchr(" \t", text[0]); len--)
		text++;
	while (len > 0 && strchr(" \t", text[len - 1]))
		len--;
	if (len == 0)
		return err_set(err, ERR_CONFIG,
			"(empty): there is nothing between two commas");
	*list = xreallocarray(*list, *n + 2, sizeof **list);
	(*list)[(*n)++] = xstrndup(text, len);
	(*list)[*n] = NULL;
	return 0;
}

/* A list of nothing is this one everywhere. */
static char *no_items[1];

static void free_list(char **list)
{
	if (list == no_items)
		return;
	for (char **item = list; item && *item; item++)
		free(*item);
	free(list);
}

static int parse_list(
	const struct key *key, const char *text, void *field, struct err *err)
{
	char **list = xcalloc(1, sizeof *list);
	size_t n = 0;

	(void)key;
	while (*text) {
		size_t len = strcspn(text, ",");
		if (add_item(&list, &n, text, len, err) < 0) {
			free_list(list);
			return -1;
		}
		text += len;
		if (*text == ',' && !*++text) {
			free_list(list);
			return err_set(err, ERR_CONFIG,
				"(empty): there is nothing after the last "
				"comma");
		}
	}
	*(char ***)field = list;
	return 0;
}

static int parse_bool(
	const struct key *key, const char *text, void *field, struct err *err)
{
	(void)key;
	return str_to_bool(text, field, err);
}

static int parse_int(
	const struct key *key, const char *text, void *field, struct err *err)
{
	uint64_t n;

	if (str_to_u64(text, &n, err) < 0)
		return -1;
	if (n < key->min)
		return err_set(err, ERR_CONFIG, "%s: say at least %" PRIu64,
			text, key->min);
	if (key->max && n > key->max)
		return err_set(err, ERR_CONFIG, "%s: say at most %" PRIu64,
			text, key->max);
	*(uint64_t *)field = n;
	return 0;
}

static int check_size(
	const struct key *key, const char *text, uint64_t n, struct err *err)
{
	bool low = n < key->min;
	AUTO_STR struct str limit = STR_INIT;

	if (!low && (!key->max || n <= key->max))
		return 0;
	str_add_bytes(&limit, low ? key->min : key->max);
	return err_set(err, ERR_CONFIG, "%s: say at %s %s", text,
		low ? "least" : "most", str_text(&limit));
}

static int parse_size(
	const struct key *key, const char *text, void *field, struct err *err)
{
	uint64_t n;

	if (str_to_bytes(text, &n, err) < 0)
		return -1;
	if (check_size(key, text, n, err) < 0)
		return -1;
	*(uint64_t *)field = n;
	return 0;
}

uint64_t key_host_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);
	long size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

/* "50%" of the host's, in whole MiB; else a size. */
static int parse_memory(
	const struct key *key, const char *text, void *field, struct err *err)
{
	AUTO_FREE char *digits = xstrdup(text);
	uint64_t percent;

	if (!str_ends(text, "%"))
		return parse_size(key, text, field, err);
	digits[strlen(digits) - 1] = '\0';
	if (str_to_u64(digits, &percent, err) < 0 || percent < 1 ||
		percent > 100)
		return err_set(err, ERR_CONFIG, "%s: say 1%% to 100%%", text);
	uint64_t n = key_host_memory() / 100 * percent & ~UINT64_C(0xfffff);
	if (check_size(key, text, n, err) < 0)
		return -1;
	*(uint64_t *)field = n;
	return 0;
}

static int parse_duration(
	const struct key *key, const char *text, void *field, struct err *err)
{
	bool forever_ok = key->max == UINT64_MAX;
	AUTO_STR struct str limit = STR_INIT;
	int64_t ms;

	if (str_to_ms(text, forever_ok, &ms, err) < 0)
		return -1;
	bool low = (uint64_t)ms < key->min;
	if (!low && (forever_ok || !key->max || (uint64_t)ms <= key->max)) {
		*(int64_t *)field = ms;
		return 0;
	}
	str_add_duration(&limit, (int64_t)(low ? key->min : key->max));
	return err_set(err, ERR_CONFIG, "%s: say at %s %s", text,
		low ? "least" : "most", str_text(&limit));
}

static int parse_choice(
	const struct key *key, const char *text, void *field, struct err *err)
{
	AUTO_STR struct str all = STR_INIT;

	for (int i = 0; key->choices[i]; i++) {
		if (str_eq(text, key->choices[i])) {
			*(int *)field = i;
			return 0;
		}
		str_addf(&all, "%s%s", i ? ", " : "", key->choices[i]);
	}
	const char *near = str_nearest(text, key->choices);
	if (near)
		return err_set(err, ERR_CONFIG,
			"%s: say one of %s (did you mean '%s'?)", text,
			str_text(&all), near);
	return err_set(
		err, ERR_CONFIG, "%s: say one of %s", text, str_text(&all));
}

static int parse_custom(
	const struct key *key, const char *text, void *field, struct err *err)
{
	return key->parse(text, field, err);
}

static int (*const parsers[])(const struct key *key, const char *text,
	void *field, struct err *err) = {
	[KEY_STRING] = parse_string,
	[KEY_PATH] = parse_string,
	[KEY_FILE] = parse_string,
	[KEY_LIST] = parse_list,
	[KEY_BOOL] = parse_bool,
	[KEY_INT] = parse_int,
	[KEY_SIZE] = parse_size,
	[KEY_MEMORY] = parse_memory,
	[KEY_DURATION] = parse_duration,
	[KEY_CHOICE] = parse_choice,
	[KEY_CUSTOM] = parse_custom,
};

/* ---- fields ---- */

static void release_custom(const struct key *key, void *field)
{
	if (key->release)
		key->release(field);
}

void key_value_release(const struct key *key, void *field)
{
	if (key->type == KEY_CUSTOM) {
		release_custom(key, field);
	} else if (key->type == KEY_LIST) {
		free_list(*(char ***)field);
		*(char ***)field = NULL;
	} else if (key->type == KEY_STRING || key->type == KEY_PATH ||
		   key->type == KEY_FILE) {
		atom_set(field, NULL);
	}
}

/* A value that means 'not set' where there is no default. */
static void clear(const struct key *key, void *field)
{
	if (key->type == KEY_LIST)
		*(char ***)field = no_items;
	else if (key->type == KEY_BOOL)
		*(bool *)field = false;
	else if (key->type == KEY_CHOICE)
		*(int *)field = 0;
	else if (key->type == KEY_DURATION)
		*(int64_t *)field = 0;
	else if (key->type == KEY_INT || key->type == KEY_SIZE ||
		 key->type == KEY_MEMORY)
		*(uint64_t *)field = 0;
}

void key_value_default(const struct key *key, void *field)
{
	struct err err = ERR_INIT;

	key_value_release(key, field);
	clear(key, field);
	if (!key->fallback)
		return;
	if (key->type == KEY_LIST)
		key_value_release(key, field);
	BUG_ON(parsers[key->type](key, key->fallback, field, &err) < 0);
}

/* The text with specifiers and paths worked out, new; NULL with err. */
static char *resolve(
	const struct key *key, const struct key_source *source, struct err *err)
{
	AUTO_FREE char *text = has_specifiers(key) ? key_expand(source->text,
							     source->scope, err)
						   : xstrdup(source->text);

	if (!text || (key->type != KEY_PATH && key->type != KEY_FILE))
		return TAKE(text);
	return key_absolute(key, text, source->dir, source->scope->home, err);
}

int key_value_set(const struct key *key, void *field,
	const struct key_source *source, struct err *err)
{
	key_value_default(key, field);
	if (!source->text[0])
		return 0;
	AUTO_FREE char *text = resolve(key, source, err);
	if (!text)
		return -1;
	key_value_release(key, field);
	if (parsers[key->type](key, text, field, err) == 0)
		return 0;
	key_value_default(key, field);
	return -1;
}
