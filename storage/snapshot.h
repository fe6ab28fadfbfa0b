/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Internal snapshots of images that no QEMU has open, as a job: one thing is
 * done to one snapshot of several images, one after the other, each synced.
 * The first failure ends it; what was done by then is the business of
 * whoever began it.  What is below an image is not opened.
 */
#ifndef STORAGE_SNAPSHOT_H
#define STORAGE_SNAPSHOT_H

#include <jansson.h>

#include "base/durable.h"
#include "base/job.h"
#include "storage/qemu_img.h"

enum snapshot_act {
	SNAPSHOT_LOOK,  /* it must be in all of them */
	SNAPSHOT_MAKE,  /* of what they hold */
	SNAPSHOT_APPLY, /* they hold that again */
	SNAPSHOT_DROP   /* it goes, where it is; so may an image be gone */
};

struct snapshot_wish {
	enum snapshot_act act;
	const char *tag;  /* its name inside; no number */
	json_t *images;   /* [PATH, ...], qcow2, absolute */
	bool interrupted; /* something was cut short there: leaks go as well */
};

struct image_tags {
	struct job job;
	char *qemu_img;
	enum snapshot_act act;
	char *tag;
	json_t *images;
	bool interrupted;
	size_t at;
	char *url;            /* of the present one, as qemu-img is told */
	struct qemu_img *run; /* while it runs */
	struct err run_err;
	bool found;      /* the tag, by the last look */
	json_t *bitmaps; /* in the image; none of them outlives a revert */
	struct durable durable;
};

/*
 * Starts it.  The job frees itself after on_end; parent (or NULL) is woken.
 * Errors carry qemu-img's last words and name the image.
 */
struct job *snapshot_start(const char *qemu_img,
	const struct snapshot_wish *wish, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg);

#endif
