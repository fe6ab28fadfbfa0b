/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of a member of a JSON object that somebody else wrote: what is
 * missing, or no text, is "", which no name equals.
 */
#ifndef BASE_MEMBER_H
#define BASE_MEMBER_H

#include <jansson.h>

#include "base/str.h"

/* Borrowed from the object. */
static inline const char *member_text(const json_t *object, const char *key)
{
	return str_or(json_string_value(json_object_get(object, key)), "");
}

#endif
