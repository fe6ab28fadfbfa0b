/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kept incidents of all VMs: STATE/incidents/NAME/ID/, small files each;
 * the ID is the time of the end and its cause, so that a list takes one look
 * at a directory.  The newest ten of a VM are kept.
 */
#ifndef SUPERVISOR_INCIDENTS_H
#define SUPERVISOR_INCIDENTS_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"
#include "supervisor/cause.h"

#define INCIDENTS_KEPT   10
#define INCIDENT_ID_SIZE 48

/* "20261121T035816.123Z-qemu-signal" */
void incidents_id(int64_t real_us, enum cause cause, char id[INCIDENT_ID_SIZE]);
/* STATE/incidents/VM/ID, or of the VM if id is NULL; new. */
char *incidents_dir(const char *state, const char *vm, const char *id);
/* Appends {vm,id,time,cause} for each of a VM, newest first. */
void incidents_list(const char *state, const char *vm, json_t *out);
/*
 * One of them (id "": the newest) as {vm,id,time,cause,text,files}.  NULL
 * with ERR_NOT_FOUND.
 */
json_t *incidents_show(
	const char *state, const char *vm, const char *id, struct err *err);
/*
 * A part of a file of one, from offset on: {text,next,size}; next is absent
 * at the end.  NULL with ERR_NOT_FOUND.
 */
json_t *incidents_read(
	const char *dir, const char *file, int64_t offset, struct err *err);
/*
 * Removes the oldest beyond INCIDENTS_KEPT, and what was never finished.  The
 * last one written (or NULL) stays, wherever the clock was when others were.
 */
void incidents_trim(const char *state, const char *vm, const char *last);
/* The same for all VMs that have some, at the start. */
void incidents_sweep(const char *state);

#endif
