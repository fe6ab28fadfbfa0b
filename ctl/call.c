/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to what was typed. */
#include "ctl/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void call_fini(struct call *call)
{
	free(call->names);
	free(call->typed);
	free(call->own_name);
	json_decref(call->wire);
	memset(call, 0, sizeof(*call));
}

bool call_is_file(const char *word)
{
	return strchr(word, '/') || str_ends(word, ".ini");
}

bool call_is_pattern(const char *word)
{
	return *word == '@' || strpbrk(word, "*?[");
}

const char *call_value(const struct call *call, const char *name)
{
	for (size_t i = call->ntyped; i > 0; i--)
		if (str_eq(call->typed[i - 1].arg->name, name))
			return call->typed[i - 1].value;
	return NULL;
}

bool call_has(const struct call *call, const char *name)
{
	return call_value(call, name);
}

int64_t call_ms(const struct call *call, const char *name, int64_t fallback)
{
	const char *text = call_value(call, name);
	struct err err = ERR_INIT;
	int64_t ms;

	/* args_parse() has checked it */
	if (!text || str_to_ms(text, true, &ms, &err) < 0)
		return fallback;
	return ms;
}
