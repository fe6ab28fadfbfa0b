/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What /proc tells of a process and of the host: times, memory.  Only files
 * that the kernel answers without the process' memory lock are read here
 * (never smaps or cmdline): a process that hangs in the kernel delays nobody.
 */
#ifndef SUPERVISOR_PROC_H
#define SUPERVISOR_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_usage {
	uint64_t user_us;   /* of all its threads, also of those that ended */
	uint64_t system_us; /* the same; both in steps of 10 ms */
	uint64_t rss;       /* bytes */
	uint64_t swap;
	uint64_t threads;
};

struct proc_thread {
	uint64_t run_us;  /* on a processor */
	uint64_t wait_us; /* ready to run, but on none */
};

/* False if there is no such process (any more). */
bool proc_usage(pid_t pid, struct proc_usage *out);
/* Of one thread.  Without the kernel's schedstat wait_us is 0. */
bool proc_thread(pid_t pid, pid_t tid, struct proc_thread *out);

/* The host's memory in bytes; 0 if unknown. */
uint64_t proc_host_memory(void);
/* What could be had without swapping; 0 if unknown. */
uint64_t proc_host_available(void);
/* Processors online; 0 if unknown. */
unsigned proc_host_cpus(void);

#endif
