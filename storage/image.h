/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images by qemu-img: making what is missing, as a job.  Works on
 * PATH.tmp.GENERATION, syncs file and directory in a child, then renames:
 * killed at any point it leaves the old state or the new one.
 */
#ifndef STORAGE_IMAGE_H
#define STORAGE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/job.h"
#include "base/spawn.h"

struct image_create {
	struct job job;
	char *path;	    /* absolute; must not exist */
	char *format;	    /* "qcow2" */
	char *base;	    /* backing file, absolute, or NULL */
	char *base_format;  /* with base */
	uint64_t size;	    /* bytes; 0: of the base */
	char *temporary;    /* PATH.tmp.GENERATION */
	struct spawn_tool tool;
	bool tool_ended;
};

/*
 * Creates an image.  The job frees op at its end; parent (or NULL) is woken.
 * Error texts name the path and carry qemu-img's own last words.
 */
struct image_create *image_create_start(const char *qemu_img,
	const char *path, const char *format, const char *base,
	const char *base_format, uint64_t size, const char *target,
	struct job *parent, void (*on_end)(struct job *, void *), void *arg);

/*
 * What an image's first bytes say: "qcow2", "vmdk", "vdi", "vhdx", "vpc",
 * or "raw" when none is known.  Only to refuse a contradiction, never to
 * choose.  *virtual_size is filled for qcow2 and raw.  ERR_OS / ERR_NOT_FOUND.
 */
MUST_CHECK int image_header(const char *path, const char **format,
	uint64_t *virtual_size, bool *has_backing, struct err *err);
/* Removes PATH.tmp.* left by a crash, in a directory. */
void image_sweep(const char *dir);

#endif
