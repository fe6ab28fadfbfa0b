/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets out of what is kept for people: the values of JSON members and of
 * NAME=VALUE words that are named like passwords, secret objects' data, and
 * keys that were typed.  Works on text that is cut anywhere; pure.
 */
#ifndef SUPERVISOR_MASK_H
#define SUPERVISOR_MASK_H

#include <stddef.h>

#include "base/str.h"

/* Appends the text with "***" in place of each secret value. */
void mask_secrets(const char *text, size_t len, struct str *out);

#endif
