/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A new image on its way into a running QEMU: opened here, for writing and
 * for reading, and sent as an fd set.  What it is there for, the caller knows.
 * Jobs that make one for each of several disks keep them in a list.
 */
#ifndef SUPERVISOR_LIVE_IMAGE_H
#define SUPERVISOR_LIVE_IMAGE_H

#include <jansson.h>
#include <stdint.h>

#include "qmp/call.h"
#include "supervisor/vm.h"

struct live_image {
	struct list link; /* its maker's, of all disks */
	char *disk;       /* whose size it has; or NULL */
	char *path;
	char *now;          /* where it is until it gets its path; or NULL */
	const char *format; /* static */
	uint64_t size;      /* virtual */
	int fds[2];         /* until QEMU has them; or -1 */
	int set;            /* QEMU's number; or -1 */
};

/* Nothing is open; format is static. */
void live_image_init(struct live_image *image, const char *disk,
	const char *path, const char *format);
void live_image_fini(struct live_image *image);
/* The size of a node in an answer to query-named-block-nodes; 0: none. */
uint64_t live_image_node_size(json_t *nodes, const char *node);
/* Opens it where it is by now. */
MUST_CHECK int live_image_open(struct live_image *image, struct err *err);
/* Sends the next descriptor, named for people; false: QEMU has both. */
bool live_image_send(struct live_image *image, struct qmp_call *call,
	struct job *job, struct qmp_client *qmp, const char *name);
/* QEMU's answer to that. */
void live_image_sent(struct live_image *image, const struct qmp_call *call);

/* ---- one for each disk of a running VM, by their links ---- */

/* QEMU's node that the guest's device of a disk is on, new. */
char *live_image_top(const struct vm *vm, const char *disk);
/*
 * Each is to have the size that its disk has by an answer to
 * query-named-block-nodes; false: one has none, and the job has failed.
 */
bool live_images_size(
	struct list *images, const struct qmp_call *call, const struct vm *vm);
/* Opens them; false: one cannot be, and the job has failed. */
bool live_images_open(struct list *images, struct job *job);
/*
 * QEMU has their disks: it may have ended, and begun again, while something
 * was waited for.  False: the job has failed.
 */
bool live_images_are_wanted(
	struct list *images, struct job *job, const struct vm *vm);

#endif
