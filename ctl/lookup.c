/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the verb: whole names and aliases always, prefixes only for
 * people, so that a script does not change its meaning when a verb is added.
 */
#include "ctl/lookup.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static bool is_typed(const struct verb *verb)
{
	return !(verb->flags & VERB_WIRE);
}

/* "disk attach" for the words "disk" and "attach". */
static const struct verb *whole(const char *const *words, int n, int *used)
{
	const struct verb *verb = NULL;

	if (n > 1) {
		AUTO_STR struct str two = STR_INIT;

		str_addf(&two, "%s %s", words[0], words[1]);
		verb = verb_by_name(str_text(&two));
		*used = 2;
	}
	if (!verb) {
		verb = verb_by_name(words[0]);
		*used = 1;
	}
	return verb;
}

/* Whether the typed words are prefixes of the words of a verb's name. */
static bool has_prefix(
	const char *name, const char *const *words, int n, int *used)
{
	const char *blank = strchr(name, ' ');
	size_t len = strlen(words[0]);

	*used = blank ? 2 : 1;
	if (!blank)
		return str_starts(name, words[0]);
	if (len > (size_t)(blank - name) || strncmp(name, words[0], len))
		return false;
	return n < 2 || str_starts(blank + 1, words[1]);
}

/* The only verb whose name starts like that; NULL with the error set. */
static const struct verb *by_prefix(
	const char *const *words, int n, int *used, struct err *err)
{
	AUTO_STR struct str names = STR_INIT;
	const struct verb *found = NULL;
	int found_used = 1;
	int count = 0;

	for (size_t i = 0; i < nverbs; i++) {
		int took;

		if (!is_typed(&verbs[i]) ||
			!has_prefix(verbs[i].name, words, n, &took))
			continue;
		str_addf(&names, "%s%s", count++ ? ", " : "", verbs[i].name);
		found = &verbs[i];
		found_used = took;
	}
	if (count == 1 && found_used <= n) {
		*used = found_used;
		return found;
	}
	if (count)
		err_set(err, ERR_USAGE, "%s is ambiguous: %s", words[0],
			str_text(&names));
	return NULL;
}

/* "disk" alone, or with a second word that is none of its verbs. */
static bool is_noun(const char *word, struct str *list)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < nverbs; i++)
		if (is_typed(&verbs[i]) && str_starts(verbs[i].name, word) &&
			verbs[i].name[len] == ' ')
			str_addf(list, "%s%s", list->len ? ", " : "",
				verbs[i].name);
	return list->len > 0;
}

struct names {
	char *list[256]; /* NULL-terminated */
	size_t n;
};

/* Adds the blank-separated words of a list of aliases. */
static void add_words(struct names *names, const char *list)
{
	while (list && *list && names->n < NELEMS(names->list) - 1) {
		size_t len = strcspn(list, " ");

		names->list[names->n++] = xstrndup(list, len);
		list += len;
		list += strspn(list, " ");
	}
}

static void unknown(const char *word, struct err *err)
{
	struct names names = { .n = 0 };
	const char *near;

	for (size_t i = 0; i < nverbs; i++) {
		if (!is_typed(&verbs[i]))
			continue;
		if (names.n < NELEMS(names.list) - 1)
			names.list[names.n++] = xstrdup(verbs[i].name);
		add_words(&names, verbs[i].aliases);
	}
	near = str_nearest(word, (const char *const *)names.list);
	if (near)
		err_set(err, ERR_USAGE, "unknown verb '%s' (did you mean %s?)",
			word, near);
	else
		err_set(err, ERR_USAGE,
			"unknown verb '%s'; \"vmward help\" lists them", word);
	while (names.n)
		free(names.list[--names.n]);
}

const struct verb *lookup_verb(const char *const *words, int n, bool people,
	int *used, struct err *err)
{
	AUTO_STR struct str list = STR_INIT;
	const struct verb *verb = whole(words, n, used);

	if (verb)
		return verb;
	if (str_eq(words[0], "destroy")) {
		const char *name = n > 1 ? words[1] : "NAME";

		AUTO_FREE char *remove =
			verb_by_name("delete")
				? xasprintf("\"vmward delete %s\"", name)
				: xasprintf("stop it, then remove its file "
					    "%s.ini",
					  name);

		err_set(err, ERR_USAGE,
			"virsh's destroy is \"vmward kill %s\"; to remove "
			"the VM: %s",
			name, remove);
		return NULL;
	}
	err_clear(err);
	if (people)
		verb = by_prefix(words, n, used, err);
	if (verb || err->code)
		return verb;
	if (is_noun(words[0], &list))
		err_set(err, ERR_USAGE, "which of: %s?", str_text(&list));
	else
		unknown(words[0], err);
	return NULL;
}
