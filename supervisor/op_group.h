/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work on the snapshots of several VMs as one job: one point in time for all
 * of them.  It is checked for each before anything is done to one.  A
 * snapshot is of all of them or of none; a revert that fails for one leaves
 * the others reverted, and says so.
 */
#ifndef SUPERVISOR_OP_GROUP_H
#define SUPERVISOR_OP_GROUP_H

#include "supervisor/op_snapshot.h"

enum group_act { GROUP_CREATE, GROUP_REVERT, GROUP_DELETE };

struct group_wish {
	enum group_act act;
	struct vm **vms; /* two at least, nobody at work on them */
	size_t nvms;
	const char *const *names; /* of the snapshot of each; create: one */
	const char *description;  /* create */
	bool memory;              /* create, of those that run */
	enum freeze freeze;       /* the same */
};

/* The first of them has the job among its own (vm_job_add is the caller's). */
struct job *op_group_begin(
	const struct group_wish *wish, op_snapshot_end *on_end, void *arg);
/* The name of the snapshot; valid until the job is freed. */
const char *op_group_name(const struct job *job);
/* "created", or what was done. */
const char *op_group_action(const struct job *job);
/* The names of the VMs; new. */
json_t *op_group_vms(const struct job *job);
/* Between the first guest that stopped for it and the last one, in us. */
int64_t op_group_skew_us(const struct job *job);

#endif
