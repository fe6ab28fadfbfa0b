/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots of several VMs as one point in time: gates that the operations of
 * all of them pass together, so that no guest goes on before all have
 * stopped, and nothing counts before all of it is there.  Whoever is not part
 * of a group (NULL) passes every gate.
 */
#ifndef SUPERVISOR_SNAPSHOT_GATE_H
#define SUPERVISOR_SNAPSHOT_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/job.h"
#include "base/list.h"

enum snapshot_stage {
	GATE_PLANNED, /* it can be done to each */
	GATE_READY,   /* all is prepared, guests are frozen */
	GATE_STOPPED, /* no guest runs */
	GATE_DONE,    /* to each of them */
	GATE_WRITTEN, /* that it counts; opened by snapshot_gate_write() */
	GATE_STAGES
};

struct snapshot_gate {
	struct list members; /* gate_member.link */
	struct job *owner;   /* woken with each step */
	bool written;
};

struct gate_member {
	struct list link;
	struct snapshot_gate *gate;
	unsigned reached;   /* so many stages, from the first on */
	struct job *waits;  /* at a gate; or NULL */
	int64_t stopped_us; /* when its guest stopped; 0: it did not run */
};

/* Nobody is there yet; owner is borrowed. */
void snapshot_gate_init(struct snapshot_gate *gate, struct job *owner);
/* One more, zeroed, whom the caller keeps until all is over. */
void snapshot_gate_join(struct snapshot_gate *gate, struct gate_member *member);
/* It is there; true once all are, else job is woken when they are. */
bool snapshot_gate_pass(
	struct gate_member *member, enum snapshot_stage stage, struct job *job);
/* It is as far as that, without waiting. */
void snapshot_gate_reach(struct gate_member *member, enum snapshot_stage stage);
/* It waits for nothing any more, and nobody waits for it. */
void snapshot_gate_leave(struct gate_member *member);
/* A job that may wait at a gate ends. */
void snapshot_gate_forget(struct gate_member *member, const struct job *job);
/* All are as far. */
bool snapshot_gate_is_open(
	const struct snapshot_gate *gate, enum snapshot_stage stage);
/* GATE_WRITTEN opens. */
void snapshot_gate_write(struct snapshot_gate *gate);
/* It is part of a group that counts. */
bool snapshot_gate_is_written(const struct gate_member *member);
/* Between the first guest that stopped and the last one, in us. */
int64_t snapshot_gate_skew_us(const struct snapshot_gate *gate);

#endif
