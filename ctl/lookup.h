/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the words typed to the verb of the table. */
#ifndef CTL_LOOKUP_H
#define CTL_LOOKUP_H

#include <stdbool.h>

#include "base/err.h"
#include "base/verbs.h"

/*
 * The verb of the first one or two of n words; used says how many.  Unique
 * prefixes count only when people is true.  NULL with ERR_USAGE: unknown
 * (and the nearest), ambiguous (and the candidates), or virsh's destroy.
 */
const struct verb *lookup_verb(const char *const *words, int n, bool people,
	int *used, struct err *err);

#endif
