/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A new image on its way into a running QEMU: opened here, for writing and
 * for reading, and sent as an fd set.  What it is there for, the caller knows.
 */
#ifndef SUPERVISOR_LIVE_IMAGE_H
#define SUPERVISOR_LIVE_IMAGE_H

#include <jansson.h>
#include <stdint.h>

#include "qmp/call.h"

struct live_image {
	char *path;
	const char *format; /* static */
	uint64_t size;      /* virtual */
	int fds[2];         /* until QEMU has them; or -1 */
	int set;            /* QEMU's number; or -1 */
};

/* Nothing is open; format is static. */
void live_image_init(
	struct live_image *image, const char *path, const char *format);
void live_image_fini(struct live_image *image);
/* The size of a node in an answer to query-named-block-nodes; 0: none. */
uint64_t live_image_node_size(json_t *nodes, const char *node);
/*
 * It is to have the size of the node on top of a disk, by such an answer;
 * false: there is none, and the job has failed.
 */
bool live_image_size_as(struct live_image *image, const struct qmp_call *call,
	const char *node, const char *disk);
/* Opens it where it is by now. */
MUST_CHECK int live_image_open(
	struct live_image *image, const char *path, struct err *err);
/* Sends the next descriptor, named for people; false: QEMU has both. */
bool live_image_send(struct live_image *image, struct qmp_call *call,
	struct job *job, struct qmp_client *qmp, const char *name);
/* QEMU's answer to that. */
void live_image_sent(struct live_image *image, const struct qmp_call *call);

#endif
