/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What snapshots hold, to be read over NBD: a qemu-nbd for each disk at
 * RUN/mounts/N-DISK.sock, of root alone.  They end with us; a VM may run, and
 * be started, meanwhile.  Nobody but us knows of them, so the snapshot stays
 * as long as one of its disks is served.
 */
#ifndef SUPERVISOR_MOUNTS_H
#define SUPERVISOR_MOUNTS_H

#include <jansson.h>

#include "base/err.h"
#include "base/job.h"
#include "supervisor/env.h"

struct mount_wish {
	const char *vm, *tag; /* of the snapshot */
	const char *disk;     /* its name is the export's */
	const char *path;     /* of the image that the tag is in, qcow2 */
};

/*
 * Starts to serve one; waker is woken when the server has ended, until
 * mounts_forget_waker().
 */
MUST_CHECK int mounts_start(const struct env *env,
	const struct mount_wish *wish, struct job *waker, struct err *err);
void mounts_forget_waker(const struct job *waker);
/* [{"disk", "uri"}] of those of a tag that are served; new. */
json_t *mounts_of(const char *vm, const char *tag);
/* One of them at least. */
bool mounts_has(const char *vm, const char *tag);
/* 1: all that were begun can be connected to; 0: not yet; -1: one ended. */
int mounts_look(const char *vm, const char *tag, struct err *err);
/* They end; a tag of NULL: those of all the VM's snapshots. */
void mounts_end(const char *vm, const char *tag);
void mounts_end_all(void);
/* The image as qemu-img and qemu-nbd are told, open elsewhere or not; new. */
char *mounts_source(const char *path);

#endif
