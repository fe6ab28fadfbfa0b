/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kills a program at a chosen point:
 *	kill_at call N FILE PROGRAM ARG...
 * before its N-th system call, counted from its first accept on (0: never),
 *	kill_at time T FILE PROGRAM ARG...
 * when CLOCK_BOOTTIME, as in /proc/uptime, is T milliseconds; if that is over
 * it is not even started.  FILE gets "killed N" or
 * "ended N", N being the calls that were counted.  SIGTERM ends both.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef PTRACE_O_EXITKILL
#define PTRACE_O_EXITKILL 0x100000
#endif

enum { INFO_ENTRY = 1, SYSGOOD_STOP = 0x80 };

/* The beginning of struct ptrace_syscall_info, of the kernel's interface. */
struct call_info {
	unsigned char op;
	unsigned char pad[3];
	unsigned arch;
	unsigned long long instruction, stack, nr, args[6];
};

static pid_t child;
static volatile sig_atomic_t ended_by_us;

static void on_term(int sig)
{
	(void)sig;
	ended_by_us = 1;
	kill(child, SIGKILL);
}

static void tell(const char *file, const char *how, unsigned long n)
{
	FILE *out = fopen(file, "w");

	if (!out)
		return;
	fprintf(out, "%s %lu\n", how, n);
	fclose(out);
}

static void begin(bool traced, char **argv)
{
	pid_t parent = getpid();

	child = fork();
	if (child)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || (traced && ptrace(PTRACE_TRACEME, 0, 0, 0)))
		_exit(126);
	execvp(*argv, argv);
	_exit(127);
}

/* It is in a stop at the entry of a call: true once the calls are counted. */
static bool counts(bool *seen)
{
	struct call_info info = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, child, (void *)sizeof(info),
		    &info) <= 0 ||
		info.op != INFO_ENTRY)
		return false;
	*seen |= info.nr == SYS_accept4;
#ifdef SYS_accept
	*seen |= info.nr == SYS_accept;
#endif
	return *seen;
}

static int at_call(unsigned long n, const char *file)
{
	unsigned long counted = 0;
	bool seen = false, killed = false;
	int status;

	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		return 126;
	ptrace(PTRACE_SETOPTIONS, child, 0,
		(void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
	for (int sig = 0;;) {
		ptrace(PTRACE_SYSCALL, child, 0, (void *)(long)sig);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
		if (!WIFSTOPPED(status))
			break;
		sig = WSTOPSIG(status);
		if (sig == SIGTRAP)
			sig = 0; /* its exec */
		if (sig != (SIGTRAP | SYSGOOD_STOP))
			continue;
		sig = 0;
		if (!killed && counts(&seen) && ++counted == n) {
			killed = true;
			kill(child, SIGKILL);
		}
	}
	tell(file, killed && !ended_by_us ? "killed" : "ended", counted);
	return killed ? 137 : 0;
}

static int end_killed(const char *file)
{
	tell(file, "killed", 0);
	return kill(getpid(), SIGKILL);
}

static bool is_over(long long at_ms)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000 >= at_ms;
}

static int at_time(long long at_ms, const char *file)
{
	const struct timespec at = { .tv_sec = at_ms / 1000,
		.tv_nsec = (at_ms % 1000) * 1000000 };
	pid_t clock = fork();
	pid_t first;
	int status = 0;

	if (clock == 0) {
		clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &at, NULL);
		_exit(0);
	}
	while ((first = waitpid(-1, &status, 0)) < 0 && errno == EINTR)
		;
	kill(first == clock ? child : clock, SIGKILL);
	if (first == clock)
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
	if (WIFSIGNALED(status) && !ended_by_us)
		return end_killed(file);
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	struct sigaction on = { .sa_handler = on_term };
	bool traced = argc > 1 && !strcmp(argv[1], "call");

	if (argc < 5)
		return 2;
	sigaction(SIGTERM, &on, NULL);
	if (!traced && is_over(strtoll(argv[2], NULL, 10)))
		return end_killed(argv[3]);
	begin(traced, argv + 4);
	return traced ? at_call(strtoul(argv[2], NULL, 10), argv[3])
		      : at_time(strtoll(argv[2], NULL, 10), argv[3]);
}
