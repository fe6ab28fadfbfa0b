/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the cells of the matrix do, and what the ends of the operations post.
 * The operations are stood in for: a test ends them as it likes.
 */
#include "supervisor/actions.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "supervisor/op.h"
#include "supervisor/ready.h"

#include "tests/unit/vmkit.h"

static struct vm *vm;

/* ---- the operations ---- */

static const char *began;     /* the last one */
static const char *run_state; /* what an adoption finds */
static bool op_over;
static struct err op_err;

static enum job_state op_run(struct job *job)
{
	JOB_BEGIN(job);
	JOB_AWAIT(job, op_over, JOB_FOREVER);
	if (op_err.code)
		return job_fail_err(job, &op_err);
	JOB_END(job);
}

static void op_cleanup(struct job *job)
{
	free(job);
}

static struct job *begin(const char *what, op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "op", op_run, NULL, op_cleanup };
	struct job *job = NEW(struct job);

	began = what;
	op_over = false;
	job_start(job, &kind, "web", on_end, arg);
	return job;
}

struct job *op_start_begin(struct vm *of, op_end_fn *on_end, void *arg)
{
	(void)of;
	return begin("start", on_end, arg);
}

struct job *op_finish_begin(struct vm *of, op_end_fn *on_end, void *arg)
{
	(void)of;
	return begin("finish", on_end, arg);
}

struct job *op_stop_begin(struct vm *of, op_end_fn *on_end, void *arg)
{
	(void)of;
	return begin("stop", on_end, arg);
}

struct job *op_quit_begin(struct vm *of, op_end_fn *on_end, void *arg)
{
	(void)of;
	return begin("quit", on_end, arg);
}

struct job *op_adopt_begin(struct vm *of, op_end_fn *on_end, void *arg)
{
	(void)of;
	return begin("adopt", on_end, arg);
}

const char *op_adopt_full_node(const struct job *job)
{
	(void)job;
	return "";
}

const char *op_adopt_status(const struct job *job)
{
	(void)job;
	return run_state;
}

struct job *op_ask_begin(
	struct vm *of, enum op_ask what, op_end_fn *on_end, void *arg)
{
	(void)of;
	return begin(what == ASK_RESUME ? "resume" : "ask", on_end, arg);
}

struct job *op_qmp_begin_steal(struct vm *of, const char *command,
	json_t *arguments, op_end_fn *on_end, void *arg)
{
	(void)of;
	json_decref(arguments);
	return begin(command, on_end, arg);
}

json_t *op_qmp_result(const struct job *job)
{
	(void)job;
	return NULL;
}

/* ---- helpers ---- */

static void no_event(struct machine *m, const struct qmp_event *ev)
{
	(void)m;
	(void)ev;
}

static void no_ready(struct machine *m)
{
	(void)m;
}

static void no_loss(struct machine *m, const struct err *err)
{
	(void)m;
	(void)err;
}

static const struct machine_hooks hooks = { no_event, no_ready, no_loss,
	no_ready };

static void end_all_ops(void)
{
	op_over = true;
	while (vm && !list_is_empty(&vm->jobs)) {
		job_wake(list_entry(vm->jobs.next, struct job, link));
		clock_settle();
	}
}

static void fresh(const char *spec)
{
	end_all_ops();
	vm_free(vm);
	vm = vm_new(&kit, "web", &hooks, kit_post);
	vm->spec = kit_spec(spec);
	op_err = (struct err)ERR_INIT;
	run_state = "running";
	began = "";
	kit_events();
}

/* The operation under way ends so; what is posted then. */
static const char *op_ends(enum err_code code, const char *text)
{
	op_err = (struct err)ERR_INIT;
	if (code)
		err_set(&op_err, code, "%s", text);
	op_over = true;
	job_wake(vm->op);
	clock_settle();
	return kit_events();
}

/* ---- start ---- */

