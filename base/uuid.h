/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UUIDs of version 5 (RFC 4122): the same name gives the same id. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>

/* The id of a name in our own namespace, as 36 lower-case characters. */
void uuid_v5(const char *name, char out[37]);
/* True for 8-4-4-4-12 hexadecimal digits, in either case. */
bool uuid_is_valid(const char *text);

#endif
