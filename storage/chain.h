/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chain of one disk: its image, what that is on top of, and so on, each
 * opened for QEMU, which looks for nothing itself.  What the headers say is
 * only believed where it agrees with what is recorded, or leads to a place
 * that is allowed.
 */
#ifndef STORAGE_CHAIN_H
#define STORAGE_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CHAIN_MAX 32 /* images of one disk */

struct chain_image {
	char *path;         /* absolute */
	const char *format; /* static */
	uint64_t size;      /* virtual; 0: not known */
	bool device;        /* of blocks, no file */
	bool remote;        /* of a server: path is its URL */
	bool writes;        /* the guest may change it */
	int fd;             /* read-only; -1: not open */
	int write_fd;       /* of one that is written; or -1 */
	/* QEMU's numbers, filled by who starts it: */
	int as, write_as; /* descriptors */
	int set;          /* fd set; or -1 */
};

/* Top first. */
struct chain {
	struct chain_image *at;
	size_t n;
	bool encrypted; /* the one on top is: QEMU needs its password */
	bool secret;    /* a password goes with it, which QEMU reads */
	int secret_fd;  /* from this pipe; 0: not open */
	int secret_as;  /* and by this number */
};

/* For what qemu-img opens by itself. */
struct chain_rules {
	/* Whether an image in another directory may be below; or NULL. */
	bool (*allows)(void *arg, const char *path);
	void *arg;
	const char *never; /* an image that must not be below; or NULL */
	bool only_itself;  /* what is below is not opened */
};

struct chain_wish {
	const char *path;   /* of the image on top */
	const char *format; /* of it; static */
	bool write;         /* it is written */
	bool look;          /* but not opened so: only to look */
	/* What is known of the images below, if their top is the same one: */
	const struct chain *known;
	const char *base;        /* what its file says it is on; or NULL */
	const char *base_format; /* with base; static */
	const char *pool;        /* images there may be below others */
	bool trust;              /* and anywhere else */
	bool secret;             /* the password of the one on top is given */
	const char *accept;      /* what a person types to believe it */
	const struct chain_rules *rules; /* those of qemu-img; or NULL */
};

/*
 * Opens every image of a chain.  Refuses, naming both sides and the remedy:
 * a format that the header contradicts, another backing than is known, one
 * in a place that is not allowed, missing images, loops, data files,
 * encryption, what is no image.  Nothing is open after a failure.
 */
MUST_CHECK int chain_open(
	struct chain *chain, const struct chain_wish *wish, struct err *err);
/* Adds an image that is not open; format is static. */
struct chain_image *chain_add(
	struct chain *chain, const char *path, const char *format);
/* Closes its descriptors: QEMU has them. */
void chain_close(struct chain *chain);
/* Closes and frees. */
void chain_fini(struct chain *chain);
/* The path without "//", "/./" and "/../"; new. */
char *chain_plain_path(const char *path);

#endif