static void test_start(void)
{
	fresh("");
	act_start(vm);
	is_str(began, "start", "start begins a start");
	ok(vm->op && vm_busy(vm) == vm->op, "which is a job of the VM");
	is_str(op_ends(ERR_NONE, ""), "STARTED ", "its end is STARTED");
	ok(!vm->op && !vm_busy(vm), "and no job any more");
	vm->start_paused = true;
	act_start(vm);
	is_str(op_ends(ERR_NONE, ""), "STARTED_PAUSED ", "or paused");
	act_retry(vm);
	is_str(op_ends(ERR_EXISTS, "the lock is held"), "FOUND ",
		"a held lock is a VM found");
	act_start(vm);
	vm->machine.seen.panicked = true;
	is_str(op_ends(ERR_OS, "no such image"), "START_FAILED ", "a failure");
	is_str(vm->start_err->text, "no such image", "is kept for the person");
	ok(kit_logged(vm, "start failed: no such image"), "and logged");
	ok(!vm->machine.seen.panicked, "nothing older is seen in it");
}

static void test_cancel(void)
{
	fresh("");
	vm->record.desired = DESIRED_UP;
	act_start(vm);
	act_cancel_start(vm);
	clock_settle();
	is_str(kit_events(), "START_FAILED ", "a stop cancels a start");
	is_int(vm->record.desired, DESIRED_DOWN, "and wants it down");
	ok(vm->intent_stop, "by order");
	fresh("");
	vm->record.desired = DESIRED_UP;
	vm->stop.restart = true;
	act_start(vm);
	act_cancel_start(vm);
	clock_settle();
	is_int(vm->record.desired, DESIRED_UP, "a restart wants it up");
	fresh("");
	act_start(vm);
	act_kill_start(vm);
	clock_settle();
	is_str(kit_events(), "START_FAILED ", "so does a kill");
	ok(vm->intent_kill, "by that order");
	act_cancel_start(vm);
	ok(true, "a second one has nothing to cancel");
}

static void test_start_failed(void)
{
	fresh("");
	vm->ordered = true;
	vm->record.desired = DESIRED_UP;
	act_start_failed(vm);
	is_str(kit_events(), "END_STOPPED ", "a person's failed start rests");
	is_int(vm->record.desired, DESIRED_DOWN, "and is not wanted up");
	is_int(vm->last.cause, CAUSE_START_FAILED, "its cause");
	vm->record.desired = DESIRED_UP;
	act_start_failed(vm);
	is_str(kit_events(), "END_RESTART ", "one by itself is tried again");
	is_int(vm->record.desired, DESIRED_UP, "and still wanted up");
	act_start_failed(vm);
	is_str(kit_events(), "END_BACKOFF ", "later and later");
}

/* ---- stop, quit, kill ---- */

static void test_stop(void)
{
	fresh("");
	vm->machine.pid = 4711;
	act_stop(vm);
	is_str(began, "stop", "stop begins a stop");
	ok(vm->intent_stop, "by order");
	is_str(op_ends(ERR_TIMEOUT, "it does not die"), "STUCK ", "no end");
	is_str(vm->note, "stop: it does not die", "says why");
	act_stop(vm);
	job_cancel(vm->op);
	clock_settle();
	is_str(kit_events(), "STOP_CANCELLED ", "a cancelled one");
	vm->stop.restart = true;
	vm->machine.ready = true;
	act_stop_cancelled(vm);
	vm->machine.ready = false;
	ok(!vm->intent_stop && !vm->stop.restart, "forgets the order");
	is_int(vm->record.desired, DESIRED_UP, "and wants it up");
	is_str(vm->note, "", "without a word");
	kit_events();
	act_stop_cancelled(vm);
	is_str(kit_events(), "LOST ", "and a lost monitor is looked for");
	act_stop(vm);
	vm->machine.pid = -1;
	is_str(op_ends(ERR_NONE, ""), "END_STOPPED ", "the end is settled");
	fresh("");
	act_quit(vm);
	is_str(began, "quit", "quit begins a quit");
	ok(!vm->intent_stop, "which is no order");
	vm->machine.seen.started = vm->machine.seen.shutdown_seen = true;
	snprintf(vm->machine.seen.shutdown_reason, 15, "guest-shutdown");
	is_str(op_ends(ERR_NONE, ""), "END_STOPPED ", "settled as well");
	is_int(vm->last.cause, CAUSE_GUEST_POWEROFF, "by its cause");
}

