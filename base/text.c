/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts that are mostly empty; see base/text.h. */
#include "base/text.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"

static char none[1];

char *text_none(void)
{
	return none;
}

void text_clear(char **at)
{
	if (*at != none)
		free(*at);
	*at = none;
}

/* The old text may be among the arguments. */
void text_set(char **at, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	text_clear(at);
	if (*text)
		*at = text;
	else
		free(text);
}
