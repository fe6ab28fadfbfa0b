/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the jobs on snapshots are made of: the tree is saved, something is
 * done to the images, what an earlier job left is mended.  Each step is a
 * job of its own, a child of the operation.
 */
#ifndef SUPERVISOR_SNAPSHOT_STEP_H
#define SUPERVISOR_SNAPSHOT_STEP_H

#include "storage/snapshot.h"
#include "supervisor/freeze.h"
#include "supervisor/snapshot_gate.h"
#include "supervisor/vm.h"

typedef void op_snapshot_end(struct job *job, void *arg);

/* What is wanted; borrowed for the call. */
struct op_snapshot_wish {
	const char *name;        /* of the snapshot; NULL to create: the time */
	bool memory;             /* create, of a VM that runs */
	enum freeze freeze;      /* the same */
	bool scheduled;          /* create: it may expire */
	const char *description; /* create */
	const char *to;          /* rename */
	const char *const *names;   /* delete: ended by NULL */
	const char *tag;            /* create: of a group; or NULL */
	struct gate_member *member; /* of several VMs at once; or NULL */
};

struct op_snapshot {
	struct job job;
	struct vm *vm;
	bool holds; /* the VM does not start meanwhile */
	json_t *tree;
	char *name, *description, *to;
	char **names;
	char *tag;
	bool live;   /* QEMU has the images, from the first to the last */
	bool memory; /* of the guest, too */
	enum freeze freeze;
	bool frozen; /* the guest was */
	bool scheduled;
	char *back;     /* revert: of what the disks held before */
	json_t *images; /* of tag */
	json_t *kept;   /* firmware's variables, TPM: on their way to a file */
	json_t *snapshot; /* create: what its tree is to get */
	struct gate_member *member;
	size_t at;           /* mend: of the garbage */
	bool forward, mends; /* mend */
	struct job *step;    /* a child that is under way */
	struct err step_err;
	bool marked;        /* revert: it is written that it is half done */
	bool committed;     /* it stands in the file */
	const char *action; /* what was told of it last; or NULL */
};

/* The operation of a job. */
struct op_snapshot *snapshot_step_op(const struct job *job);
/* One of this kind; frees itself by snapshot_step_cleanup(). */
struct op_snapshot *snapshot_step_begin(struct vm *vm,
	const struct job_kind *kind, const struct op_snapshot_wish *wish,
	op_snapshot_end *on_end, void *arg);
/* From now on the VM must not start, until the job has ended. */
void snapshot_step_hold(struct op_snapshot *op);
void snapshot_step_cleanup(struct job *job);
/* The tree, as it stands in the file; false: the job failed. */
bool snapshot_step_read(struct op_snapshot *op);
/* The log and our clients are told. */
void snapshot_step_tell(struct op_snapshot *op, const char *action);

/* ---- steps: each sets op->step until it ends ---- */

/* The tree goes into its file. */
void snapshot_step_save(struct op_snapshot *op);
/* QEMU has the images open: it does what is done. */
bool snapshot_step_is_live(const struct vm *vm);
/* Something is done to a tag of these images. */
void snapshot_step_act(struct op_snapshot *op, enum snapshot_act what,
	const char *tag, json_t *images);
/* Of the garbage at op->at; NULL: there is no more. */
json_t *snapshot_step_garbage(const struct op_snapshot *op);
/* Where the firmware's variables and the TPM's state of a tag are; new. */
char *snapshot_step_kept(const struct op_snapshot *op, const char *tag);
/* They are read, as they are now; false: the job failed. */
bool snapshot_step_look(struct op_snapshot *op);
/* What was read goes into the file of a tag. */
void snapshot_step_keep(struct op_snapshot *op, const char *tag);
/* They are what the file of a tag has, if there is one. */
void snapshot_step_put(struct op_snapshot *op, const char *tag);
/* All of a tag but what is in images goes. */
void snapshot_step_forget(const struct op_snapshot *op, const char *tag);
/* That goes. */
void snapshot_step_drop(struct op_snapshot *op);
/* It did, or it is tried again the next time. */
void snapshot_step_dropped(struct op_snapshot *op);
/* What was cut short is mended, if there is such a thing. */
void snapshot_step_mend(struct op_snapshot *op);
/* A job that does only that. */
extern const struct job_kind snapshot_step_mend_kind;

/* A step that is a job of its own, and must succeed. */
#define SNAPSHOT_STEP(op, begin)                                          \
	do {                                                              \
		begin;                                                    \
		JOB_AWAIT(&(op)->job, !(op)->step, JOB_FOREVER);          \
		if ((op)->step_err.code)                                  \
			return job_fail_err(&(op)->job, &(op)->step_err); \
	} while (0)

/* One that may fail: then something else is done. */
#define SNAPSHOT_TRY(op, begin)                                  \
	do {                                                     \
		begin;                                           \
		JOB_AWAIT(&(op)->job, !(op)->step, JOB_FOREVER); \
	} while (0)

/* All of a group are as far. */
#define SNAPSHOT_GATE(op, stage)                                       \
	JOB_AWAIT(&(op)->job,                                          \
		snapshot_gate_pass((op)->member, (stage), &(op)->job), \
		JOB_FOREVER) /* the others' jobs have ends */

/* The first step of all: the tree is read, and nothing is half done. */
#define SNAPSHOT_BEGIN(op)                                 \
	do {                                               \
		SNAPSHOT_STEP(op, snapshot_step_mend(op)); \
		if (!snapshot_step_read(op))               \
			return JOB_ENDS;                   \
	} while (0)

#endif
