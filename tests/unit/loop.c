/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop, real and simulated. */
#include "base/loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "tests/unit/tap.h"

static struct str trace = STR_INIT;
static struct loop_timer timers[3];
static struct loop_kick kicks[2];
static struct loop_io ios[2];

static void is_trace(const char *want, const char *what)
{
	is_str(str_text(&trace), want, "%s", what);
	str_cut(&trace, 0);
}

static void on_timer(struct loop_timer *timer)
{
	str_addf(&trace, "t%d ", (int)(timer - timers));
}

static void on_kick(struct loop_kick *kick)
{
	str_addf(&trace, "k%d ", (int)(kick - kicks));
}

static void kick_twice(struct loop_timer *timer)
{
	on_timer(timer);
	loop_kick(&kicks[0], on_kick);
	loop_kick(&kicks[0], on_kick);
}

static void kick_other(struct loop_kick *kick)
{
	on_kick(kick);
	loop_kick(&kicks[1], on_kick);
}

/* What holds for both loops. */
static void test_kicks(void)
{
	loop_timer_start(&timers[0], 1, kick_twice);
	loop_timer_start(&timers[1], 1, on_timer);
	loop_run();
	is_trace("t0 t1 k0 ", "kicks run once, after the turn's callbacks");
	loop_kick(&kicks[0], kick_other);
	is_trace("", "never inside loop_kick()");
	loop_run();
	is_trace("k0 k1 ", "one fed before the loop runs, one fed by a kick");
	loop_kick(&kicks[0], on_kick);
	loop_kick_stop(&kicks[0]);
	loop_kick_stop(&kicks[1]);
	loop_run();
	is_trace("", "a stopped kick does not run");
}

static void stop_others(struct loop_timer *timer)
{
	on_timer(timer);
	loop_timer_stop(&timers[1]);
	loop_stop();
}

static void again(struct loop_timer *timer)
{
	on_timer(timer);
	if (trace.len < 9)
		loop_timer_start(timer, 1, again);
}

static void test_timers(void)
{
	loop_timer_stop(&timers[0]);
	ok(!loop_timer_is_active(&timers[0]), "a zeroed timer is not active");
	loop_timer_start(&timers[0], 3, on_timer);
	loop_timer_start(&timers[1], 1, on_timer);
	ok(loop_timer_is_active(&timers[0]), "active");
	loop_run();
	is_trace("t1 t0 ", "by due time");
	ok(!loop_timer_is_active(&timers[0]), "fires once");
	loop_timer_start(&timers[0], 100000, on_timer);
	loop_timer_start(&timers[0], 1, again);
	loop_run();
	is_trace("t0 t0 t0 ", "started anew, also by its own callback");
	loop_timer_start(&timers[0], 1, stop_others);
	loop_timer_start(&timers[1], 2, on_timer);
	loop_timer_start(&timers[2], 100000, on_timer);
	loop_run();
	is_trace("t0 ", "stopped by another; loop_stop()");
	ok(loop_timer_is_active(&timers[2]), "the rest stays");
	loop_timer_stop(&timers[2]);
	loop_turn(false);
	is_trace("", "nothing to do");
}

static void test_stale_clock(void)
{
	int64_t start = loop_now_ms();

	/* a long callback: the loop's own idea of now is old after it */
	while (loop_now_ms() < start + 30)
		continue;
	int64_t armed = loop_now_ms();
	loop_timer_start(&timers[0], 20, on_timer);
	loop_run();
	ok(loop_now_ms() - armed >= 19, "a stale clock shortens no timer");
	str_cut(&trace, 0);
}

static void on_io(struct loop_io *io, int events)
{
	char byte;

	str_addf(&trace, "io%d%s%s ", (int)(io - ios),
		events & LOOP_READ ? "r" : "", events & LOOP_WRITE ? "w" : "");
	if (events & LOOP_READ)
		str_addf(&trace, "%d ", (int)sys_read(io->ev.fd, &byte, 1));
	else
		loop_io_stop(io);
}

static void test_io(void)
{
	int fds[2];

	is_int(sys_pipe(fds), 0, "pipe");
	loop_io_stop(&ios[0]);
	loop_io_start(&ios[0], fds[0], LOOP_READ, on_io);
	loop_io_start(&ios[1], fds[1], LOOP_WRITE, on_io);
	loop_turn(true);
	is_trace("io1w ", "writable");
	is_int(sys_write(fds[1], "x", 1), 1, "write");
	loop_turn(true);
	is_trace("io0r 1 ", "readable");
	loop_turn(false);
	is_trace("", "no longer");
	loop_io_start(&ios[0], fds[0], LOOP_READ, on_io);
	fd_close(&fds[1]);
	loop_turn(true);
	is_trace("io0r 0 ", "end of file");
	loop_io_stop(&ios[0]);
	loop_io_stop(&ios[0]);
	fd_close(&fds[0]);
	loop_run();
	is_trace("", "nothing is watched");
}

static void on_signal(struct loop_signal *watcher, int signal)
{
	str_addf(&trace, "s%d ", signal);
	loop_signal_stop(watcher);
}

