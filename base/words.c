/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines made anew; see words.h. */
#include "base/words.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* Pointers and the words behind them, new. */
static char **in_one_piece(const char *const *words, size_t n)
{
	size_t bytes = 0;
	char **out;
	char *at;

	for (size_t i = 0; i < n; i++)
		bytes += strlen(words[i]) + 1;
	out = xmalloc((n + 1) * sizeof(char *) + bytes);
	at = (char *)(out + n + 1);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i]) + 1;

		out[i] = memcpy(at, words[i], len);
		at += len;
	}
	out[n] = NULL;
	return out;
}

/* How many words an option takes that is to go: "--x V", "--x=V"; 0: none. */
static size_t to_drop(char *const *words, const char *const *drop)
{
	for (; *drop; drop++) {
		size_t len = strlen(*drop);

		if (str_eq(words[0], *drop))
			return words[1] ? 2 : 1;
		if (strncmp(words[0], *drop, len) == 0 && words[0][len] == '=')
			return 1;
	}
	return 0;
}

static size_t count(const char *const *words)
{
	size_t n = 0;

	while (words[n])
		n++;
	return n;
}

char **words_anew(
	char *const *old, const char *const *drop, const char *const *add)
{
	size_t most = count((const char *const *)old) + count(add) + 1;
	AUTO_FREE const char **words = xcalloc(most, sizeof(char *));
	size_t n = 0;

	words[n++] = *old++;
	while (*add)
		words[n++] = *add++;
	while (*old) {
		size_t skip = to_drop(old, drop);

		if (skip == 0)
			words[n++] = *old++;
		old += skip;
	}
	return in_one_piece(words, n);
}
