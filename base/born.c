/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A child that is born into a control group; see born.h. */
#include "base/born.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__) && defined(SYS_clone3)

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#define INTO_CGROUP UINT64_C(0x200000000)

/* As the kernel has it since 5.7. */
struct args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal;
	uint64_t stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

/* The child calls run(arg) on its stack at once, and never comes back. */
static long clone_and_run(
	const struct args *args, int (*run)(void *), void *arg)
{
	register int (*function)(void *) __asm__("r8") = run;
	register void *argument __asm__("r9") = arg;
	long result;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r9, %%rdi\n\t"
			 "call *%%r8\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(result)
			 : "a"((long)SYS_clone3), "D"(args), "S"(sizeof(*args)),
			 "r"(function), "r"(argument)
			 : "rcx", "r11", "memory", "cc");
	return result;
}

pid_t born_make(const struct born *born, int *pidfd)
{
	const struct args args = { .flags = INTO_CGROUP | CLONE_VM |
					    CLONE_VFORK | CLONE_PIDFD,
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)born->stack,
		.stack_size = born->size,
		.cgroup = (uint64_t)born->group };
	long pid = clone_and_run(&args, born->run, born->arg);

	if (pid >= 0)
		return (pid_t)pid;
	errno = (int)-pid;
	return -1;
}

#else

pid_t born_make(const struct born *born, int *pidfd)
{
	(void)born;
	(void)pidfd;
	errno = ENOSYS;
	return -1;
}

#endif
