/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gates that several snapshots pass together; see snapshot_gate.h. */
#include "supervisor/snapshot_gate.h"

void snapshot_gate_init(struct snapshot_gate *gate, struct job *owner)
{
	*gate = (struct snapshot_gate){ .owner = owner };
	list_init(&gate->members);
}

void snapshot_gate_join(struct snapshot_gate *gate, struct gate_member *member)
{
	member->gate = gate;
	list_add(&gate->members, &member->link);
}

bool snapshot_gate_is_open(
	const struct snapshot_gate *gate, enum snapshot_stage stage)
{
	if (stage == GATE_WRITTEN && !gate->written)
		return false;
	list_each(&gate->members, it, next) {
		if (list_entry(it, struct gate_member, link)->reached <= stage)
			return false;
	}
	return true;
}

/* Those whose gate has opened look again. */
static void wake(struct snapshot_gate *gate)
{
	list_each(&gate->members, it, next) {
		struct gate_member *member =
			list_entry(it, struct gate_member, link);

		if (member->waits)
			job_wake(member->waits);
	}
	job_wake(gate->owner);
}

void snapshot_gate_reach(struct gate_member *member, enum snapshot_stage stage)
{
	if (!member || member->reached > stage)
		return;
	member->reached = stage + 1;
	if (snapshot_gate_is_open(member->gate, stage) || stage == GATE_DONE)
		wake(member->gate);
}

bool snapshot_gate_pass(
	struct gate_member *member, enum snapshot_stage stage, struct job *job)
{
	if (!member)
		return true;
	snapshot_gate_reach(member, stage);
	if (!snapshot_gate_is_open(member->gate, stage)) {
		member->waits = job;
		return false;
	}
	member->waits = NULL;
	return true;
}

void snapshot_gate_leave(struct gate_member *member)
{
	if (!member)
		return;
	member->waits = NULL;
	member->reached = GATE_STAGES;
	wake(member->gate);
}

void snapshot_gate_forget(struct gate_member *member, const struct job *job)
{
	if (member && member->waits == job)
		member->waits = NULL;
}

void snapshot_gate_write(struct snapshot_gate *gate)
{
	gate->written = true;
	wake(gate);
}

bool snapshot_gate_is_written(const struct gate_member *member)
{
	return member && member->gate->written;
}

int64_t snapshot_gate_skew_us(const struct snapshot_gate *gate)
{
	int64_t first = INT64_MAX;
	int64_t last = 0;

	list_each(&gate->members, it, next) {
		int64_t at =
			list_entry(it, struct gate_member, link)->stopped_us;

		if (at && at < first)
			first = at;
		if (at > last)
			last = at;
	}
	return last > first ? last - first : 0;
}
