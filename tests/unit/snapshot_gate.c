/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gates: nobody goes on before all are there. */
#include "supervisor/snapshot_gate.h"

#include "tests/unit/tap.h"

struct walker {
	struct job job;
	struct gate_member gate;
	unsigned passed; /* gates */
	bool ended;
};

static struct snapshot_gate gate;
static struct job owner;
static struct walker walkers[3];
static unsigned looked; /* the owner */

static enum job_state walk_run(struct job *job)
{
	struct walker *walker = container_of(job, struct walker, job);

	JOB_BEGIN(job);
	JOB_AWAIT(job, snapshot_gate_pass(&walker->gate, GATE_PLANNED, job),
		JOB_FOREVER);
	walker->passed = 1;
	JOB_AWAIT(job, snapshot_gate_pass(&walker->gate, GATE_DONE, job),
		JOB_FOREVER);
	walker->passed = 2;
	JOB_AWAIT(job, snapshot_gate_pass(&walker->gate, GATE_WRITTEN, job),
		JOB_FOREVER);
	walker->passed = 3;
	JOB_END(job);
}

static enum job_state owner_run(struct job *job)
{
	looked++;
	JOB_BEGIN(job);
	JOB_AWAIT(job, gate.written, JOB_FOREVER);
	JOB_END(job);
}

static void on_walked(struct job *job, void *arg UNUSED)
{
	struct walker *walker = container_of(job, struct walker, job);

	walker->ended = true;
	snapshot_gate_forget(&walker->gate, job);
}

static void begin(size_t i)
{
	static const struct job_kind kind = { .name = "walk", .run = walk_run };

	job_start(&walkers[i].job, &kind, NULL, on_walked, NULL);
	loop_sim_advance(1);
}

static void is_passed(unsigned a, unsigned b, unsigned c, const char *what)
{
	ok(walkers[0].passed == a && walkers[1].passed == b &&
			walkers[2].passed == c,
		"%s: %u %u %u", what, walkers[0].passed, walkers[1].passed,
		walkers[2].passed);
}

static void test_together(void)
{
	static const struct job_kind kind = { .name = "owner",
		.run = owner_run };

	job_start(&owner, &kind, NULL, NULL, NULL);
	snapshot_gate_init(&gate, &owner);
	for (size_t i = 0; i < NELEMS(walkers); i++)
		snapshot_gate_join(&gate, &walkers[i].gate);
	begin(0);
	begin(1);
	is_passed(0, 0, 0, "one is missing");
	begin(2);
	is_passed(2, 2, 2, "then all go on, gate by gate");
	ok(looked > 1, "the owner is woken");
	ok(snapshot_gate_is_open(&gate, GATE_DONE) &&
			!snapshot_gate_is_open(&gate, GATE_WRITTEN),
		"the last gate is the owner's");
	ok(!snapshot_gate_is_written(&walkers[0].gate), "nothing counts yet");
	snapshot_gate_write(&gate);
	loop_sim_advance(1);
	is_passed(3, 3, 3, "written: all of them");
	ok(walkers[0].ended && walkers[1].ended && walkers[2].ended, "ended");
	ok(snapshot_gate_is_written(&walkers[0].gate), "it counts");
}

/* One that is not there any more holds nobody up; nor one that is ahead. */
static void test_leave(void)
{
	struct gate_member members[2] = { 0 };
	struct job waiting = { .ended = true };

	snapshot_gate_init(&gate, &owner);
	snapshot_gate_join(&gate, &members[0]);
	snapshot_gate_join(&gate, &members[1]);
	snapshot_gate_reach(&members[1], GATE_STOPPED);
	ok(snapshot_gate_pass(&members[0], GATE_PLANNED, &waiting),
		"the other one is ahead");
	ok(snapshot_gate_pass(&members[0], GATE_READY, &waiting),
		"at the next as well");
	ok(!snapshot_gate_pass(&members[0], GATE_DONE, &waiting), "not there");
	snapshot_gate_leave(&members[1]);
	ok(snapshot_gate_pass(&members[0], GATE_DONE, &waiting), "it left");
	ok(snapshot_gate_pass(NULL, GATE_DONE, &waiting), "no group: no gate");
	snapshot_gate_reach(NULL, GATE_DONE);
	snapshot_gate_leave(NULL);
	snapshot_gate_forget(NULL, &waiting);
	ok(!snapshot_gate_is_written(NULL), "nor anything written");
}

static void test_skew(void)
{
	struct gate_member members[3] = { 0 };

	snapshot_gate_init(&gate, &owner);
	for (size_t i = 0; i < NELEMS(members); i++)
		snapshot_gate_join(&gate, &members[i]);
	is_int(snapshot_gate_skew_us(&gate), 0, "none of them ran");
	members[1].stopped_us = 5000;
	is_int(snapshot_gate_skew_us(&gate), 0, "one of them ran");
	members[2].stopped_us = 4100;
	is_int(snapshot_gate_skew_us(&gate), 900, "two of them");
}

int main(void)
{
	loop_sim_start();
	test_together();
	test_leave();
	test_skew();
	loop_sim_end();
	return done();
}
