/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which instances a file NAME@.ini has: "01-20, 99, db". */
#ifndef SUPERVISOR_INSTANCES_H
#define SUPERVISOR_INSTANCES_H

#include "base/err.h"

/*
 * The instances of a list, NULL-terminated, new; ranges keep the width of
 * their first number.  NULL with err ("VALUE: what to write").
 */
char **instances_expand(const char *text, struct err *err);
void instances_free(char **list);

#endif