static void test_kill(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	fresh("");
	vm->record.desired = DESIRED_UP;
	machine_know_pid(&vm->machine, pid, sys_pidfd_open(pid));
	act_kill(vm);
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "kill kills");
	ok(vm->intent_kill, "by order");
	is_int(vm->record.desired, DESIRED_DOWN, "which is recorded");
	fresh("");
	act_kill(vm);
	ok(kit_logged(vm, "kill: QEMU's process is not known"),
		"nothing to kill is said");
}

/* ---- adoption ---- */

static void adopts(const char *status, const char *posted, const char *asked)
{
	fresh("");
	vm->record.desired = DESIRED_UP;
	vm->machine.pid = 4711;
	run_state = status;
	act_adopt(vm);
	is_str(began, "adopt", "adoption of one that is %s", status);
	began = "";
	is_str(op_ends(ERR_NONE, ""), posted, "posts");
	is_str(began, asked, "and asks");
	vm->machine.pid = -1;
}

static void test_adopt(void)
{
	adopts("running", "STARTED ", "");
	adopts("suspended", "STARTED ", "");
	adopts("paused", "STARTED_PAUSED ", "");
	adopts("prelaunch", "STARTED ", "resume");
	adopts("shutdown", "STARTED_PAUSED GUEST_OFF ", "");
	ok(vm->machine.seen.shutdown_seen, "an end that was seen");
	adopts("guest-panicked", "STARTED_PAUSED GUEST_OFF ", "");
	ok(vm->machine.seen.panicked, "a panic");
	adopts("io-error", "STARTED_PAUSED ", "query-block");
	ok(vm->machine.seen.io_error, "a disk error");
	is_str(vm->note, "stopped by a disk error", "that is noted");
	adopts("watchdog", "STARTED_PAUSED GUEST_OFF ", "");
	ok(vm->machine.seen.watchdog, "a watchdog");
	adopts("", "STARTED_PAUSED ", "");
	fresh("");
	vm->record.desired = DESIRED_UP;
	vm->record.paused = true;
	run_state = "prelaunch";
	act_adopt(vm);
	is_str(op_ends(ERR_NONE, ""), "STARTED_PAUSED ",
		"a start that was to be paused stays so");
	fresh("");
	vm->record.desired = DESIRED_DOWN;
	act_adopt(vm);
	is_str(op_ends(ERR_NONE, ""), "UNWANTED ",
		"a stop that died with us goes on");
	ok(vm->intent_stop, "by its order");
}

static void test_adoption_fails(void)
{
	static const int64_t waits[] = { 500, 1000, 2000, 4000, 8000, 16000,
		30000, 30000 };

	fresh("");
	vm->machine.pid = 4711;
	act_adopt(vm);
	is_str(op_ends(ERR_UNREACHABLE, "no greeting"), "UNREACHABLE ",
		"no answer");
	is_str(vm->note, "no greeting", "says why");
	for (size_t i = 0; i < NELEMS(waits); i++) {
		act_retry_adoption(vm);
		loop_sim_advance(waits[i] - 1);
		is_str(kit_events(), "", "a wait");
		loop_sim_advance(1);
		is_str(kit_events(), "FOUND ", "of %lld ms",
			(long long)waits[i]);
	}
	act_adopt(vm);
	is_str(op_ends(ERR_NONE, ""), "UNWANTED ", "then one");
	is_int(vm->adopt_tries, 0, "forgets the tries");
	act_adopt(vm);
	vm->machine.pid = -1;
	vm->machine.dead = true;
	vm->intent_stop = false;
	is_str(op_ends(ERR_GONE, "it died"), "END_RESTART ",
		"one that died meanwhile is settled");
}

/* ---- the quiet ones ---- */

