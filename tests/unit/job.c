/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs on the simulated loop: order, deadlines, undo, cancel, children. */
#include "base/job.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "tests/unit/tap.h"

struct op {
	struct job job;
	bool go;
	bool soft;
	bool undo_go;
	bool undo_fails;
	bool wants_child;
	int64_t patience;
	struct op *child;
	int n;
};

static struct str trace = STR_INIT;

static void is_trace(const char *want, const char *what)
{
	is_str(str_text(&trace), want, "%s", what);
	str_cut(&trace, 0);
}

static enum job_state plain_run(struct job *job)
{
	struct op *op = container_of(job, struct op, job);

	JOB_BEGIN(job);
	str_add(&trace, "a ");
	for (op->n = 0; op->n < 2; op->n++) {
		JOB_AWAIT(job, op->go, op->patience);
		op->go = false;
		str_addf(&trace, "%d ", op->n);
	}
	if (op->soft) {
		JOB_AWAIT_OR_TIMEOUT(job, op->go, op->patience);
		str_add(&trace, op->go ? "came " : "late ");
	}
	str_add(&trace, "z ");
	JOB_END(job);
}

static enum job_state plain_undo(struct job *job)
{
	struct op *op = container_of(job, struct op, job);

	JOB_BEGIN(job);
	str_add(&trace, "undo ");
	JOB_AWAIT(job, op->undo_go, 1000);
	if (op->undo_fails)
		return job_fail(job, ERR_QMP, "it stays");
	str_add(&trace, "undone ");
	JOB_END(job);
}

static void cleanup(struct job *job)
{
	struct op *op = container_of(job, struct op, job);

	str_add(&trace, "clean ");
	free(op);
}

static struct err last;
static struct err last_undo;

static void on_end(struct job *job, void *arg)
{
	str_addf(&trace, "end:%s ", err_code_name(job->err.code));
	last = job->err;
	last_undo = job->undo_err;
	*(int *)arg += 1;
}

static const struct job_kind plain = { "plain", plain_run, NULL, cleanup };
static const struct job_kind undoable = { "undoable", plain_run, plain_undo,
	cleanup };

static int ends;

static struct op *start(const struct job_kind *kind)
{
	struct op *op = NEW(struct op);

	op->patience = JOB_FOREVER;
	ends = 0;
	job_start(&op->job, kind, "web", on_end, &ends);
	return op;
}

static void wake(struct op *op)
{
	op->go = true;
	job_wake(&op->job);
	job_wake(&op->job);
}

static void test_order(void)
{
	struct op *op = start(&plain);

	is_trace("", "it never runs inside job_start()");
	ok(op->job.queued && op->job.id > 0, "but is queued");
	loop_sim_advance(0);
	is_trace("a ", "up to the first wait");
	job_wake(&op->job);
	loop_sim_advance(0);
	is_trace("", "a wake without its condition");
	wake(op);
	is_trace("", "it never runs inside job_wake()");
	loop_sim_advance(0);
	is_trace("0 ", "once, however often it was woken");
	wake(op);
	loop_sim_advance(0);
	is_trace("1 z end:NONE clean ", "to its end");
	is_int(ends, 1, "it ends once");
}

static void test_deadline(void)
{
	struct op *op = start(&plain);

	op->patience = 1000;
	loop_sim_advance(600);
	is_trace("a ", "waits");
	wake(op);
	loop_sim_advance(600);
	is_trace("0 ", "each wait has its own deadline");
	loop_sim_advance(399);
	is_trace("", "not yet");
	loop_sim_advance(1);
	is_trace("end:TIMEOUT clean ", "timed out");
	is_str(last.text, "plain timed out", "its text");
	loop_sim_advance(10000);
	is_int(ends, 1, "once");
}

static void test_soft_deadline(void)
{
	for (int comes = 0; comes < 2; comes++) {
		struct op *op = start(&plain);
		op->soft = true;
		op->patience = 1000;
		for (int i = 0; i < 2; i++) {
			loop_sim_advance(0);
			wake(op);
		}
		loop_sim_advance(500);
		is_trace("a 0 1 ", "waits softly");
		if (comes)
			wake(op);
		loop_sim_advance(500);
		is_trace(comes ? "came z end:NONE clean "
			       : "late z end:NONE clean ",
			"came or not, the job goes on");
	}
}

static void test_failure(void)
{
	struct op *op = start(&plain);
	struct err err = ERR_INIT;

	loop_sim_advance(0);
	err_set(&err, ERR_GONE, "QEMU is gone");
	job_fail_err(&op->job, &err);
	job_fail(&op->job, ERR_BUG, "second");
	op->go = true;
	job_wake(&op->job);
	loop_sim_advance(0);
	is_trace("a end:GONE clean ", "failed by a callback");
	is_str(last.text, "QEMU is gone", "the first failure counts");
	op = start(&plain);
	job_fail(&op->job, ERR_GONE, "early");
	loop_sim_advance(0);
	is_trace("end:GONE clean ", "failed before its first run");
}

