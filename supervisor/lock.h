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
 * What makes the names of a supervisor's locks its own: its run directory and
 * a secret in its state directory, made once; so no local user can bind them
 * first.  NULL where it can be neither read nor made: under another key the
 * names that QEMUs hold would not be seen.  New.
 */
MUST_CHECK char *lock_key(
	const char *run_dir, const char *state_dir, struct err *err);
/*
 * Takes both (mode 0600 file PATH, name from key + name) without waiting.
 * *state LOCK_HELD: somebody lives, nothing was taken.  -1: an OS error,
 * which must be read as "may live".
 */
MUST_CHECK int lock_take(struct vm_lock *lock, const char *path,
	const char *key, const char *name, enum lock_state *state,
	struct err *err);
/* Only looks; takes nothing. */
MUST_CHECK int lock_look(const char *path, const char *key, const char *name,
	enum lock_state *state, struct err *err);
/* Closes our copies (QEMU's stay). */
void lock_drop(struct vm_lock *lock);

#endif
