/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of VMs: lists of them without doubles, the VMs that names, globs and
 * tags stand for, and the nearest name to one that is not there.
 */
#ifndef SUPERVISOR_NAMES_H
#define SUPERVISOR_NAMES_H

#include <stddef.h>

#include "base/err.h"
#include "base/list.h"

struct names {
	char **at; /* NULL-terminated */
	size_t n;
};

/* None so far; at is freed by config_names_free(). */
struct names names_new(void);
/* One more, unless it is there. */
void names_add(struct names *names, const char *name);
/*
 * The names of VMs (vm.link) by patterns: NAME, glob, @tag; new, in the
 * order of the patterns.  A name without wildcard is given back as it is.
 */
char **names_resolve(const struct list *vms, const char *const *patterns);
/* ERR_NOT_FOUND with the nearest name there is; -1. */
int names_not_found(const struct list *vms, const char *name, struct err *err);

#endif
