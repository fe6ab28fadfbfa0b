/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where control groups of ours can be: which hierarchy each controller is in
 * on this host, and our directory in it.  By /proc/self/mountinfo and
 * /proc/self/cgroup, once; the directory is made when it is first needed.
 */
#ifndef SUPERVISOR_CGROUP_TREE_H
#define SUPERVISOR_CGROUP_TREE_H

#include <stdbool.h>

#include "base/err.h"

enum cgroup_controller {
	CONTROLLER_CPU,
	CONTROLLER_MEMORY,
	CONTROLLER_IO,
	CONTROLLER_PIDS,
	CONTROLLER_CPUSET,
	CONTROLLERS
};

struct cgroup_tree {
	char *own;      /* the group we are in, in v2; NULL: there is no v2 */
	char *v2;       /* our directory in v2; NULL: none of its controllers */
	char *why;      /* v2 has controllers, but not for us: why; or NULL */
	unsigned in_v2; /* 1 << controller */
	char *v1[CONTROLLERS]; /* our directory; NULL: it is not in v1 */
};

/* As cgroups_new(). */
void cgroup_tree_find(
	struct cgroup_tree *tree, const char *root, const char *name);
void cgroup_tree_fini(struct cgroup_tree *tree);
/* Our directory for a controller; NULL: there is none. */
const char *cgroup_tree_dir(
	const struct cgroup_tree *tree, enum cgroup_controller c);
bool cgroup_tree_is_v2(
	const struct cgroup_tree *tree, enum cgroup_controller c);
/* Writes a file of a group; -1 with errno. */
int cgroup_tree_put(const char *dir, const char *file, const char *text);
/* Why it has none. */
const char *cgroup_tree_why(
	const struct cgroup_tree *tree, enum cgroup_controller c);
/* Makes it, with the controller on for what is below it. */
MUST_CHECK int cgroup_tree_make(
	struct cgroup_tree *tree, enum cgroup_controller c, struct err *err);

#endif
