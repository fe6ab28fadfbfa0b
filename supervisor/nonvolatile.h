/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VM keeps besides its disks, as one text that its snapshots and
 * backups have: the variables of its UEFI, what its TPM holds.
 *
 *	{"nvram": BASE64, "tpm": {FILE: BASE64, ...}}
 *
 * A member is there if the VM has such a thing and was started once.
 */
#ifndef SUPERVISOR_NONVOLATILE_H
#define SUPERVISOR_NONVOLATILE_H

#include <jansson.h>

#include "supervisor/vm.h"

/* As it is now, new; *out is NULL where there is nothing to keep. */
MUST_CHECK int nonvolatile_read(
	const struct vm *vm, json_t **out, struct err *err);
/* What stands in a file; NULL with err: ERR_CONFIG if it is damaged. */
json_t *nonvolatile_load(const char *path, struct err *err);
/*
 * Puts "nvram" (which firmware it is of) and "tpm" (true) into the record of
 * a snapshot or backup, each if it is kept.
 */
void nonvolatile_describe(
	const struct vm *vm, const json_t *kept, json_t *record);
/*
 * What such a record has fits the VM's file of now, and the file at path has
 * all of it; else says what to change.
 */
MUST_CHECK int nonvolatile_fit(const struct vm *vm, const json_t *record,
	const char *path, struct err *err);
/*
 * Writes it beside the places that it has: appends {"beside", "to"} of each
 * file, for whoever syncs and renames them.
 */
MUST_CHECK int nonvolatile_lay(const struct vm *vm, const json_t *kept,
	json_t *pairs, struct err *err);
/*
 * What stands in the file at path is the VM's again, durably, as a job; NULL:
 * there is no such file.  The VM is down.
 */
struct job *nonvolatile_put(const struct vm *vm, const char *path,
	struct job *parent, void (*on_end)(struct job *job, void *arg),
	void *arg);

#endif
