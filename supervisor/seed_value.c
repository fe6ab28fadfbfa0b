/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values of [seed]: host names, users, keys; pure. */
#include <string.h>

#include "base/atom.h"
#include "base/mem.h"
#include "supervisor/seed.h"

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

enum { HOSTNAME_MAX = 64, LABEL_MAX = 63, USER_MAX = 32 };

static bool is_label(const char *text, size_t len)
{
	return len >= 1 && len <= LABEL_MAX && text[0] != '-' &&
	       text[len - 1] != '-' &&
	       strspn(text, LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-") >=
		       len;
}

static bool is_hostname(const char *text)
{
	if (strlen(text) > HOSTNAME_MAX)
		return false;
	for (;;) {
		size_t len = strcspn(text, ".");

		if (!is_label(text, len))
			return false;
		if (!text[len])
			return true;
		text += len + 1;
	}
}

static int take(const char *text, void *field)
{
	*(const char **)field = atom_get(text);
	return 0;
}

int seed_value_hostname(const char *text, void *field, struct err *err)
{
	if (*text && !is_hostname(text))
		return err_set(err, ERR_CONFIG,
			"%s: say letters, digits and '-', words of them with a "
			"dot in between, at most %d",
			text, HOSTNAME_MAX);
	return take(text, field);
}

int seed_value_user(const char *text, void *field, struct err *err)
{
	if (*text && (strlen(text) > USER_MAX || !strchr(LOWER "_", *text) ||
			     text[strspn(text, LOWER DIGITS "_-")]))
		return err_set(err, ERR_CONFIG,
			"%s: say a-z, 0-9, '_' and '-', a letter first, at "
			"most %d",
			text, USER_MAX);
	return take(text, field);
}

bool seed_is_key(const char *text)
{
	static const char *const types[] = { "ssh-", "ecdsa-sha2-", "sk-ssh-",
		"sk-ecdsa-" };

	for (size_t i = 0; i < NELEMS(types); i++)
		if (str_starts(text, types[i]))
			return strchr(text, ' ') != NULL;
	return false;
}
