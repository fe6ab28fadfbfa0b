/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work on images, as jobs: each runs qemu-img with explicit formats, syncs
 * what it wrote, and leaves the old state or the new one.
 */
#ifndef SUPERVISOR_OP_IMAGE_H
#define SUPERVISOR_OP_IMAGE_H

#include <jansson.h>

#include "base/durable.h"
#include "storage/image.h"
#include "storage/ova.h"
#include "supervisor/env.h"
#include "supervisor/pool_space.h"
#include "supervisor/volume.h"

struct op_image {
	struct job job;
	const struct env *env;
	struct volume volume;
	struct qemu_img *run; /* while it runs */
	struct err run_err;
	json_t *printed; /* by the last run, or NULL */
	int code;        /* its exit */
	bool locked;     /* it failed because of a lock */
	uint64_t size;   /* resize, create */
	bool shrink;     /* resize */
	bool repair;     /* check */
	bool repair_all;
	struct volume from; /* of a copy, or the base of an overlay */
	bool copy;
	uint64_t copied; /* virtual size of the source; 0: unknown */
	bool compress;
	bool snapshots;  /* import: those inside are left out, not refused */
	bool filled;     /* of a copy: all of it is allocated at once */
	bool unsafe;     /* rebase: only the header is written */
	bool keep;       /* commit: its content stays above too */
	char *record;    /* commit: that the base may be half written */
	bool strict;     /* compare: sizes count too */
	bool reflink;    /* of a copy: blocks are shared with the source */
	uint64_t bytes;  /* that 100 % of the progress are; 0: not known */
	uint64_t needed; /* space, as it was measured; 0: not known */
	struct chain_rules rules;
	struct secret secret;     /* that opens it, or what is copied */
	struct secret new_secret; /* that is to open what is made */
	/* Gets what a run says that is no progress; or NULL. */
	void (*on_words)(void *arg, const char *line);
	bool sizes_differ;  /* compare */
	json_t *differs_at; /* or NULL */
	struct {
		json_t *extents;
		json_int_t data, zero, below;
		size_t n;
	} map;
	struct ova_disk part; /* import: of an archive; or name NULL */
	unsigned summed;      /* import: how many of its sums were looked at */
	json_t *ovf;          /* import: what it says of itself; or NULL */
	uint64_t described;   /* import: size by that; 0: not said */
	char *opened;         /* import: as qemu-img is told of it; or NULL */
	int source;           /* import: from, opened; 0: not yet */
	struct {              /* image pull */
		char *url, *sha256;
		char *temporary; /* in the cache, until it is kept; or NULL */
		int fd;          /* of that; 0: none */
		char *found;     /* digest; or NULL */
		struct job *import; /* while it runs */
		struct loop_timer timer;
	} pull;
	char *options;
	struct image_step make;
	struct durable durable;
	struct pool_claim claim; /* of its pool, until the end */
	json_t *result;          /* for on_end */
};

/* Plain values are filled in before the start; then the job owns it. */
struct op_image *op_image_new_steal(
	const struct env *env, struct volume *volume);
/* An op that was never started. */
void op_image_free(struct op_image *op);

typedef void op_image_end(struct job *job, void *arg);
/* What qemu-img says of it; works on an image in use. */
void op_image_info(struct op_image *op, op_image_end *on_end, void *arg);
/* Looks for errors; repair: corrects leaks; repair_all: all of them. */
void op_image_check(struct op_image *op, op_image_end *on_end, void *arg);
/* To op->size; smaller only with op->shrink. */
void op_image_resize(struct op_image *op, op_image_end *on_end, void *arg);
/*
 * Makes it: empty (op->size), an overlay of op->from, or (op->copy) a copy
 * of it.  The space that a copy takes is measured first.
 */
void op_image_make(struct op_image *op, op_image_end *on_end, void *arg);
/*
 * Puts it on op->from, or (without one) makes it stand alone; what a guest
 * reads stays the same, unless op->unsafe: then only the header is written.
 */
void op_image_rebase(struct op_image *op, op_image_end *on_end, void *arg);
/*
 * Whether that can be: no VM runs on it, and nobody else needs its base, which
 * becomes op->from.
 */
MUST_CHECK int op_image_commit_check(
	struct registry *registry, struct op_image *op, struct err *err);
/* Writes it into its base, op->from, and empties it unless op->keep. */
void op_image_commit(struct op_image *op, op_image_end *on_end, void *arg);
/* Whether it and op->from read the same. */
void op_image_compare(struct op_image *op, op_image_end *on_end, void *arg);
/* What of it has data. */
void op_image_map(struct op_image *op, op_image_end *on_end, void *arg);
/* Removes it, durably. */
void op_image_delete(struct op_image *op, op_image_end *on_end, void *arg);
struct op_image *op_image_of(struct job *job);

/* ---- steps that the jobs on images have in common ---- */

/*
 * Runs `qemu-img WORDS...` (they end with NULL): "cannot VERB image ..." when
 * it fails.  fine: exits that are no failure, by bit.
 */
void op_image_run(struct op_image *op, const char *const *words,
	const char *verb, uint64_t fine);
/* Starts to make its volume, in a job of its own: op->make until it ends. */
void op_image_create(struct op_image *op, const struct image_wish *wish);
/* The job ends by what its run said; no space: with what it needs. */
enum job_state op_image_fail(struct op_image *op);
/* Runs `qemu-img info` of the image: op->printed. */
void op_image_ask(struct op_image *op);
/*
 * There is a qemu-img, and the image and all below it are what their formats
 * say, where they may be; else the job has failed.
 */
bool op_image_is_sound(struct op_image *op, const struct volume *volume);
/* The same of the image alone: nothing below it is going to be opened. */
bool op_image_is_itself(struct op_image *op, const struct volume *volume);
/* The end of a job: frees the op. */
void op_image_cleanup(struct job *job);

#define IMAGE_AWAIT_RUN(op)                                     \
	do {                                                    \
		JOB_AWAIT(&(op)->job, !(op)->run, JOB_FOREVER); \
		if ((op)->run_err.code)                         \
			return op_image_fail(op);               \
	} while (0)

/* After every change in place: the image is on disk. */
#define IMAGE_SYNC(op, path)                                               \
	do {                                                               \
		(op)->job.progress.phase = "syncing";                      \
		JOB_DURABLE(&(op)->job, &(op)->durable,                    \
			durable_path(&(op)->durable, &(op)->job, (path))); \
	} while (0)

/* op_image_VERB(): the job that VERB_run() is the body of. */
#define IMAGE_VERB(verb)                                                  \
	void op_image_##verb(                                             \
		struct op_image *op, op_image_end *on_end, void *arg)     \
	{                                                                 \
		static const struct job_kind kind = { "image-" #verb,     \
			verb##_run, NULL, op_image_cleanup };             \
                                                                          \
		job_start(&op->job, &kind, op->volume.name, on_end, arg); \
	}

#endif
