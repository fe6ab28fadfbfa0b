/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images by qemu-img: making what is missing, as a job.  Works on
 * PATH.tmp.RANDOM, which it holds locked, syncs file and directory without
 * waiting, then renames: killed at any point it leaves the old state or the
 * new one.
 */
#ifndef STORAGE_IMAGE_H
#define STORAGE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/durable.h"
#include "base/job.h"
#include "storage/qemu_img.h"

struct image_wish {
	const char *path;        /* absolute; must not exist */
	const char *format;      /* "qcow2" */
	const char *base;        /* backing file, absolute, or NULL */
	const char *base_format; /* with base */
	bool unread;             /* with base and size: it is not looked at */
	uint64_t size;           /* bytes; 0: of the base, or of the source */
	const char *options;     /* qemu-img's -o, or NULL */
	const char *from;        /* copy of this image, absolute; or NULL */
	const char *from_format; /* with from */
	const char *from_opened; /* what qemu-img is told instead; or NULL */
	const char *snapshot;    /* from: what it held then; or NULL */
	int from_fd;             /* from is QEMU_IMG_SOURCE: this; or 0 */
	bool compress;           /* with from */
	bool caged;              /* from is a stranger's; see base/cage.h */
	bool reflink;            /* with from: share its blocks */
	bool verbatim;           /* with from: its bytes, headers and all */
	const struct secret *secret;     /* that opens from; or NULL */
	const struct secret *new_secret; /* that is to open it; or NULL */
};

struct image_create {
	struct job job;
	char *qemu_img;
	char *path;
	char *format;
	char *base; /* or NULL */
	char *base_format;
	bool unread;
	uint64_t size;
	char *options;
	char *from; /* or NULL */
	char *from_format;
	char *from_opened; /* or NULL */
	char *snapshot;    /* "snapshot.name=..."; or NULL */
	int from_fd;       /* its own copy, or 0 */
	bool compress;
	bool caged;
	bool reflink;
	bool verbatim;
	struct secret secret, new_secret; /* its own copies */
	char *temporary;      /* PATH.tmp.RANDOM; NULL: not made yet */
	int fd;               /* of the temporary, flock'ed; or -1 */
	int dir_fd;           /* of the directory; or -1 */
	bool placed;          /* renamed to path */
	struct qemu_img *run; /* while it runs */
	struct err run_err;
	struct durable durable;
};

/*
 * Creates an image, empty, as an overlay or as a copy.  The job frees op at
 * its end; parent (or NULL) is woken.
 * Error texts name the path and carry qemu-img's own last words.
 */
struct image_create *image_create_start(const char *qemu_img,
	const struct image_wish *wish, const char *target, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg);

/* An image that a job of several steps makes; filled with zeros at first. */
struct image_step {
	struct image_create *run; /* while it is made */
	struct err err;           /* of the last one */
};

/* Starts the next; it must not outlive parent, which is woken. */
void image_step_start(struct image_step *step, const char *qemu_img,
	const struct image_wish *wish, const char *target, struct job *parent);
/* Inside a job's body: until it is there, or the job ends as it did. */
#define IMAGE_STEP_AWAIT(job, step)                                        \
	do {                                                               \
		JOB_AWAIT((job), !(step)->run, JOB_FOREVER); /* its own */ \
		if ((step)->err.code)                                      \
			return job_fail_err((job), &(step)->err);          \
	} while (0)

/*
 * What an image's first bytes say: "qcow2", "qcow", "vmdk", "vdi", "vhdx",
 * "vpc", or "raw" when none is known.  Only to refuse a contradiction, never
 * to choose.  *virtual_size is filled for qcow2 and raw files, else 0.
 * Fails with ERR_NOT_FOUND, ERR_OS, or ERR_CONFIG for what is no file.
 */
MUST_CHECK int image_header(const char *path, const char **format,
	uint64_t *virtual_size, bool *has_backing, struct err *err);
/* Bytes of the shortest header of qcow2. */
enum { IMAGE_QCOW2_LEAST = 72 };

/* What an image's first bytes say, all of it. */
struct image_head {
	const char *format; /* static; as image_header() */
	bool has_backing;
	char *backing;           /* its name there; or NULL */
	char backing_format[16]; /* as written there; "": not */
	uint64_t size;           /* virtual, of qcow2 and raw; else 0 */
	bool data_file;          /* its data is in another file */
	bool encrypted;
	bool corrupt; /* QEMU marked it so */
};

/* Reads it; path is for messages.  image_head_fini() in any case. */
MUST_CHECK int image_head_read(
	int fd, const char *path, struct image_head *out, struct err *err);
void image_head_fini(struct image_head *head);
/* False for what QEMU takes for a protocol: "nbd:...", "json:...". */
bool image_is_file_name(const char *name);
/* What a name in the header of the image at path means: absolute, new. */
char *image_resolve(const char *path, const char *name);
/*
 * The backing file of a qcow2 image, absolute, new; NULL without an error
 * set if it has none.  A name that is no file's ("json:...", "nbd://...") is
 * given as it is.
 */
char *image_backing(const char *path, struct err *err);
/* True for PATH.tmp.RANDOM, an image that is being made. */
bool image_is_temporary(const char *name);
/* Removes PATH.tmp.* left by a crash, in a directory; not what is in use. */
void image_sweep(const char *dir);

#endif
