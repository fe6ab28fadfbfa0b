/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The truth about life: a flock'ed open file description and a bound
 * abstract UNIX socket name, both inherited by QEMU.  QEMU lives while
 * either is held; we close our copies once it runs.
 */
#ifndef SUPERVISOR_LOCK_H
#define SUPERVISOR_LOCK_H

#include "base/err.h"

enum lock_state { LOCK_FREE, LOCK_HELD };

struct vm_lock {
	int file_fd; /* -1: not held by us */
	int name_fd;
};

#define VM_LOCK_INIT   \
	{              \
		-1, -1 \
	}

/*
 * Takes both (mode 0600 file PATH, name from dir + name) without waiting.
 * *state LOCK_HELD: somebody lives, nothing was taken.  -1: an OS error,
 * which must be read as "may live".
 */
MUST_CHECK int lock_take(struct vm_lock *lock, const char *path,
	const char *dir, const char *name, enum lock_state *state,
	struct err *err);
/* Only looks; takes nothing. */
MUST_CHECK int lock_look(const char *path, const char *dir, const char *name,
	enum lock_state *state, struct err *err);
/* Closes our copies (QEMU's stay). */
void lock_drop(struct vm_lock *lock);

#endif
