/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes unless the file of a VM is there: written down before a VM is
 * deleted (then its file goes) or cloned (then its file comes), so that a
 * supervisor that dies half way has the old state or the new one after its
 * next start.  STATE/deleting/NAME.json is an array of
 *	"IMAGE"				it goes
 *	{"base": "B", "image": "I"}	B was I, which is an empty overlay of it
 *	{"base": "B", "image": "I", "live": "OLD", "disk": "D", "node": "N"}
 *					the same, of a disk that the QEMU of VM
 *					OLD has: once all are so, it may write
 *					to I, by that node
 *	{"text": "T"}			and then that is the VM's file
 */
#ifndef SUPERVISOR_JOURNAL_H
#define SUPERVISOR_JOURNAL_H

#include <jansson.h>

#include "base/durable.h"
#include "supervisor/env.h"

/* Where it is; new. */
char *journal_path(const struct env *env, const char *vm);
/* Writes it; to be made durable, as are its directory and the one above. */
MUST_CHECK int journal_write(const struct env *env, const char *vm,
	const json_t *entries, struct err *err);
/* Syncs the directory that holds that of the journals. */
void journal_durable_dir(
	struct durable *durable, struct job *job, const char *journal);
void journal_forget(const struct env *env, const char *vm);
/* The file of the VM is not there: does what the entries say, and takes away
 * drop-ins and seed; what fails is logged. */
void journal_roll(const struct env *env, const char *vm, const json_t *entries);
/* Those of a VM, new; NULL: it has no journal that can be read. */
json_t *journal_read(const struct env *env, const char *vm);
/*
 * All disks of QEMU's that are to be bases are so by name: it may write to
 * what is on top of them, and nothing goes back without asking it.
 */
bool journal_is_live(const json_t *entries);
/* The file that the VM is to have; NULL: the entries tell of none. */
const char *journal_text(const json_t *entries);
/* Goes on with what a dead supervisor began.  At the start, before any VM is
 * known; the one place that waits for a disk. */
void journal_recover(const struct env *env);
/* vms/NAME.ini; new. */
char *journal_file_of(const struct env *env, const char *vm);

#endif
