/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets out of what is kept for people: the values of JSON members and of
 * NAME=VALUE words that are named like passwords, secret objects' data, and
 * keys that were typed, and passwords in URLs.  Works on text that is cut
 * anywhere; pure.
 */
#ifndef SUPERVISOR_MASK_H
#define SUPERVISOR_MASK_H

#include <jansson.h>
#include <stddef.h>

#include "base/str.h"

/* Appends the text with "***" in place of each secret value. */
void mask_secrets(const char *text, size_t len, struct str *out);

/*
 * A value like that one, each of its texts masked by itself; what is told to
 * those who may not administer.  NULL stays NULL.
 */
json_t *mask_json_steal(json_t *value);

#endif
