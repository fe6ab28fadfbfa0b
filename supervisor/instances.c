/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of `instances =`: names and ranges of numbers.  It is short on
 * purpose: a thousand VMs on one host are a mistake in the range.
 */
#include "supervisor/instances.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/paths.h"
#include "base/str.h"

enum { INSTANCES_MAX = 1000, DIGITS_MAX = 9 };

struct names {
	char **at;
	size_t n;
};

void instances_free(char **list)
{
	for (char **name = list; name && *name; name++)
		free(*name);
	free(list);
}

/* Takes the name over. */
static int add(struct names *names, char *name, struct err *err)
{
	for (size_t i = 0; i < names->n; i++) {
		if (!str_eq(names->at[i], name))
			continue;
		err_set(err, ERR_CONFIG, "%s: it is in the list twice", name);
		free(name);
		return -1;
	}
	if (names->n == INSTANCES_MAX) {
		err_set(err, ERR_CONFIG, "%s: at most %d instances", name,
			INSTANCES_MAX);
		free(name);
		return -1;
	}
	names->at = xreallocarray(names->at, names->n + 2, sizeof(char *));
	names->at[names->n++] = name;
	names->at[names->n] = NULL;
	return 0;
}

/* Digits to the hyphen, digits to the end; false for anything else. */
static bool read_range(
	const char *item, uint64_t *first, uint64_t *last, int *width)
{
	size_t low = strspn(item, "0123456789");
	const char *high = item + low + 1;
	AUTO_FREE char *digits = xstrndup(item, low);
	struct err ignored = ERR_INIT;

	if (low == 0 || low > DIGITS_MAX || item[low] != '-' ||
		strlen(high) > DIGITS_MAX)
		return false;
	*width = (int)low;
	return str_to_u64(digits, first, &ignored) == 0 &&
	       str_to_u64(high, last, &ignored) == 0;
}

static int add_range(struct names *names, const char *item, struct err *err)
{
	uint64_t first;
	uint64_t last;
	int width;

	if (!read_range(item, &first, &last, &width))
		return 0;
	if (last < first)
		return err_set(err, ERR_CONFIG,
			"%s: the range ends before it starts", item);
	for (uint64_t n = first; n <= last; n++)
		if (add(names, xasprintf("%0*" PRIu64, width, n), err) < 0)
			return -1;
	return 1;
}

static int add_item(struct names *names, const char *item, struct err *err)
{
	AUTO_FREE char *name = xasprintf("x@%s", item);

	int added = add_range(names, item, err);
	if (added != 0)
		return added;
	if (paths_name_is_valid(name))
		return add(names, xstrdup(item), err);
	return err_set(err, ERR_CONFIG,
		"%s: say instances as 1-20, 01-20 or names of a-z, 0-9, '.', "
		"'_' and '-'",
		item[0] ? item : "(empty)");
}

char **instances_expand(const char *text, struct err *err)
{
	struct names names = { NULL, 0 };

	for (bool more = true; more;) {
		size_t len = strcspn(text, ",");
		size_t blanks = strspn(text, " \t");
		AUTO_FREE char *item = xstrndup(
			text + blanks, blanks < len ? len - blanks : 0);
		size_t end = strlen(item);
		while (end > 0 && strchr(" \t", item[end - 1]))
			item[--end] = '\0';
		if (add_item(&names, item, err) < 0) {
			instances_free(names.at);
			return NULL;
		}
		more = text[len] == ',';
		text += len + 1;
	}
	return names.at;
}
