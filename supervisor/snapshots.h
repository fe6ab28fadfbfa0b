/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The snapshots of a VM as they are remembered, STATE/snapshots/NAME.json: a
 * tree by the parent that each has, and the journal of what is being done to
 * them.
 *
 *	{"current": NAME,	what the disks came from last; or null
 *	 "snapshots": [{"name", "parent", "time", "description", "tag",
 * *		"memory", "disks": [{"disk", "path"}], "config",
 *		"scheduled", "time-us",
 *		"group": {"vms", "skew-us"}}],	of several VMs
 *	 "garbage": [{"tag", "images"}],	goes, wherever it is; unless
 *		"making" is true and the file of its group says otherwise
 *	 "reverting": {"name", "tag", "back", "images"}}	half done
 *
 * A snapshot is there when it stands in the file: its tag is written as
 * garbage first, then made, then both change at once.  "back" is the tag of
 * what the disks held before a revert.
 */
#ifndef SUPERVISOR_SNAPSHOTS_H
#define SUPERVISOR_SNAPSHOTS_H

#include <jansson.h>

#include "supervisor/vm.h"

/* Where it is; new. */
char *snapshots_path(const struct paths *paths, const char *vm);
/* The directory of the memory that snapshots have; new. */
char *snapshots_dir(const struct paths *paths, const char *vm);
/*
 * New; without a file an empty tree.  NULL if there is one that is damaged.
 * Its part of a snapshot of several VMs that counts is in it, though its file
 * may not have that yet.
 */
json_t *snapshots_read(
	const struct paths *paths, const char *vm, struct err *err);
/* Whether the VM's file says that something was cut short. */
bool snapshots_are_unfinished(const struct vm *vm);
/*
 * Starts to write it: beside, synced, renamed, the directory synced.  The job
 * frees itself after on_end.
 */
struct job *snapshots_save(const struct vm *vm, const json_t *tree,
	struct job *parent, void (*on_end)(struct job *job, void *arg),
	void *arg);
/* The same with any text and file below STATE, one directory down. */
struct job *snapshots_write(const char *path, const json_t *json,
	const char *target, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg);
/* The files of groups go, but for one whose part a tree's file has not yet. */
void snapshots_settle_groups(const struct paths *paths);
/* Those of a VM that is no more. */
void snapshots_forget(const struct paths *paths, const char *vm);

/* ---- the tree; pure ---- */

/* Letters, digits and ._-, at most 64, the first no sign; not all digits. */
MUST_CHECK int snapshots_check_name(const char *name, struct err *err);
/* A name for one that got none: the time, made unique. */
char *snapshots_new_name(const json_t *tree, int64_t real_us);
/* Borrowed; NULL with ERR_NOT_FOUND naming those that there are. */
json_t *snapshots_find(const json_t *tree, const char *name, struct err *err);
/* The one with that tag, or NULL. */
json_t *snapshots_tagged(const json_t *tree, const char *tag);
/* [{"id": NAME, "time": us, "scheduled"}] as calendar_expired() has it; new. */
json_t *snapshots_dated(const json_t *tree);
/* The newest, or NULL. */
json_t *snapshots_latest(const json_t *tree);
/* On top of the current one, and becomes that. */
void snapshots_add_steal(json_t *tree, json_t *snapshot);
/* What was on top of it is on top of what it was on. */
void snapshots_remove(json_t *tree, const char *name);
/* It is called so from now on, by those on top of it too. */
void snapshots_rename(json_t *tree, const char *name, const char *to);
void snapshots_set_current(json_t *tree, const char *name);
/* The tag goes from these images (borrowed), once there is time. */
void snapshots_add_garbage(json_t *tree, const char *tag, json_t *images);
/* The same, of one that is part of a group and may come to count. */
void snapshots_add_making(json_t *tree, const char *tag, json_t *images);
void snapshots_drop_garbage(json_t *tree, const char *tag);

/*
 * A crash loop, and on-crash-loop = revert:NAME: true if the next start is to
 * revert to that first, because there is one and that was not tried.
 */
bool snapshots_fall_back(struct vm *vm);

#endif
