/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the kernel killed a process for memory: the counter of its memory
 * control group (v2, or v1's) before and after.  What cannot be read is not
 * guessed.
 */
#ifndef SUPERVISOR_OOM_H
#define SUPERVISOR_OOM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct oom {
	const char *path; /* the file with the counter; NULL: none */
	uint64_t kills;
};

/* Finds the group of a process that lives, and reads its counter.  Zeroed
 * before the first time. */
void oom_begin(struct oom *oom, pid_t pid);
/* True if somebody in that group was killed for memory since. */
bool oom_moved(const struct oom *oom);
/* Frees what it knows. */
void oom_end(struct oom *oom);

#endif
