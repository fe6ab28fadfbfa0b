/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes unless the file of a VM is there: written down before a VM is
 * deleted (then its file goes) or cloned (then its file comes), so that a
 * supervisor that dies half way has the old state or the new one after its
 * next start.  STATE/deleting/NAME.json is an array of
 *	"IMAGE"				it goes
 *	{"base": "B", "image": "I"}	B was I, which is an empty overlay of it
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
/* Goes on with what a dead supervisor began.  At the start, before any VM is
 * known; the one place that waits for a disk. */
void journal_recover(const struct env *env);
/* vms/NAME.ini; new. */
char *journal_file_of(const struct env *env, const char *vm);

#endif
