/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Landlock: a set of rules says what files a process may use, whatever its
 * uid; a process that enters it never leaves.  By plain system calls, so
 * that a child of vfork can use them.
 */
#ifndef BASE_LANDLOCK_H
#define BASE_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_FILE = 1 << 8,
	FS_TRUNCATE = 1 << 14,
};

#define FS_READ    (FS_READ_FILE | FS_READ_DIR)
#define FS_PROGRAM (FS_EXECUTE | FS_READ)

/* What the kernel knows; 0: nothing, or it is switched off. */
int landlock_version(void);
/* A set without rules, which forbids all that there is; -1 with errno. */
int landlock_new(void);
/*
 * One more rule: what is allowed with a file, or with all below a directory.
 * What cannot be reached is passed over.  0, or -1 with errno.
 */
int landlock_allow(int rules, const char *path, uint64_t allowed);
/* This process, after no_new_privs; 0, or -1 with errno. */
int landlock_enter(int rules);

#endif