static void test_signal(void)
{
	static struct loop_signal watcher;
	sigset_t mask;

	loop_signal_start(&watcher, SIGUSR1, on_signal);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	ok(!sigismember(&mask, SIGUSR1), "our signal mask is left alone");
	kill(getpid(), SIGUSR1);
	loop_run();
	str_addf(&trace, "%d", SIGUSR1);
	ok(str_starts(str_text(&trace), "s"), "signal: %s", str_text(&trace));
	str_cut(&trace, 0);
}

static unsigned ended;

static void on_exit_(struct loop_child *child, const struct sys_exit *how)
{
	ended++;
	str_addf(&trace, "%s%d ",
		!how->known      ? "?"
		: how->signalled ? "sig"
				 : "exit",
		how->code);
	fd_close(&child->pidfd);
}

static pid_t fork_exit(int status)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(status);
	return pid;
}

static void test_children(void)
{
	static struct loop_child children[50];
	struct loop_child lost = { .tries = 0 };
	siginfo_t info;

	for (int i = 0; i < 50; i++) {
		pid_t pid = fork_exit(i);
		/* every other is dead before the watcher starts */
		if (i % 2)
			waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
		loop_child_start(&children[i], sys_pidfd_open(pid), on_exit_);
	}
	loop_run();
	is_int(ended, 50, "all ends are seen, once");
	for (int i = 0; i < 50; i++) {
		char want[16];
		snprintf(want, sizeof want, "exit%d ", i);
		ok(strstr(str_text(&trace), want) != NULL, "%s", want);
	}
	str_cut(&trace, 0);
	pid_t pid = fork_exit(3);
	int pidfd = sys_pidfd_open(pid);
	waitpid(pid, NULL, 0);
	loop_child_start(&lost, pidfd, on_exit_);
	loop_run();
	ok(str_eq(str_text(&trace), "exit3 ") ||
			str_eq(str_text(&trace), "?0 "),
		"reaped by somebody else: %s", str_text(&trace));
	str_cut(&trace, 0);
}

static unsigned asked;
static unsigned unreaped;

static int slow_wait(int pidfd UNUSED, struct sys_exit *out)
{
	if (asked++ < unreaped) {
		errno = EINPROGRESS;
		return -1;
	}
	*out = (struct sys_exit){ .known = true, .code = 5 };
	return 0;
}

static void test_unreaped(void)
{
	struct sys_backend slow = sys_real;
	struct loop_child child = { .tries = 0 };
	pid_t pid = fork_exit(5);

	slow.pidfd_wait = slow_wait;
	sys_use(&slow);
	unreaped = 3;
	loop_child_start(&child, sys_pidfd_open(pid), on_exit_);
	loop_run();
	is_trace("exit5 ", "a stranger's parent may take its time");
	asked = 0;
	unreaped = 100;
	loop_child_start(&child, sys_pidfd_open(pid), on_exit_);
	loop_run();
	is_trace("?0 ", "but not for ever");
	ok(asked < 10, "asked %u times", asked);
	sys_use(&sys_real);
	waitpid(pid, NULL, 0);
}

static unsigned ready_fds;

static int sim_poll(int fd, int wanted)
{
	return ready_fds & (1U << fd) ? wanted : 0;
}

static void sim_io(struct loop_io *io, int events UNUSED)
{
	str_addf(&trace, "io%d ", (int)(io - ios));
	ready_fds &= ~(1U << io->ev.fd);
	if (io == &ios[0]) {
		loop_io_stop(&ios[1]);
		loop_kick(&kicks[0], on_kick);
	}
}

static void test_sim(void)
{
	int64_t start = loop_now_ms();

	loop_timer_start(&timers[0], 60000, on_timer);
	loop_timer_start(&timers[1], 60000, kick_twice);
	loop_timer_start(&timers[2], 60001, on_timer);
	loop_sim_advance(59999);
	is_trace("", "not before its time");
	loop_sim_advance(1);
	is_trace("t0 t1 k0 ", "at its time");
	is_int(loop_now_ms() - start, 60000, "the clock is virtual");
	loop_sim_advance(3600000);
	is_trace("t2 ", "the rest");
	is_int(loop_now_ms() - start, 3660000, "the clock moves all the way");
	loop_sim_set_poll(sim_poll);
	loop_io_start(&ios[0], 3, LOOP_READ, sim_io);
	loop_io_start(&ios[1], 4, LOOP_READ, sim_io);
	ready_fds = 1U << 3 | 1U << 4;
	loop_sim_advance(0);
	is_trace("io0 k0 ", "one that was stopped by another does not run");
	loop_sim_io(&ios[0], LOOP_READ);
	loop_sim_advance(0);
	is_trace("io0 k0 ", "a watcher triggered by hand");
}

int main(void)
{
	struct err err = ERR_INIT;

	is_int(loop_init(&err), 0, "init");
	test_kicks();
	test_timers();
	test_stale_clock();
	test_io();
	test_signal();
	test_children();
	test_unreaped();
	loop_fini();
	loop_sim_start();
	ok(loop_sim_is_on(), "simulated");
	test_kicks();
	test_timers();
	test_sim();
	loop_sim_end();
	ok(!loop_sim_is_on(), "real again");
	str_fini(&trace);
	return done();
}
