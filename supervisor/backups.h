/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backups of a VM in a directory: TARGET/NAME/ID/ has a qcow2 image for
 * each disk and, written last, manifest.json with the sum of each and the
 * VM's configuration.  One that holds what was written since another is on
 * top of its images, named from its own ("../ID/root.qcow2"), so that TARGET
 * can move.  What has no manifest is no backup.
 */
#ifndef SUPERVISOR_BACKUPS_H
#define SUPERVISOR_BACKUPS_H

#include <jansson.h>

#include "base/err.h"
#include "supervisor/spec.h"

#define BACKUPS_CHAIN_MAX 15 /* so many on top of each other at most */
#define BACKUPS_MANIFEST  "manifest.json"
#define BACKUPS_PART      "unfinished" /* in one that is being made */
#define BACKUPS_STATE     "state.json" /* of firmware and TPM */

/*
 * The manifests in DIR (TARGET/NAME), oldest first; new.  One whose parent is
 * missing or bad has "broken": why.
 */
json_t *backups_list(const char *dir);
/* One of them by its id, or the newest (id ""), borrowed; NULL with err. */
const json_t *backups_find(const json_t *list, const char *id, struct err *err);
/* Its id; "" of none. */
const char *backups_id(const json_t *manifest);
/* The parent in the list, or NULL. */
const json_t *backups_parent(const json_t *list, const json_t *manifest);
/* How many there are from it down to the full one. */
unsigned backups_depth(const json_t *list, const json_t *manifest);
/* What it says of a disk; NULL: it has none of that name. */
const json_t *backups_disk(const json_t *manifest, const char *disk);
/*
 * All files of one with their sums, [{"file", "size", "sha256"}]: those of its
 * disks, and what is kept besides; new.
 */
json_t *backups_files(const json_t *manifest);
/* DIR/ID/LEAF; new. */
char *backups_path(const char *dir, const char *id, const char *leaf);
/* A fresh id by the time, that no directory in DIR has; new. */
char *backups_new_id(const char *dir);
/* A name that people may give one. */
MUST_CHECK int backups_check_id(const char *id, struct err *err);
/* Removes one, its manifest first. */
MUST_CHECK int backups_remove(const char *dir, const char *id, struct err *err);
/* Those that were begun and not finished go, but one (or NULL). */
void backups_sweep(const char *dir, const char *but);

#endif
