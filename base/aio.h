/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fsync without waiting: the kernel's aio (IOCB_CMD_FSYNC) with an eventfd
 * in the loop, for files and directories.  Set up at the first use; where
 * the kernel refuses aio, fsync is called in line (said once in the log) and
 * the answer still comes from the loop.
 */
#ifndef BASE_AIO_H
#define BASE_AIO_H

#include <stdbool.h>

#include "base/list.h"
#include "base/loop.h"

/* One fsync under way; embed it, zeroed before its first use. */
struct aio_sync {
	struct list link; /* waiting for room in the kernel's queue, or done */
	struct aio_request *request;
	int fd;
	int error; /* of a finished fsync: errno, 0 for success */
	void (*on_synced)(struct aio_sync *sync, int error);
};

/*
 * Starts an fsync of fd.  on_synced is called once, from the loop, with 0 or
 * an errno.  The fd is the caller's and stays open until then.
 */
void aio_fsync(struct aio_sync *sync, int fd,
	void (*on_synced)(struct aio_sync *sync, int error));
/* Forgets it: on_synced will not be called.  Harmless if none runs. */
void aio_cancel(struct aio_sync *sync);
/* The end of the program: waits for what is under way, tells nobody. */
void aio_fini(void);
/* Forgets everything at once.  For a simulated crash. */
void aio_forget(void);

#endif
