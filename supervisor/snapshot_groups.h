/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots of several VMs count all at once: with STATE/groups/TAG.json,
 * {"snapshots": {VM: what its tree gets, ...}}.  It is there from that
 * instant until all trees have theirs; the tag is the same in all of them,
 * and what is garbage there without such a file goes.
 */
#ifndef SUPERVISOR_SNAPSHOT_GROUPS_H
#define SUPERVISOR_SNAPSHOT_GROUPS_H

#include <jansson.h>

#include "base/paths.h"

/* Where it is; new. */
char *snapshot_groups_path(const struct paths *paths, const char *tag);
/* What is inside "snapshots"; new; NULL: there is no such file. */
json_t *snapshot_groups_read(const struct paths *paths, const char *tag);
/* The tags of all that there are. */
void snapshot_groups_each(const struct paths *paths,
	void (*on_tag)(void *arg, const char *tag), void *arg);

#endif
