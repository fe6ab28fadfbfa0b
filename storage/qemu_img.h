/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run of qemu-img as a job: its exit, its own last words as the error,
 * its progress.  Cancelled or orphaned it is killed; what it was writing is
 * the business of whoever began it.
 */
#ifndef STORAGE_QEMU_IMG_H
#define STORAGE_QEMU_IMG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/job.h"
#include "base/spawn.h"
#include "storage/secret.h"

#define QEMU_IMG_CHECK_CORRUPT 2 /* exits of `qemu-img check` */
#define QEMU_IMG_CHECK_LEAKS   3
#define QEMU_IMG_CHECK_NONE    63 /* the format has no check */

struct qemu_img {
	struct job job;
	struct spawn_tool tool;
	char **argv;
	char *what;     /* "cannot check image '/x'": begins the error */
	char *hide;     /* a name to leave out of its words; or NULL */
	uint64_t fine;  /* bit N: exit N is no failure */
	uint64_t total; /* bytes that 100 % of its progress are; 0: steps */
	void (*on_words)(void *arg, const char *line); /* or NULL */
	void *arg;
	int given[3]; /* two secrets, a source, until it is started; or -1 */
	bool ended;
};

/* What is not in argv. */
struct qemu_img_how {
	const char *what; /* see above */
	const char *hide;
	uint64_t fine;
	uint64_t total;
	/* Gets each line of stdout that is no progress; or NULL. */
	void (*on_words)(void *arg, const char *line);
	void *arg;
	/*
	 * It can read these as /dev/fd/3 (of the image that is read, or
	 * changed) and /dev/fd/4 (of the one that is made); or NULL.
	 */
	const struct secret *secret;
	const struct secret *new_secret;
	int source; /* it can read this as QEMU_IMG_SOURCE; 0: none */
};

/*
 * Starts argv ([0]: the program; copied).  job.parent (or NULL) is woken at
 * the end and shows the progress as its own.  The job frees itself after
 * on_end, which may look at tool.out and tool.exit.
 */
struct qemu_img *qemu_img_start(const char *const *argv,
	const struct qemu_img_how *how, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg);
struct qemu_img *qemu_img_of(struct job *job);
/* The words that tell of the two secrets. */
#define QEMU_IMG_SECRET     "secret,id=key,file=/dev/fd/3"
#define QEMU_IMG_NEW_SECRET "secret,id=newkey,file=/dev/fd/4"
/* With the second one: what is made is encrypted. */
#define QEMU_IMG_LUKS "encrypt.format=luks,encrypt.key-secret=newkey"
/* A file that was opened by somebody else. */
#define QEMU_IMG_SOURCE "/dev/fd/5"
/* "driver=qcow2,encrypt.key-secret=key,file.filename=..." for --image-opts:
 * an image that the secret opens.  New. */
char *qemu_img_opts(const char *path, const char *format);
/* The JSON document that it printed, new; NULL with ERR_OS naming what. */
json_t *qemu_img_json(const struct qemu_img *run, struct err *err);
/* "    (12.34/100%)" as 1/100 of a percent; -1: no such line. */
int qemu_img_percent(const char *line);

#endif