static void test_undo(void)
{
	struct op *op = start(&undoable);

	loop_sim_advance(0);
	job_fail(&op->job, ERR_GUEST, "no");
	job_wake(&op->job);
	loop_sim_advance(0);
	is_trace("a undo ", "undo runs");
	job_cancel(&op->job);
	loop_sim_advance(0);
	is_trace("", "an undo is not cancelled");
	op->undo_go = true;
	job_wake(&op->job);
	loop_sim_advance(0);
	is_trace("undone end:GUEST clean ", "and ends with the first error");
	is_int(last_undo.code, ERR_NONE, "all was undone");
	op = start(&undoable);
	loop_sim_advance(0);
	job_fail(&op->job, ERR_GUEST, "no");
	job_wake(&op->job);
	op->undo_go = op->undo_fails = true;
	loop_sim_advance(0);
	is_trace("a undo end:GUEST clean ", "a failing undo ends");
	is_str(last.text, "no", "the first error is kept");
	is_str(last_undo.text, "it stays", "what could not be undone is named");
	op = start(&undoable);
	loop_sim_advance(0);
	job_fail(&op->job, ERR_GUEST, "no");
	job_wake(&op->job);
	loop_sim_advance(2000);
	is_trace("a undo end:GUEST clean ", "an undo has deadlines too");
	is_int(last_undo.code, ERR_TIMEOUT, "undo timed out");
	op = start(&undoable);
	loop_sim_advance(0);
	wake(op);
	loop_sim_advance(0);
	wake(op);
	loop_sim_advance(0);
	is_trace("a 0 1 z end:NONE clean ", "no undo after success");
}

static void test_cancel(void)
{
	struct op *op = start(&plain);

	loop_sim_advance(0);
	job_cancel(&op->job);
	is_trace("a ", "not inside job_cancel()");
	loop_sim_advance(0);
	is_trace("end:CANCELLED clean ", "cancelled");
	is_str(last.text, "plain was cancelled", "its text");
	op = start(&undoable);
	job_cancel(&op->job);
	op->undo_go = true;
	loop_sim_advance(0);
	is_trace("undo undone end:CANCELLED clean ",
		"cancelled before its first run");
}

static const struct job_kind kid = { "kid", plain_run, plain_undo, NULL };

static void kid_ends(struct job *job, void *arg UNUSED)
{
	str_addf(&trace, "kid:%s ", err_code_name(job->err.code));
}

static enum job_state family_run(struct job *job)
{
	struct op *op = container_of(job, struct op, job);

	JOB_BEGIN(job);
	for (op->n = 0; op->n < 2; op->n++) {
		op->child[op->n].patience = JOB_FOREVER;
		job_start(&op->child[op->n].job, &kid, "web", kid_ends, NULL);
		op->child[op->n].job.parent = job;
	}
	JOB_AWAIT(job, op->child[0].job.ended || op->go, 5000);
	str_add(&trace, "first ");
	if (op->go)
		return job_fail(job, ERR_STATE, "leave");
	JOB_END(job);
}

static enum job_state family_undo(struct job *job UNUSED)
{
	str_add(&trace, "family-undo ");
	return JOB_ENDS;
}

static const struct job_kind family = { "family", family_run, family_undo,
	cleanup };

static void finish(struct op *op)
{
	for (int i = 0; i < 2; i++) {
		wake(op);
		loop_sim_advance(0);
	}
}

static void test_children(void)
{
	struct op children[2] = { { .n = 0 }, { .n = 0 } };
	struct op *op = start(&family);

	op->child = children;
	loop_sim_advance(0);
	is_trace("a a ", "children run");
	finish(&children[0]);
	is_trace("0 1 z kid:NONE first ", "a child's end wakes its parent");
	is_int(ends, 0, "which does not end before the other child");
	finish(&children[1]);
	is_trace("0 1 z kid:NONE end:NONE clean ", "but then does");
}

static void test_cancelled_family(void)
{
	struct op children[2] = { { .n = 0 }, { .n = 0 } };
	struct op *op = start(&family);

	op->child = children;
	loop_sim_advance(0);
	str_cut(&trace, 0);
	job_cancel(&op->job);
	loop_sim_advance(0);
	is_trace("undo undo ", "cancel reaches the children");
	children[0].undo_go = children[1].undo_go = true;
	job_wake(&children[0].job);
	loop_sim_advance(0);
	is_trace("undone kid:CANCELLED ", "the parent's undo waits for them");
	job_wake(&children[1].job);
	loop_sim_advance(0);
	is_trace("undone kid:CANCELLED family-undo end:CANCELLED clean ",
		"and comes last");
	op = start(&family);
	op->child = children;
	children[0].undo_go = children[1].undo_go = true;
	loop_sim_advance(5000);
	is_trace("a a undo undone kid:CANCELLED undo undone kid:CANCELLED "
		 "family-undo end:TIMEOUT clean ",
		"a deadline does the same");
}

static void test_lost_label(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct op *op = start(&plain);
		close(STDERR_FILENO);
		op->job.line = 1;
		loop_sim_advance(0);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
		"a lost label aborts");
}

int main(void)
{
	loop_sim_start();
	test_order();
	test_deadline();
	test_soft_deadline();
	test_failure();
	test_undo();
	test_cancel();
	test_children();
	test_cancelled_family();
	test_lost_label();
	loop_sim_end();
	str_fini(&trace);
	return done();
}
