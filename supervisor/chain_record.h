/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VM's disks are on top of, recorded: STATE/chains/NAME, the text of
 * supervisor/chains.  Written when a start or an attach opened what was not
 * recorded; from then on a header that says otherwise is refused.  A lost
 * record is made anew by the next start.
 */
#ifndef SUPERVISOR_CHAIN_RECORD_H
#define SUPERVISOR_CHAIN_RECORD_H

#include <jansson.h>

#include "base/durable.h"
#include "supervisor/chains.h"
#include "supervisor/vm.h"

#define CHAIN_RECORDS "chains" /* below the state directory */

/* The text, read at the first need; NULL: nothing is recorded. */
const char *chain_record(struct vm *vm);
/*
 * The chains of all disks were opened: recorded, if they were not.  Others
 * stay while the files name their image as that of a disk.
 */
void chain_record_put(struct vm *vm, const struct chains *chains);
/* One disk's, on top of the others. */
void chain_record_put_disk(
	struct vm *vm, const char *disk, const struct chain *chain);
/* The chains with this image in them are taken anew by their next start. */
void chain_record_forget(struct vm *vm, const char *path);
/* Syncs the directory of the records, for a job. */
void chain_record_sync(
	const struct vm *vm, struct durable *durable, struct job *job);
/*
 * Images were renamed, [[old, new], ...]: a record that went with its VM (its
 * file is one of those new names) names them as they are now.
 */
void chain_record_follow(const struct env *env, const json_t *pairs);
/* The VM is deleted. */
void chain_record_remove(struct vm *vm);

#endif
