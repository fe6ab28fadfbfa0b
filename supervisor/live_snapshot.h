/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots of the disks of a running QEMU, by QMP, as a job: one thing is
 * done to one tag of all of them.  The guest's memory goes into a volume of
 * its own, STATE/snapshots/NAME/TAG.qcow2, so that the disks stay small;
 * QEMU has it only meanwhile.  What a dead supervisor left in QEMU is taken
 * away as what it left of a copy is (live_copy).
 */
#ifndef SUPERVISOR_LIVE_SNAPSHOT_H
#define SUPERVISOR_LIVE_SNAPSHOT_H

#include <jansson.h>

#include "storage/snapshot.h"
#include "supervisor/freeze.h"
#include "supervisor/snapshot_gate.h"
#include "supervisor/vm.h"

struct live_snapshot_wish {
	enum snapshot_act act;
	const char *tag;
	json_t *disks;      /* [{"disk", ...}] */
	bool memory;        /* of the guest too: it stands still meanwhile */
	enum freeze freeze; /* whether its file systems are at rest */
	bool *frozen;       /* they were; outlives the job */
	struct gate_member *member; /* of several VMs at once; or NULL */
};

/* The volume of the guest's memory; new. */
char *live_snapshot_memory(const struct vm *vm, const char *tag);
/* Starts it; the job frees itself after on_end, parent is woken. */
struct job *live_snapshot_start(struct vm *vm,
	const struct live_snapshot_wish *wish, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg);

#endif
