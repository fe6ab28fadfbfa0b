/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which paths somebody else answers for: a server in the network, or a
 * process.  Told by the kernel's own table of mounts, so that a file system
 * that hangs is never touched to find out.
 */
#ifndef BASE_MOUNTS_H
#define BASE_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>

/* A mount whose answers may never come: "/srv/vm", "nfs4". */
struct mount {
	char *point;
	char *type;
	uint64_t id; /* the kernel's */
	bool far;    /* a server or a process answers */
	bool dead;   /* as mounts_mark() was told */
};

/*
 * The far file system that an absolute path is on, links on the way followed
 * as far as they are local; NULL: a local one.  Valid until the next call.
 */
const struct mount *mounts_far(const char *path);
/* Whether there is any. */
bool mounts_have_far(void);
/* It does not answer, or does again. */
void mounts_mark(const char *point, bool dead);
/* False for a path on one that does not answer; for sys_set_gate(). */
bool mounts_may_touch(const char *path);
/* Forgets the table. */
void mounts_drop(void);

#endif
