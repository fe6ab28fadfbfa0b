/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child that is born into a control group: clone3 as vfork, on a stack of
 * its own.  libc has no function for it, and the child must not come back
 * into frames that its parent still uses.
 */
#ifndef BASE_BORN_H
#define BASE_BORN_H

#include <stddef.h>
#include <sys/types.h>

struct born {
	int (*run)(void *arg); /* in the child; does not return */
	void *arg;
	char *stack; /* its lowest byte */
	size_t size;
	int group; /* a directory of cgroup v2 */
};

/*
 * Its pid and pidfd; returns when it has left our memory.  -1 with errno where
 * the kernel, or this machine, cannot.
 */
pid_t born_make(const struct born *born, int *pidfd);

#endif
