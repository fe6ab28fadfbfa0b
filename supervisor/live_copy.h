/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of the disks of a running VM, all as of one instant: QEMU's own
 * backup jobs, begun in one transaction, while the guest runs on.  What they
 * use in QEMU is named "clone-..." and is taken away at the end, or by the
 * next supervisor when this one dies.
 */
#ifndef SUPERVISOR_LIVE_COPY_H
#define SUPERVISOR_LIVE_COPY_H

#include <jansson.h>

#include "base/durable.h"
#include "supervisor/freeze.h"
#include "supervisor/vm.h"

struct live_copy;

/* One disk. */
struct live_copy_wish {
	const char *disk;
	const char *path;        /* of the new image */
	const char *format;      /* of it; static */
	const char *secret_file; /* encrypted as the disk is; or NULL */
	const char *base;        /* the qcow2 image that it is on top of, as its
			   * header is to name it; or NULL */
};

/* Nothing to copy yet; freed by the job, or by live_copy_free(). */
struct live_copy *live_copy_new(struct vm *vm);
void live_copy_free(struct live_copy *copy); /* never started; or NULL */
void live_copy_add(struct live_copy *copy, const struct live_copy_wish *wish);
/*
 * Only what the bitmap `since` has (NULL: all); from the instant of the copy
 * on a new bitmap `from` records what is written.
 */
void live_copy_track(
	struct live_copy *copy, const char *since, const char *from);
/* At the instant the guest's file systems stand still; *frozen: they did. */
void live_copy_freeze(struct live_copy *copy, enum freeze how, bool *frozen);
/* At most so many bytes a second of each disk; 0: as fast as can be. */
void live_copy_limit(struct live_copy *copy, uint64_t rate);
/*
 * Makes the images and fills them, on disk at the end; on failure QEMU has
 * nothing of them any more, and they are the caller's to remove.
 */
struct job *live_copy_start(struct live_copy *copy, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg);

#define LIVE_COPY_MARK "clone"  /* in priv, while one is under way */
#define LIVE_COPY_OURS "clone-" /* jobs, nodes and descriptors in QEMU */
/* The member of an answer of QEMU's names something of ours. */
bool live_copy_is_ours(const json_t *of, const char *key);
/* Words in the mark: what the guest is, and what ends with it. */
#define LIVE_COPY_FROZEN  "frozen"
#define LIVE_COPY_STOPPED "stopped"
/* Says in the mark what is under way. */
MUST_CHECK int live_copy_mark(
	const struct vm *vm, const char *text, struct err *err);
/* One is under way; of a QEMU just adopted: a dead supervisor was at it. */
bool live_copy_was_begun(const struct vm *vm);
/* Takes away what that left in QEMU. */
struct job *live_copy_reap_begin(
	struct vm *vm, void (*on_end)(struct job *job, void *arg), void *arg);

#endif
