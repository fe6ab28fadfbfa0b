/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How snapshots look to people: a list as a tree, one of them. */
#ifndef CTL_SNAPSHOT_H
#define CTL_SNAPSHOT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/str.h"
#include "ctl/call.h"

/* A table of all, each below its parent. */
int snapshot_show_list(
	const struct call *call, const char *vm, json_t *value, bool many);
/* One: a block of lines, then the VM's file of then. */
int snapshot_show_one(
	const struct call *call, const char *vm, json_t *value, bool many);
/* Disk and URI of each that is served, a line each. */
int snapshot_show_mounts(
	const struct call *call, const char *vm, json_t *value, bool many);
/* What is asked before something is lost; nothing for the other verbs. */
void snapshot_add_question(
	const struct call *call, const char *vm, struct str *question);

#endif
