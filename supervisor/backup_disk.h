/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disks of one backup that is being made: which, from where, to where. */
#ifndef SUPERVISOR_BACKUP_DISK_H
#define SUPERVISOR_BACKUP_DISK_H

#include <jansson.h>

#include "supervisor/vm.h"

struct backup_disk {
	struct list link;
	char *name;
	char *source; /* its image */
	char *top;    /* QEMU's node that the guest's device is on */
	const char *format;
	char *leaf; /* "root.qcow2" */
	char *path; /* of the copy */
	char *base; /* what the copy is on top of, as seen from it; or NULL */
	char sum[65];
	uint64_t dirty; /* bytes to copy, of an incremental one */
	uint64_t used;  /* at most so many bytes of a full one */
};

/* All that go into backups; fails where one cannot. */
MUST_CHECK int backup_disks_collect(
	const struct vm *vm, struct list *out, struct err *err);
void backup_disks_free(struct list *disks);
/*
 * QEMU's nodes say what each has; with a parent, whether all can be on top
 * of it: else the reason (static text), NULL: they can.
 */
const char *backup_disks_look(
	struct list *disks, const json_t *nodes, const json_t *parent);
/* Their images without QEMU. */
void backup_disks_stat(struct list *disks);
/* Names their copies: in DIR/ID, on top of those of parent (NULL: nothing). */
void backup_disks_place(struct list *disks, const char *dir, const char *id,
	const char *parent);
/* Bytes that the copies need, at most. */
uint64_t backup_disks_need(const struct list *disks);
/* "disks" of the manifest, once the copies are there; new. */
MUST_CHECK int backup_disks_manifest(
	const struct list *disks, json_t **out, struct err *err);

#endif
