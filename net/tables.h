/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of rules in the kernel: whether those of ours are there.  To replace
 * a table costs the kernel some ten milliseconds more than to make one.
 */
#ifndef NET_TABLES_H
#define NET_TABLES_H

#include <stdbool.h>

/* No family has a table of that name; false as well if nobody can say. */
bool tables_are_free(const char *name);

#endif