static void test_waiting(void)
{
	fresh("");
	vm->retry_at_ms = loop_now_ms() + 2500;
	act_wait(vm);
	is_str(vm->note, "next try in 2.5 s", "a back-off says how long");
	loop_sim_advance(2499);
	is_str(kit_events(), "", "patience");
	loop_sim_advance(1);
	is_str(kit_events(), "RETRY ", "then a try");
	vm->retry_at_ms = loop_now_ms() - 10;
	act_wait(vm);
	loop_sim_advance(0);
	is_str(kit_events(), "RETRY ", "a time that passed is now");
	vm->retry_at_ms = loop_now_ms() + 1000;
	act_wait(vm);
	act_rest(vm);
	loop_sim_advance(60000);
	is_str(kit_events(), "", "a stop ends the wait");
	act_wait(vm);
	act_start(vm);
	loop_sim_advance(60000);
	is_str(kit_events(), "", "so does a start");
	op_ends(ERR_NONE, "");
	act_retry_adoption(vm);
	act_give_up(vm);
	loop_sim_advance(60000);
	is_str(kit_events(), "", "and giving up");
}

static void test_rest(void)
{
	fresh("");
	vm->record.desired = DESIRED_UP;
	act_rest(vm);
	is_int(vm->record.desired, DESIRED_DOWN, "at rest it is not wanted");
	ok(vm->order_pending, "which is being written");
	vm->record.desired = DESIRED_UP;
	kit.stopping = true;
	act_rest(vm);
	is_int(vm->record.desired, DESIRED_UP, "but for the next supervisor");
	kit.stopping = false;
	vm->record.history.n = 5;
	act_give_up(vm);
	ok(vm->record.failed, "given up");
	is_str(vm->note, "5 failures in a row: vmward log web", "with a note");
	act_forgive(vm);
	ok(!vm->record.failed && vm->record.history.n == 0, "forgiven");
	is_str(vm->note, "", "without one");
	vm_set_note(vm, "disk full: x");
	vm->machine.pid = 4711;
	act_forgive(vm);
	is_str(vm->note, "disk full: x", "the note of a life stays");
	vm->machine.pid = -1;
	act_nothing(vm);
}

static void test_running(void)
{
	fresh("");
	vm->kept_paused = true;
	act_running(vm);
	ok(vm->machine.seen.started && !vm->kept_paused, "running");
	is_int(vm->ready, VM_READY_YES, "is ready without a probe");
	act_paused(vm);
	ok(vm->kept_paused, "paused");
	vm_set_note(vm, "x");
	act_resumed(vm);
	ok(!vm->kept_paused && !*vm->note, "resumed");
	fresh("");
	act_paused_start(vm);
	ok(vm->machine.seen.started && vm->kept_paused, "started paused");
	is_int(vm->ready, VM_READY_NONE, "is not ready");
	act_resumed(vm);
	is_int(vm->ready, VM_READY_YES, "before it runs");
}

static void test_runtime_max(void)
{
	fresh("[stop]\nruntime-max = 10s\n");
	vm->running = vm->spec;
	vm->state = VM_RUNNING;
	vm->record.started_mono_ms = loop_now_ms();
	loop_sim_advance(4000);
	act_running(vm);
	loop_sim_advance(5999);
	is_str(kit_events(), "", "a life has its time");
	loop_sim_advance(1);
	is_str(kit_events(), "STOP ", "from its start on");
	ok(vm->stop.runtime, "which is why");
	vm->record.started_mono_ms = 1;
	act_running(vm);
	loop_sim_advance(0);
	is_str(kit_events(), "STOP ", "one adopted too late ends at once");
	vm->running = NULL;
	vm->state = VM_STOPPED;
	loop_timer_stop(&vm->runtime_timer);
}

int main(void)
{
	kit_start();
	test_start();
	test_cancel();
	test_start_failed();
	test_stop();
	test_kill();
	test_adopt();
	test_adoption_fails();
	test_waiting();
	test_rest();
	test_running();
	test_runtime_max();
	end_all_ops();
	vm_free(vm);
	kit_end();
	return done();
}
